/* The report's page without this script is complete; with it, bars show their pictures, tables sort, the timeline zooms. */
(() => {
  "use strict";
  const report = document.querySelector(".report");
  if (!report) return;
  const all = (selector, within = report) => [...within.querySelectorAll(selector)];
  const one = (selector, within = report) => within.querySelector(selector);
  const make = (tag, className = "", text = "") => Object.assign(document.createElement(tag), { className, textContent: text });
  const duration = Number(report.dataset.duration) || 0;

  const clock = (seconds) => {
    const tenths = Math.round(seconds * 10), whole = Math.floor(tenths / 10);
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}.${tenths % 10}`;
  };
  const exposureOf = (bar) => document.getElementById(bar.getAttribute("href").slice(1));

  /* timeline: hover, choose, keys, zoom, kinds of place */
  const bars = all(".r-bar");
  const inspector = one(".r-inspector");
  const shown = (bar) => !bar.hasAttribute("hidden");
  const laneOf = (bar) => all(".r-bar", bar.closest(".r-lane")).filter(shown);
  all(".r-js, .r-zoom").forEach((element) => { element.hidden = false; });

  const tip = make("div", "r-tip");
  tip.hidden = true;
  report.append(tip);
  const showTip = (bar) => {
    const exposure = exposureOf(bar);
    tip.replaceChildren(make("b", "", exposure.dataset.brand), make("div", "", one("h3", exposure).textContent), make("div", "", one("p", exposure).firstChild.textContent));
    const picture = one("img", exposure);
    if (picture) tip.append(Object.assign(make("img"), { src: picture.getAttribute("src"), alt: "" }));
    tip.hidden = false;
    const at = one(".r-sure", bar).getBoundingClientRect(), size = tip.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left + at.width / 2 - size.width / 2, innerWidth - size.width - 8));
    const above = at.top - size.height - 8;
    Object.assign(tip.style, { left: `${left}px`, top: `${above > 8 ? above : at.bottom + 8}px` });
  };
  const hideTip = () => { tip.hidden = true; };

  const choose = (bar) => {
    const exposure = exposureOf(bar), lane = laneOf(bar), place = lane.indexOf(bar);
    bars.forEach((other) => other.classList.toggle("r-chosen", other === bar));
    const head = make("div", "r-inspector-head");
    head.append(make("b", "", exposure.dataset.brand));
    const step = (label, other) => {
      const button = Object.assign(make("button", "", label), { type: "button", disabled: !other });
      button.addEventListener("click", () => { choose(other); });
      head.append(button);
    };
    step("← Earlier", lane[place - 1]);
    step("Later →", lane[place + 1]);
    head.append(Object.assign(make("a", "", "In the list"), { href: `#${exposure.id}` }));
    const close = Object.assign(make("button", "", "Close"), { type: "button" });
    close.addEventListener("click", () => { inspector.hidden = true; bar.classList.remove("r-chosen"); bar.focus(); });
    head.append(close);
    const body = exposure.cloneNode(true);
    body.removeAttribute("id");
    all("img", body).forEach((image) => { image.loading = "eager"; });
    const holder = make("div", "r-exposure");
    holder.append(...body.childNodes);
    inspector.replaceChildren(head, holder);
    inspector.hidden = false;
  };

  all(".r-lane").forEach((lane) => all(".r-bar", lane).forEach((bar, place) => bar.setAttribute("tabindex", place ? "-1" : "0")));
  bars.forEach((bar) => {
    bar.addEventListener("pointerenter", () => showTip(bar));
    bar.addEventListener("pointerleave", hideTip);
    bar.addEventListener("focus", () => { if (bar.matches(":focus-visible")) showTip(bar); });
    bar.addEventListener("blur", hideTip);
    bar.addEventListener("click", (event) => { event.preventDefault(); hideTip(); choose(bar); });
    bar.addEventListener("keydown", (event) => {
      const lane = laneOf(bar), place = lane.indexOf(bar);
      const target = { ArrowRight: lane[place + 1], ArrowLeft: lane[place - 1], Home: lane[0], End: lane.at(-1) }[event.key];
      if (event.key === " ") { event.preventDefault(); choose(bar); }
      if (!target) return;
      event.preventDefault();
      lane.forEach((other) => other.setAttribute("tabindex", other === target ? "0" : "-1"));
      target.focus();
    });
  });

  /* a bar of half a second in a long match is a hair wide: the nearest one in the lane is meant */
  all(".r-lane").forEach((lane) => lane.addEventListener("click", (event) => {
    if (event.target.closest(".r-bar")) return;
    const away = (bar) => {
      const box = one(".r-sure", bar).getBoundingClientRect();
      return Math.max(box.left - event.clientX, event.clientX - box.right, 0);
    };
    const nearest = all(".r-bar", lane).filter(shown).sort((a, b) => away(a) - away(b))[0];
    if (nearest && away(nearest) < 16) choose(nearest);
  }));

  const canvas = one(".r-canvas"), scroll = one(".r-scroll");
  if (canvas) {
    let zoom = 1;
    const most = Math.max(2, 2 ** Math.ceil(Math.log2(Math.max(1, duration / 20))));
    const setZoom = (wanted, at = 0.5) => {
      const middle = (scroll.scrollLeft + scroll.clientWidth * at) / canvas.clientWidth;
      zoom = Math.min(most, Math.max(1, wanted));
      canvas.style.width = `${zoom * 100}%`;
      canvas.classList.toggle("z1", zoom >= 4);
      canvas.classList.toggle("z2", zoom >= 16);
      one(".r-zoom output").textContent = `${zoom}×`;
      scroll.scrollLeft = middle * canvas.clientWidth - scroll.clientWidth * at;
    };
    one("[data-zoom=in]").addEventListener("click", () => setZoom(zoom * 2));
    one("[data-zoom=out]").addEventListener("click", () => setZoom(zoom / 2));
    const cursor = one(".r-cursor");
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
      cursor.hidden = event.pointerType === "touch";
      cursor.style.left = `${share * 100}%`;
      cursor.classList.toggle("r-left", share > 0.85);
      cursor.firstElementChild.textContent = clock(share * duration);
    });
    canvas.addEventListener("pointerleave", () => { cursor.hidden = true; });
  }

  all(".r-chip").forEach((chip) => chip.addEventListener("click", () => {
    const on = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", String(on));
    all(`[data-placement="${chip.dataset.placement}"]`).forEach((element) => {
      if (element !== chip) element.toggleAttribute("hidden", !on);
    });
  }));

  /* tables */
  all("table[data-sortable]").forEach((table) => {
    const body = table.tBodies[0];
    all("th[data-key]", table).forEach((header) => {
      const button = Object.assign(make("button", "", header.textContent), { type: "button" });
      header.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = header.getAttribute("aria-sort") === "descending" || (header.dataset.key === "name" && !header.hasAttribute("aria-sort"));
        all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
        header.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = header.dataset.key;
        const compare = (a, b) => (key === "name" ? a.dataset.name.localeCompare(b.dataset.name) : a.dataset[key] - b.dataset[key]);
        body.append(...[...body.rows].sort((a, b) => (up ? compare(a, b) : compare(b, a))));
      });
    });
  });

  /* pictures, large: the whole frame with the box where there is one, else the crop */
  const viewer = one(".r-viewer"), stage = one(".r-viewer-stage");
  let row = [], current = 0;
  const svg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    return element;
  };
  const view = (place) => {
    current = (place + row.length) % row.length;
    const link = row[current], small = one("img", link);
    const holder = make("div");
    const image = Object.assign(make("img", link.dataset.frame ? "" : "r-enlarged"), { src: link.href, alt: small.alt });
    holder.append(image);
    if (link.dataset.frame) {
      const [x, y, width, height] = link.dataset.box.split(" ");
      const overlay = svg("svg", { viewBox: `0 0 ${report.dataset.width} ${report.dataset.height}`, preserveAspectRatio: "none" });
      overlay.append(svg("rect", { x, y, width, height }));
      holder.append(overlay);
    }
    stage.replaceChildren(holder);
    one(".r-viewer-text").textContent = small.alt;
    all("[data-step]", viewer).forEach((button) => { button.hidden = row.length < 2; });
  };
  report.addEventListener("click", (event) => {
    const link = event.target.closest(".r-crop");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    row = all(".r-crop", link.closest(".r-pictures, .r-candidates"));
    view(row.indexOf(link));
    viewer.showModal();
  });
  all("[data-step]", viewer).forEach((button) => button.addEventListener("click", () => view(current + Number(button.dataset.step))));
  one("[data-close]", viewer).addEventListener("click", () => viewer.close());
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) view(current + step);
  });

  /* a link to an exposure opens the list it is in; paper shows everything */
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !report.contains(target)) return;
    const details = target.closest("details");
    if (details) details.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => all("details").forEach((details) => { details.open = true; }));
})();

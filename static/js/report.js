/* The report's page is complete without this script; with it tables sort and filter, pictures open large, chosen
   exposures show their evidence below the timeline, and a picture that is gone says so. */
(() => {
  "use strict";
  const report = document.querySelector(".report[data-width]");
  if (!report) return;
  const all = (selector, within = report) => [...within.querySelectorAll(selector)];
  const one = (selector, within = report) => within.querySelector(selector);
  const make = (tag, className = "", text = "") => Object.assign(document.createElement(tag), { className, textContent: text });
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
  all(".r-js").forEach((element) => { element.hidden = false; });

  /* a picture whose frame is no longer stored */
  const gone = (image) => {
    if (image.closest(".r-gone")) return;
    const place = make("span", "r-gone", image.classList.contains("r-thumb") ? "" : "Picture no longer stored");
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", image.alt ? `${image.alt}: picture no longer stored` : "Picture no longer stored");
    if (image.classList.contains("r-thumb")) place.classList.add("r-thumb");
    image.replaceWith(place);
  };
  const lost = (image) => image.complete && !image.naturalWidth && image.currentSrc;
  report.addEventListener("error", (event) => { if (event.target.tagName === "IMG") gone(event.target); }, true);
  all("img").filter(lost).forEach(gone);

  /* evidence of the exposure that was chosen on the timeline */
  const section = one(".r-time"), inspector = one(".r-inspector");
  if (inspector) {
    const title = one("b", inspector), body = one(".r-inspector-body", inspector), inList = one("a", inspector);
    const [earlier, later] = all("[data-step]", inspector);
    let now = null;
    const fill = async ({ brand, exposure }) => {
      const here = document.getElementById(`e-${brand}-${exposure}`), address = section.dataset.exposure;
      if (here) {
        const copy = make("div", "r-exposure");
        copy.append(...here.cloneNode(true).childNodes);
        all("img", copy).forEach((image) => { image.loading = "eager"; });
        body.replaceChildren(copy);
      } else if (address) {
        body.setAttribute("aria-busy", "true");
        await window.htmx.ajax("GET", address.replace("/brands/0/exposures/0", `/brands/${brand}/exposures/${exposure}`), { source: body, target: body, swap: "innerHTML" });
        body.removeAttribute("aria-busy");
      }
    };
    document.addEventListener("timeline:choose", ({ detail }) => {
      now = detail;
      title.textContent = `${detail.name} · ${detail.title}`;
      title.dir = "auto";
      earlier.disabled = detail.exposure === 0;
      later.disabled = detail.exposure === detail.last;
      inList.href = `#e-${detail.brand}-${detail.exposure}`;
      inspector.hidden = false;
      fill(detail);
      if (detail.focus) title.focus();
      else if (inspector.getBoundingClientRect().top > innerHeight - 160) inspector.scrollIntoView({ block: "nearest" });
    });
    const close = (focus) => { inspector.hidden = true; now = null; tell("timeline:close", { focus }); };
    inspector.addEventListener("click", ({ target }) => {
      const step = Number(target.dataset.step);
      if (step) tell("timeline:open", { brand: now.brand, exposure: now.exposure + step });
      if ("close" in target.dataset) close(true);
    });
    inspector.addEventListener("keydown", (event) => { if (event.key === "Escape") close(true); });
  }

  /* from evidence to the video, where there is a player */
  const player = document.getElementById("player");
  if (player) {
    report.classList.add("r-with-player");
    report.addEventListener("click", ({ target }) => {
      if (!target.dataset?.seek) return;
      tell("player:seek", { time: Number(target.dataset.seek), play: true });
      player.scrollIntoView({ block: "nearest" });
    });
  }

  /* tables: order, and a filter where there are many brands */
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
  const filter = one("#r-filter");
  if (filter) {
    const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    const named = all("#r-brands tbody tr, .r-brand").map((element) => [element, plain(element.dataset.name)]);
    const rows = all("#r-brands tbody tr").length;
    filter.addEventListener("input", () => {
      const wanted = plain(filter.value.trim());
      let shown = 0;
      named.forEach(([element, name]) => {
        element.hidden = !name.includes(wanted);
        if (!element.hidden && element.tagName === "TR") shown += 1;
      });
      one("#r-filter-said").textContent = wanted ? `${shown} of ${rows}` : "";
    });
  }

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
    const link = row[current], small = one("img, .r-gone", link), told = small.alt ?? small.getAttribute("aria-label");
    const holder = make("div");
    holder.append(Object.assign(make("img", link.dataset.frame ? "" : "r-enlarged"), { src: link.href, alt: told }));
    if (link.dataset.frame) {
      const [x, y, width, height] = link.dataset.box.split(" ");
      const overlay = svg("svg", { viewBox: `0 0 ${report.dataset.width} ${report.dataset.height}`, preserveAspectRatio: "none" });
      overlay.append(svg("rect", { x, y, width, height }));
      holder.append(overlay);
    }
    stage.replaceChildren(holder);
    one(".r-viewer-text").textContent = told;
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

  /* lists of exposures come when they are opened; a link to an exposure opens its list on the page it is on */
  const load = async (pages, query = "") => {
    pages.dataset.loaded = "yes";
    // asked for by the list itself: what one element asks for waits for what it asked before
    await window.htmx.ajax("GET", pages.dataset.pages + query, { source: pages, target: pages, swap: "innerHTML" });
  };
  report.addEventListener("toggle", ({ target }) => {
    const pages = target.open && target.matches(".r-brand") && one(".r-pages", target);
    if (pages && !pages.dataset.loaded) load(pages);
  }, true);
  const reveal = async () => {
    const found = /^#[be]-(\d+)(?:-(\d+))?$/.exec(location.hash), details = found && document.getElementById(`b-${found[1]}`);
    if (!details) return;
    const pages = one(".r-pages", details), wanted = location.hash.slice(1);
    if (found[2] && pages && !document.getElementById(wanted)) await load(pages, `?at=${found[2]}`);
    details.hidden = false;
    details.open = true;
    (document.getElementById(wanted) || details).scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) addEventListener("load", reveal);
  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(name, ({ detail }) => { if (report.contains(detail.target)) detail.target.textContent = "This could not be loaded. Reload the page to try again."; });
  }
  addEventListener("beforeprint", () => all("details.r-brand:has(.r-exposure)").forEach((details) => { details.open = true; }));
})();

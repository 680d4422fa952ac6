/* Trying one stage on a frame while its sliders move: asks POST /detect/replay-stage and draws what it finds. */

import { count, mark, overrides, set } from "./options.js";

const page = document.getElementById("tune");

if (page) {
  const setup = JSON.parse(document.getElementById("tune-setup").textContent);
  const form = document.getElementById("replay"), strip = document.getElementById("strip");
  const by = (id) => document.getElementById(id);
  const frame = by("frame"), overlay = by("overlay"), svg = by("regions");
  const token = form.elements.csrfmiddlewaretoken.value;
  const all = [...strip.querySelectorAll(".frame")];
  const sequenceOf = (button) => Number(button.dataset.sequence);
  let chosen = all.find((button) => button.getAttribute("aria-selected") === "true") || all[0];
  const before = new Map(); // what the job's own settings find, by frame
  let now = null;

  async function ask(frames, options, debug, signal) {
    const began = performance.now();
    const response = await fetch(setup.address, {
      method: "POST",
      credentials: "same-origin",
      signal,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ job_id: setup.job, stage: setup.stage, frame_refs: frames, config_overrides: options, debug }),
    });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(body.detail || `The server answered ${response.status}.`);
    return { ...body, milliseconds: performance.now() - began };
  }
  const changed = () => overrides(form)[setup.stage] || {};
  const isChanged = () => Object.keys(changed()).length > 0;
  const view = () => page.querySelector("[name=view]:checked").value;
  const complain = (text) => {
    by("tune-error").textContent = text;
    by("tune-error").hidden = !text;
  };

  /* drawing */
  const ns = "http://www.w3.org/2000/svg";
  const svgOf = (tag, attributes, text = "") => {
    const element = document.createElementNS(ns, tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.textContent = text;
    return element;
  };
  const [width, height] = svg.getAttribute("viewBox").split(" ").slice(2).map(Number);
  const size = Math.max(11, Math.round(width / 62));
  function box(region, kind) {
    return svgOf("rect", { x: region.x, y: region.y, width: region.w, height: region.h, class: kind });
  }
  function draw() {
    const sequence = String(sequenceOf(chosen));
    const found = now?.regions_by_frame[sequence] || [], was = before.get(sequence)?.regions_by_frame[sequence] || [];
    const pieces = [];
    if (by("show-before").checked && isChanged()) pieces.push(...was.map((region) => box(region, "before")));
    if (by("show-regions").checked) {
      for (const region of found) {
        pieces.push(box(region, "after"));
        if (region.label && setup.stage !== "detect_edges") {
          const label = region.label.length > 26 ? `${region.label.slice(0, 25)}…` : region.label;
          pieces.push(svgOf("text", { x: region.x, y: Math.max(size, region.y - 5), "font-size": size }, label));
        }
      }
    }
    svg.replaceChildren(...pieces);
    const debug = now?.debug?.[sequence], shown = view();
    overlay.hidden = shown === "picture" || !debug;
    if (!overlay.hidden) overlay.src = `data:image/jpeg;base64,${shown === "edges" ? debug.edge_overlay_b64 : debug.lines_overlay_b64}`;
    by("count-here").textContent = now ? found.length : "–";
    by("count-before").textContent = before.has(sequence) ? was.length : "–";
    page.querySelectorAll("[data-debug]").forEach((figure) => { figure.hidden = !debug; });
    if (debug) {
      by("count-lines").textContent = debug.horizontal_count;
      by("count-pairs").textContent = debug.pair_count;
    }
    list(found, was);
  }
  function list(found, was) {
    const known = new Set(was.map((region) => region.label));
    const labelled = setup.stage === "detect_edges" ? [] : found;
    by("found").replaceChildren(...labelled.map((region) => {
      const item = document.createElement("li"), name = document.createElement("b"), sure = document.createElement("span");
      name.textContent = region.label || "–";
      sure.textContent = `${Math.round(region.confidence * 100)} %`;
      item.append(name, sure);
      item.classList.toggle("fresh", isChanged() && !known.has(region.label));
      return item;
    }));
  }

  /* asking: the newest question counts, those before it are dropped */
  let running = null, timer = null, slow = null;
  async function run() {
    clearTimeout(timer);
    running?.abort();
    const mine = (running = new AbortController());
    const sequence = sequenceOf(chosen), options = changed(), debug = setup.overlays && view() !== "picture";
    page.classList.add("busy");
    clearTimeout(slow);
    slow = setTimeout(() => { by("tune-time").textContent = "working: the first time, models are loaded"; }, 1200);
    try {
      const answer = await ask([sequence], options, debug, mine.signal);
      now = answer;
      if (!Object.keys(options).length) before.set(String(sequence), answer);
      clearTimeout(slow);
      by("tune-time").textContent = `${Math.round(answer.milliseconds)} ms`;
      complain("");
      draw();
      badge(chosen, answer.region_count);
      if (!before.has(String(sequence))) {
        before.set(String(sequence), await ask([sequence], {}, false, mine.signal));
        draw();
      }
      page.classList.remove("busy");
    } catch (error) {
      if (error.name === "AbortError") return;
      clearTimeout(slow);
      by("tune-time").textContent = "";
      page.classList.remove("busy");
      complain(error.message);
    }
  }
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(run, setup.pause);
    stale();
  };

  /* the strip: counts of all frames, with these settings and with the job's own */
  const badge = (button, number) => {
    const tag = button.querySelector(".frame-count"), was = before.get(button.dataset.sequence)?.region_count;
    tag.hidden = false;
    tag.textContent = was === undefined || was === number ? number : `${was} → ${number}`;
    tag.classList.toggle("differs", was !== undefined && was !== number);
  };
  const countsOf = (answer) => new Map(Object.entries(answer.regions_by_frame).map(([sequence, found]) => [sequence, found.length]));
  let stripRun = null, stripTimer = null;
  async function runStrip() {
    clearTimeout(stripTimer);
    stripRun?.abort();
    const mine = (stripRun = new AbortController()), button = by("run-strip"), sequences = all.map(sequenceOf);
    button.disabled = true;
    button.textContent = "Counting…";
    try {
      const missing = sequences.filter((sequence) => !before.has(String(sequence)));
      if (missing.length) {
        const own = await ask(missing, {}, false, mine.signal);
        for (const [sequence, found] of Object.entries(own.regions_by_frame)) {
          before.set(sequence, { regions_by_frame: { [sequence]: found }, region_count: found.length });
        }
      }
      const options = changed();
      const counts = Object.keys(options).length
        ? countsOf(await ask(sequences, options, false, mine.signal))
        : new Map(sequences.map((sequence) => [String(sequence), before.get(String(sequence)).region_count]));
      all.forEach((frameButton) => badge(frameButton, counts.get(frameButton.dataset.sequence) ?? 0));
      const sum = (numbers) => [...numbers].reduce((total, number) => total + number, 0);
      const total = sum(counts.values()), was = sum(sequences.map((sequence) => before.get(String(sequence)).region_count));
      by("count-all").textContent = total === was ? total : `${was} → ${total}`;
      strip.classList.remove("stale");
      draw();
    } catch (error) {
      if (error.name !== "AbortError") complain(error.message);
    }
    if (stripRun === mine) {
      button.disabled = false;
      button.textContent = "Count on all of them";
    }
  }
  function stale() {
    strip.classList.add("stale");
    if (!setup.eager) return;
    clearTimeout(stripTimer);
    stripTimer = setTimeout(runStrip, 900);
  }
  by("run-strip").addEventListener("click", runStrip);

  function choose(button, { focus = false } = {}) {
    chosen = button;
    for (const other of all) {
      other.setAttribute("aria-selected", String(other === button));
      other.tabIndex = other === button ? 0 : -1;
    }
    if (focus) button.focus();
    button.scrollIntoView({ block: "nearest", inline: "nearest" });
    frame.src = button.dataset.address;
    now = null;
    overlay.hidden = true;
    svg.replaceChildren();
    const place = new URL(location.href);
    place.searchParams.set("frame", button.dataset.sequence);
    history.replaceState(null, "", place);
    run();
  }
  strip.addEventListener("click", (event) => {
    const button = event.target.closest(".frame");
    if (button) choose(button);
  });
  strip.addEventListener("keydown", (event) => {
    const at = all.indexOf(chosen);
    const target = { ArrowRight: all[at + 1], ArrowLeft: all[at - 1], Home: all[0], End: all.at(-1) }[event.key];
    if (!target) return;
    event.preventDefault();
    choose(target, { focus: true });
  });

  /* settings */
  const resetAll = by("reset-all");
  const react = (event) => {
    if (!event.target.closest?.(".option")) return;
    resetAll.hidden = !isChanged();
    soon();
  };
  form.addEventListener("input", react);
  form.addEventListener("change", react);
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-reset]")) setTimeout(() => { resetAll.hidden = !isChanged(); soon(); }, 0);
  });
  resetAll.addEventListener("click", () => {
    for (const option of form.querySelectorAll(".option")) {
      set(option, option.dataset.default);
      mark(option);
    }
    count(form);
    resetAll.hidden = true;
    form.querySelector(".option input:not([type=hidden])")?.dispatchEvent(new Event("input", { bubbles: true }));
  });
  page.querySelectorAll("[name=view]").forEach((radio) => radio.addEventListener("change", () => {
    if (radio.value !== "picture" && !now?.debug?.[chosen.dataset.sequence]) run();
    else draw();
  }));
  by("show-regions").addEventListener("change", draw);
  by("show-before").addEventListener("change", draw);
  document.querySelectorAll("[data-keep-frame]").forEach((link) => link.addEventListener("click", () => {
    const address = new URL(link.href);
    address.searchParams.set("frame", chosen.dataset.sequence);
    link.href = address;
  }));

  run();
  if (setup.eager) stripTimer = setTimeout(runStrip, 600);
}

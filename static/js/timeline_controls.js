/* Hands and eyes of the timeline: wheel, drag, pinch, keys, the strip, what is under the pointer, and the player's time.
   It asks the player to go somewhere with `player:seek` {time, play} and follows its `player:time` {time, playing}; a
   chosen exposure is told as `timeline:choose` {brand, exposure, name, title, last, focus}. */
(() => {
  "use strict";
  const timeline = window.reportTimeline;
  if (!timeline) return;
  const { section, stage, scroller, area, strip, duration, lanes, view, hidden, x, time, clock, look, repaint } = timeline;
  const one = (selector) => section.querySelector(selector);
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
  const span = () => view.to - view.from;
  const zoomed = () => span() < duration - 1e-6;
  const NEAR = 12, CLICK = 5, AWAY = 2500;

  /* zoom */
  const zoom = one(".r-zoom"), shown = one(".r-zoom output");
  zoom.hidden = false;
  const zoomBy = (factor, at = timeline.width / 2) => {
    const held = time(at), next = Math.min(duration, Math.max(timeline.shortest, span() * factor));
    look(held - (at / timeline.width) * next, held + (1 - at / timeline.width) * next);
  };
  zoom.addEventListener("click", (event) => {
    const asked = event.target.dataset.zoom;
    if (asked === "all") look(0, duration);
    else if (asked) zoomBy(asked === "in" ? 0.5 : 2);
  });
  timeline.onPaint(() => {
    const times = duration / span();
    shown.textContent = `${times < 10 ? Math.round(times * 10) / 10 : Math.round(times)}×`;
    zoom.querySelector("[data-zoom=out]").disabled = zoom.querySelector("[data-zoom=all]").disabled = !zoomed();
    zoom.querySelector("[data-zoom=in]").disabled = span() <= timeline.shortest + 1e-6;
    for (const element of [area, strip.parentElement]) element.classList.toggle("r-zoomed", zoomed());
  });

  let touched = 0;
  stage.addEventListener("wheel", (event) => {
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const at = event.clientX - area.getBoundingClientRect().left;
    touched = Date.now();
    if (event.ctrlKey || event.metaKey || event.altKey) {
      event.preventDefault();
      zoomBy(Math.exp(Math.max(-60, Math.min(60, event.deltaY * unit)) * 0.01), Math.max(0, Math.min(timeline.width, at)));
      return;
    }
    const across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
    if (!zoomed() || Math.abs(across) <= (event.shiftKey ? 0 : Math.abs(event.deltaY))) return;
    event.preventDefault();
    const by = across * unit / timeline.width * span();
    look(view.from + by, view.to + by);
  }, { passive: false });

  /* what is at a place: the nearest bar of the lane */
  const exposureAt = (clientX, clientY) => {
    const box = area.getBoundingClientRect(), lane = timeline.laneAt(clientY - box.top), at = clientX - box.left;
    if (!lane || clientY - box.top > lane.top + lane.height) return null;
    const low = time(at - NEAR), high = time(at + NEAR);
    let best = null;
    for (let place = timeline.firstAt(lane, low); place < lane.count && lane.start[place] <= high; place += 1) {
      if (hidden.has(lane.kind[place])) continue;
      const across = Math.max(x(lane.start[place]) - at, at - x(lane.end[place]), 0);
      const top = timeline.rowTop(lane, lane.kind[place]), down = Math.max(top - (clientY - box.top), clientY - box.top - top - 9, 0);
      if (across <= NEAR && (!best || across + down < best.far)) best = { lane, place, far: across + down };
    }
    return best;
  };

  /* choosing one: told to the player, to the list of evidence, and aloud */
  const said = one("#r-timeline-said");
  const titleOf = ({ lane, place }) => `${clock(lane.start[place])} to ${clock(lane.end[place])}, ${timeline.word(lane, place)}`;
  const sayAs = ({ lane, place }) => `${lane.name}, ${titleOf({ lane, place })}. Exposure ${place + 1} of ${lane.count}.`;
  const keepInView = ({ lane, place }) => {
    const [start, end] = [lane.start[place], lane.end[place]];
    if (end < view.from || start > view.to) look((start + end - span()) / 2, (start + end + span()) / 2);
    const head = 26, room = scroller.clientHeight - head;
    if (lane.top < scroller.scrollTop) scroller.scrollTop = lane.top;
    else if (lane.top + lane.height > scroller.scrollTop + room) scroller.scrollTop = lane.top + lane.height - room;
  };
  const pick = (found) => { timeline.choose(found.lane, found.place); keepInView(found); said.textContent = sayAs(found); };
  const open = (found, { at = found.lane.start[found.place], focus = false } = {}) => {
    pick(found);
    const { lane, place } = found;
    tell("player:seek", { time: Math.max(lane.start[place], Math.min(lane.end[place], at)), play: false });
    tell("timeline:choose", { brand: lane.number, exposure: place, name: lane.name, title: titleOf(found), last: lane.count - 1, focus });
  };
  document.addEventListener("timeline:open", ({ detail }) => {
    const lane = lanes[detail.brand];
    if (lane && detail.exposure >= 0 && detail.exposure < lane.count) open({ lane, place: detail.exposure }, { focus: detail.focus });
  });
  document.addEventListener("timeline:close", ({ detail }) => { timeline.choose(null); if (detail?.focus) area.focus(); });

  /* pointers: one drags or clicks, two pinch */
  const pointers = new Map();
  let drag = null;
  area.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, event.clientX);
    drag = { at: event.clientX, down: event.clientY, from: view.from, moved: pointers.size > 1 };
  });
  area.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) { hover(event); return; }
    const box = area.getBoundingClientRect(), before = [...pointers.values()];
    pointers.set(event.pointerId, event.clientX);
    touched = Date.now();
    if (pointers.size === 2) {
      const now = [...pointers.values()], was = Math.abs(before[0] - before[1]), is = Math.abs(now[0] - now[1]);
      const middle = (now[0] + now[1]) / 2 - box.left, shift = (now[0] + now[1] - before[0] - before[1]) / 2;
      const by = -shift / timeline.width * span();
      look(view.from + by, view.to + by);
      if (was > 8 && is > 8) zoomBy(was / is, middle);
      drag.moved = true;
      return;
    }
    if (!drag.moved && Math.hypot(event.clientX - drag.at, event.clientY - drag.down) < CLICK) return;
    if (!drag.moved) { drag.moved = true; hideTip(); area.setPointerCapture(event.pointerId); area.classList.add("r-dragged"); }
    const wide = span(), from = drag.from - (event.clientX - drag.at) / timeline.width * wide;
    look(from, from + wide);
  });
  const up = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    area.classList.remove("r-dragged");
    if (event.type === "pointerup" && drag && !drag.moved) {
      const found = exposureAt(event.clientX, event.clientY), at = time(event.clientX - area.getBoundingClientRect().left);
      if (found) open(found, { at });
      else tell("player:seek", { time: Math.max(0, Math.min(duration, at)), play: false });
    }
    if (pointers.size === 1) drag = { at: [...pointers.values()][0], down: 0, from: view.from, moved: true };
    if (!pointers.size) drag = null;
  };
  area.addEventListener("pointerup", up);
  area.addEventListener("pointercancel", up);

  /* under the pointer */
  const tip = one(".r-tip"), cursor = one(".r-cursor");
  const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text, dir: "auto" });
  const hideTip = () => { tip.hidden = true; cursor.hidden = true; };
  const hover = (event) => {
    if (event.pointerType === "touch") return;
    const box = area.getBoundingClientRect(), at = event.clientX - box.left, found = exposureAt(event.clientX, event.clientY);
    cursor.hidden = false;
    cursor.style.transform = `translateX(${at}px)`;
    cursor.classList.toggle("r-left", at > box.width - 90);
    cursor.firstElementChild.style.top = `${scroller.scrollTop + 2}px`;
    cursor.firstElementChild.textContent = clock(time(at));
    area.classList.toggle("r-over", Boolean(found));
    tip.hidden = !found;
    if (!found) return;
    const { lane, place } = found;
    const unsure = `± ${lane.before[place].toFixed(2)} s and ± ${lane.after[place].toFixed(2)} s`;
    tip.replaceChildren(line("b", lane.name), line("span", titleOf(found)), line("span", `${(lane.end[place] - lane.start[place]).toFixed(1)} s, edges ${unsure}`));
    const size = tip.getBoundingClientRect(), above = event.clientY - size.height - 14;
    tip.style.left = `${Math.max(8, Math.min(event.clientX - size.width / 2, innerWidth - size.width - 8))}px`;
    tip.style.top = `${above > 8 ? above : event.clientY + 18}px`;
  };
  area.addEventListener("pointerleave", hideTip);
  addEventListener("scroll", hideTip, { passive: true });

  /* keys: along a lane, from lane to lane at the same time, closer and farther */
  const nearest = (lane, seconds) => {
    let best = null;
    for (let place = 0; place < lane.count; place += 1) {
      if (hidden.has(lane.kind[place])) continue;
      const far = Math.max(lane.start[place] - seconds, seconds - lane.end[place], 0);
      if (!best || far < best.far) best = { lane, place, far };
    }
    return best;
  };
  const along = (lane, place, by) => {
    for (let next = place + by; next >= 0 && next < lane.count; next += by) if (!hidden.has(lane.kind[next])) return { lane, place: next };
    return null;
  };
  const down = (lane, seconds, by) => {
    for (let n = lane.number + by; n >= 0 && n < lanes.length; n += by) {
      const found = nearest(lanes[n], seconds);
      if (found) return found;
    }
    return null;
  };
  const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };
  const stepTo = (key) => {
    const now = timeline.chosen;
    if (!now) return nearest(lanes[0], view.from) || down(lanes[0], view.from, 1);
    if (key === "Home") return along(now.lane, -1, 1);
    if (key === "End") return along(now.lane, now.lane.count, -1);
    return key === "ArrowRight" || key === "ArrowLeft" ? along(now.lane, now.place, STEPS[key]) : down(now.lane, now.lane.start[now.place], STEPS[key]);
  };
  area.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const now = timeline.chosen, keys = {
      "+": () => zoomBy(0.5, now ? x(now.lane.start[now.place]) : undefined), "=": () => zoomBy(0.5), "-": () => zoomBy(2), "0": () => look(0, duration),
      PageDown: () => look(view.from + span() * 0.8, view.to + span() * 0.8), PageUp: () => look(view.from - span() * 0.8, view.to - span() * 0.8),
      Enter: () => now && open(now, { focus: true }), " ": () => now && open(now),
    };
    const moves = event.key in STEPS || event.key === "Home" || event.key === "End";
    if (!moves && !(event.key in keys)) return;
    event.preventDefault();
    touched = Date.now();
    if (!moves) { keys[event.key](); return; }
    const next = stepTo(event.key);
    if (next) pick(next); else if (now) said.textContent = `${sayAs(now)} There is no other in this direction.`;
  });
  area.addEventListener("focus", () => { if (timeline.chosen) said.textContent = sayAs(timeline.chosen); });

  /* kinds of place */
  section.querySelectorAll(".r-chip").forEach((chip, kind) => chip.addEventListener("click", () => {
    const on = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", String(on));
    if (on) hidden.delete(kind); else hidden.add(kind);
    repaint(true);
  }));

  /* the strip: what part of the video is in view */
  const overview = strip.parentElement, part = one(".r-window");
  timeline.onPaint(() => {
    const wide = overview.clientWidth / duration;
    part.style.transform = `translateX(${view.from * wide}px)`;
    part.style.width = `${Math.max(6, span() * wide)}px`;
    placeHeads();
  });
  let held = null;
  const slide = (event) => {
    const at = (event.clientX - overview.getBoundingClientRect().left) / overview.clientWidth * duration;
    touched = Date.now();
    look(at - held * span(), at - held * span() + span());
  };
  overview.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const at = (event.clientX - overview.getBoundingClientRect().left) / overview.clientWidth * duration;
    held = at >= view.from && at <= view.to && zoomed() ? (at - view.from) / span() : 0.5;
    if (!zoomed()) tell("player:seek", { time: at, play: false });
    overview.setPointerCapture(event.pointerId);
    slide(event);
  });
  overview.addEventListener("pointermove", (event) => { if (held !== null) slide(event); });
  for (const name of ["pointerup", "pointercancel"]) overview.addEventListener(name, () => { held = null; });

  /* the player's time; while it plays and nobody is looking elsewhere, the view goes along */
  const heads = [area, overview].map((parent) => parent.querySelector(".r-playhead"));
  let playing = null;
  const placeHeads = () => {
    if (playing === null) return;
    heads[0].hidden = playing < view.from || playing > view.to;
    heads[1].hidden = false;
    heads[0].style.transform = `translateX(${x(playing)}px)`;
    heads[1].style.transform = `translateX(${playing / duration * overview.clientWidth}px)`;
  };
  document.addEventListener("player:time", ({ detail }) => {
    if (!Number.isFinite(detail.time)) return;
    const ahead = detail.time > view.to || detail.time < view.from;
    playing = Math.min(duration, Math.max(0, detail.time));
    if (detail.playing && zoomed() && ahead && Date.now() - touched > AWAY) look(playing - span() * 0.1, playing + span() * 0.9);
    else placeHeads();
  });
})();

/* The timeline of a report: a lane a brand, a bar an exposure, drawn on canvas. Bars that fall on the same pixel are one
   bar, so that a frame takes as long as there are pixels, whatever the number of exposures. `window.reportTimeline` is
   what timeline_controls.js and report.js work with; without this script tables and lists say the same. */
(() => {
  "use strict";
  const section = document.querySelector(".r-time"), source = document.getElementById("timeline-data");
  if (!section || !source) return;

  const ROW = 12, BAR = 9, PADDING = 10, LEAST_LANE = 26, LEAST_BAR = 1.5, FIVE = 5;
  const one = (selector) => section.querySelector(selector);
  const stage = one(".r-stage"), scroller = one(".r-lanes"), names = one(".r-names"), area = one(".r-canvas");
  const canvas = area.querySelector("canvas"), axis = one(".r-axis canvas"), strip = one(".r-overview canvas");
  const data = JSON.parse(source.textContent);
  const duration = Math.max(0.04, data.duration), shortest = Math.min(duration, 2);

  /* lanes: arrays of seconds in the order of starts, so that what is in view is found by halving */
  let below = 0;
  const lanes = data.lanes.map(({ name, seconds, confirmed, spans }, number) => {
    const count = spans.length / FIVE;
    const lane = {
      name, seconds, confirmed, number, count, top: below, longest: 0,
      start: new Float64Array(count), end: new Float64Array(count), reach: new Float64Array(count),
      before: new Float32Array(count), after: new Float32Array(count), kind: new Uint8Array(count), rows: new Map(),
    };
    let at = 0, reached = 0;
    for (let i = 0; i < count; i += 1) {
      const [gap, length, before, after, kind] = spans.slice(i * FIVE, i * FIVE + FIVE);
      at += gap;
      lane.start[i] = at / 1000;
      lane.end[i] = (at + length) / 1000;
      lane.before[i] = before / 1000;
      lane.after[i] = after / 1000;
      lane.kind[i] = kind;
      reached = Math.max(reached, lane.end[i] + lane.after[i]);
      lane.reach[i] = reached;
      lane.longest = Math.max(lane.longest, lane.before[i]);
    }
    [...new Set(lane.kind)].sort((a, b) => a - b).forEach((kind, row) => lane.rows.set(kind, row));
    lane.height = Math.max(LEAST_LANE, lane.rows.size * ROW + PADDING);
    below += lane.height;
    return lane;
  });
  const whole = below;

  /* the first exposure of a lane that may reach `seconds` */
  const firstAt = (lane, seconds) => {
    let low = 0, high = lane.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lane.reach[middle] < seconds) low = middle + 1; else high = middle;
    }
    return low;
  };
  const laneAt = (y) => {
    let low = 0, high = lanes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (lanes[middle].top <= y) low = middle; else high = middle - 1;
    }
    return lanes[low];
  };
  const rowTop = (lane, kind) => {
    const room = lane.height - lane.rows.size * ROW;
    return lane.top + room / 2 + lane.rows.get(kind) * ROW + (ROW - BAR) / 2;
  };

  /* colours follow light and dark; only an element knows what a custom property comes to */
  const hidden = new Set(), colours = {};
  const readColours = () => {
    colours.kinds = [...section.querySelectorAll(".r-chip i")].map((chip) => getComputedStyle(chip).color);
    const style = getComputedStyle(area);
    colours.line = style.borderTopColor;
    colours.text = style.color;
    colours.muted = getComputedStyle(one(".r-corner")).color;
    colours.font = getComputedStyle(one(".r-corner")).font;
  };

  const view = { from: 0, to: duration };
  let width = 1, chosen = null;
  const x = (seconds) => (seconds - view.from) / (view.to - view.from) * width;
  const time = (at) => view.from + at / width * (view.to - view.from);

  const sized = (element, wide, high, dots) => {
    const [w, h] = [Math.max(1, Math.round(wide * dots)), Math.max(1, Math.round(high * dots))];
    if (element.width !== w || element.height !== h) {
      Object.assign(element, { width: w, height: h });
      Object.assign(element.style, { width: `${wide}px`, height: `${high}px` });
    }
    const context = element.getContext("2d");
    context.setTransform(dots, 0, 0, dots, 0, 0);
    context.clearRect(0, 0, wide, high);
    return context;
  };

  /* bars of one lane that are in view, those on the same pixels joined: into(kind, left, right, top) */
  const joined = (lane, from, to, scale, pixel, into) => {
    const runs = [];
    const flush = (kind) => { const run = runs[kind]; if (run) into(kind, run[0], run[1]); };
    for (let i = firstAt(lane, from); i < lane.count && lane.start[i] - lane.longest <= to; i += 1) {
      const kind = lane.kind[i];
      if (lane.end[i] + lane.after[i] < from || hidden.has(kind)) continue;
      const left = (lane.start[i] - from) * scale, right = Math.max(left + LEAST_BAR, (lane.end[i] - from) * scale);
      const run = runs[kind];
      if (run && left <= run[1] + pixel) run[1] = Math.max(run[1], right);
      else { flush(kind); runs[kind] = [left, right]; }
    }
    runs.forEach((_, kind) => flush(kind));
  };

  const drawLanes = (dots) => {
    const room = scroller.clientHeight, drawnTop = Math.max(0, Math.min(scroller.scrollTop - room, whole - 3 * room));
    const drawnHeight = Math.min(whole - drawnTop, 3 * room);
    const context = sized(canvas, width, drawnHeight, dots);
    canvas.style.transform = `translateY(${drawnTop}px)`;
    canvas.dataset.top = drawnTop;
    context.translate(0, -drawnTop);
    const scale = width / (view.to - view.from), pixel = 1 / dots;
    const sure = data.kinds.map(() => new Path2D()), unsure = data.kinds.map(() => new Path2D()), lines = new Path2D();
    for (let n = laneAt(drawnTop).number; n < lanes.length && lanes[n].top < drawnTop + drawnHeight; n += 1) {
      const lane = lanes[n];
      lines.rect(0, lane.top, width, pixel);
      joined(lane, view.from, view.to, scale, pixel, (kind, left, right) => {
        const top = rowTop(lane, kind);
        if (right - left < 6) sure[kind].rect(left, top, right - left, BAR);
        else sure[kind].roundRect(left, top, right - left, BAR, 2);
      });
      if (lane.longest * scale < 0.7) continue; // far out, how far an edge may be off is less than a pixel
      for (let i = firstAt(lane, view.from); i < lane.count && lane.start[i] - lane.longest <= view.to; i += 1) {
        const kind = lane.kind[i];
        if (hidden.has(kind)) continue;
        const top = rowTop(lane, kind), left = Math.max(0, lane.start[i] - lane.before[i]), right = lane.end[i] + lane.after[i];
        unsure[kind].rect(x(left), top, (right - left) * scale, BAR);
      }
    }
    drawTicks(context, dots, (at) => lines.rect(Math.round(at * dots) / dots, drawnTop, pixel, drawnHeight));
    context.fillStyle = colours.line;
    context.fill(lines);
    data.kinds.forEach((_, kind) => {
      context.fillStyle = colours.kinds[kind];
      context.globalAlpha = 0.3;
      context.fill(unsure[kind]);
      context.globalAlpha = 1;
      context.fill(sure[kind]);
    });
    if (chosen && !hidden.has(chosen.lane.kind[chosen.place])) drawChosen(context);
  };

  const drawChosen = (context) => {
    const { lane, place } = chosen, left = x(lane.start[place]), right = Math.max(left + LEAST_BAR, x(lane.end[place]));
    context.strokeStyle = colours.text;
    context.lineWidth = 2;
    context.beginPath();
    context.roundRect(left - 2, rowTop(lane, lane.kind[place]) - 2, right - left + 4, BAR + 4, 3);
    context.stroke();
  };

  /* round moments, as many as have room */
  const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  const drawTicks = (context, dots, mark) => {
    const least = (view.to - view.from) / width * 76;
    const step = STEPS.find((one) => one >= least) || STEPS.at(-1) * Math.ceil(least / STEPS.at(-1));
    const first = Math.ceil(view.from / step - 1e-6);
    for (let n = first; n * step <= view.to + 1e-6; n += 1) mark(x(n * step), n * step, step);
  };
  const drawAxis = (dots) => {
    const context = sized(axis, width, 24, dots);
    Object.assign(context, { font: colours.font, fillStyle: colours.muted, textBaseline: "middle" });
    drawTicks(context, dots, (at, seconds, step) => {
      const label = clock(seconds, step < 1), wide = context.measureText(label).width;
      context.fillText(label, Math.max(3, Math.min(at - wide / 2, width - wide - 3)), 11);
      context.fillRect(at, 19, 1, 5);
    });
  };

  /* the whole video at a glance: how many brands are on screen at once, column by column */
  const drawStrip = (dots) => {
    const wide = strip.parentElement.clientWidth, high = 34, columns = Math.max(1, Math.round(wide));
    const context = sized(strip, wide, high, dots), counts = data.kinds.map(() => new Float64Array(columns + 1));
    for (const lane of lanes) {
      joined(lane, 0, duration, columns / duration, 0, (kind, left, right) => {
        const first = Math.min(columns - 1, Math.round(left)), last = Math.min(columns, Math.max(first + 1, Math.round(right)));
        for (let column = first; column < last; column += 1) counts[kind][column] += 1;
      });
    }
    let most = 1;
    for (let column = 0; column < columns; column += 1) most = Math.max(most, counts.reduce((sum, kind) => sum + kind[column], 0));
    const base = new Float64Array(columns);
    counts.forEach((count, kind) => {
      const bars = new Path2D();
      for (let column = 0; column < columns; column += 1) {
        if (!count[column]) continue;
        const tall = count[column] / most * (high - 4);
        bars.rect(column, high - base[column] - tall, 1, tall);
        base[column] += tall;
      }
      context.fillStyle = colours.kinds[kind];
      context.fill(bars);
    });
  };

  const clock = (seconds, tenths = true) => {
    const units = tenths ? Math.round(seconds * 10) : Math.round(seconds) * 10, all = Math.floor(units / 10);
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(all / 3600), minutes = Math.floor(all / 60) % 60;
    return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(all % 60)}${tenths ? `.${units % 10}` : ""}`;
  };

  let due = 0, stripDue = true, painted = false;
  const listeners = [];
  const paint = () => {
    due = 0;
    const dots = window.devicePixelRatio || 1;
    width = Math.max(1, area.clientWidth);
    drawAxis(dots);
    drawLanes(dots);
    if (stripDue) { stripDue = false; drawStrip(dots); }
    listeners.forEach((listener) => listener());
    if (!painted) { painted = true; performance.mark("timeline-painted"); }
  };
  const repaint = (all = false) => {
    stripDue = stripDue || all === true;
    if (!due) due = requestAnimationFrame(paint);
  };

  const look = (from, to) => {
    const span = Math.min(duration, Math.max(shortest, to - from));
    view.from = Math.max(0, Math.min(from, duration - span));
    view.to = view.from + span;
    repaint();
  };

  one(".r-room").remove();
  for (const part of stage.children) if (part !== one(".r-tip")) part.hidden = false;
  area.style.height = `${whole}px`;
  names.append(...lanes.map((lane) => {
    const link = document.createElement("a"), name = document.createElement("b"), told = document.createElement("small");
    link.href = `#b-${lane.number}`;
    link.title = lane.confirmed ? lane.name : `${lane.name}, unconfirmed`;
    link.style.height = `${lane.height}px`;
    name.dir = "auto";
    name.textContent = lane.name;
    told.textContent = lane.seconds;
    link.classList.toggle("r-unsure", !lane.confirmed);
    link.append(name, told);
    return link;
  }));
  readColours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); repaint(true); });
  new ResizeObserver(() => repaint(true)).observe(scroller);
  scroller.addEventListener("scroll", () => {
    const top = Number(canvas.dataset.top), room = scroller.clientHeight, at = scroller.scrollTop;
    if (at < top + room / 4 && top > 0 || at + room > top + canvas.clientHeight - room / 4 && top + canvas.clientHeight < whole) repaint();
  });

  window.reportTimeline = {
    section, stage, scroller, area, strip, data, duration, shortest, lanes, view, hidden,
    x, time, clock, laneAt, rowTop, firstAt, look, repaint,
    get width() { return width; },
    get chosen() { return chosen; },
    choose(lane, place) { chosen = lane ? { lane, place } : null; repaint(); },
    word: (lane, place) => data.kinds[lane.kind[place]][1],
    onPaint(listener) { listeners.push(listener); },
  };
  repaint(true);
})();

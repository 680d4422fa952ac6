/* What was found along the time of a video: a lane for each sort, with the moment that is on screen. */

import { brandColour } from "../player/overlay.js";
import { clock } from "./formats.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_BARS = 2000; // of a lane; further ones are joined where they would lie on the same pixel
const LEAST_SHARE = 0.003;
const NAMED = 5;
const MOST_LISTED = 200;

export class Lanes {
  #root;
  #duration;
  #marks = [];

  /** `seek(time)` is called where somebody clicks, `peek(bar, x)` where a pointer is, with null where it has left. */
  constructor(root, { duration, seek, peek }) {
    this.#root = root;
    this.#duration = duration;
    const at = (event) => {
      const svg = event.target.closest(".lane svg");
      if (!svg) return null;
      const { left, width } = svg.getBoundingClientRect();
      return { svg, time: Math.min(this.#duration, Math.max(0, ((event.clientX - left) / width) * this.#duration)) };
    };
    const ask = (event) => {
      const found = at(event);
      if (found) seek(found.time);
    };
    root.addEventListener("pointerdown", ask);
    root.addEventListener("pointermove", (event) => {
      const found = at(event);
      if (found && event.buttons === 1) seek(found.time);
      peek(found ? found.svg.bars.find((bar) => bar.start <= found.time && found.time < bar.end) ?? null : null, event);
    });
    root.addEventListener("pointerleave", (event) => peek(null, event));
  }

  /** Shows `[{name, kind, bars}]`, all at once. */
  show(lanes) {
    const end = Math.max(0, ...lanes.flatMap((lane) => lane.bars.map((bar) => bar.end)));
    this.#duration = Math.max(this.#duration, end, 0.04);
    this.#marks = [];
    this.#root.replaceChildren(...lanes.map((lane) => this.#lane(lane)), this.#axis());
    this.#root.removeAttribute("aria-busy");
  }

  /** Gives the same as a list of buttons that lead to each bar, for those who do not point. */
  list(lanes) {
    return lanes.filter((lane) => lane.bars.length).map(({ name, bars }) => {
      const part = make("section"), items = make("ul");
      part.append(Object.assign(make("h3", "", name), { dir: "auto" }), items);
      for (const { start, end, title } of bars.slice(0, MOST_LISTED)) {
        const item = make("li"), button = Object.assign(make("button", "quiet"), { type: "button" });
        button.dataset.seek = start;
        button.append(make("span", "", `${clock(start)} – ${clock(end)}`));
        if (title !== name) button.append(" ", Object.assign(make("span", "muted", title), { dir: "auto" }));
        item.append(button);
        items.append(item);
      }
      if (bars.length > MOST_LISTED) part.append(make("p", "muted", `The first ${MOST_LISTED} of ${bars.length}.`));
      return part;
    });
  }

  at(time) {
    const place = `${Math.min(100, (100 * time) / this.#duration)}%`;
    for (const mark of this.#marks) {
      mark.setAttribute("x1", place);
      mark.setAttribute("x2", place);
    }
  }

  #lane({ name, kind = "", bars }) {
    const row = make("div", "lane"), label = make("span", "lane-name", name), svg = document.createElementNS(SVG, "svg");
    label.dir = "auto";
    label.title = name;
    svg.bars = [...bars].sort((a, b) => a.start - b.start);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", described(name, svg.bars));
    if (!kind) svg.style.setProperty("--zone", brandColour(name));
    joined(svg.bars, this.#duration).forEach((bar, number) => svg.append(this.#bar(bar, number, kind)));
    const mark = document.createElementNS(SVG, "line");
    mark.setAttribute("class", "lane-now");
    for (const [side, value] of [["x1", 0], ["x2", 0], ["y1", 0], ["y2", "100%"]]) mark.setAttribute(side, value);
    svg.append(mark);
    this.#marks.push(mark);
    row.append(label, svg);
    return row;
  }

  #bar({ start, end, title }, number, kind) {
    const rect = document.createElementNS(SVG, "rect"), tip = document.createElementNS(SVG, "title");
    const share = (seconds) => `${(100 * seconds) / this.#duration}%`;
    const size = { x: share(start), width: share(Math.max(end - start, LEAST_SHARE * this.#duration)) };
    const shape = kind === "is-scene" ? { y: "0", height: "100%" } : { y: "20%", height: "60%", rx: 2 };
    for (const [key, value] of Object.entries({ ...size, ...shape })) rect.setAttribute(key, value);
    rect.setAttribute("class", `${kind}${kind && number % 2 ? " is-odd" : ""}`);
    tip.textContent = `${title}, ${clock(start)} – ${clock(end)}`;
    if (kind !== "is-scene") rect.append(tip);
    return rect;
  }

  #axis() {
    const row = make("div", "lane lane-axis"), times = make("span");
    row.setAttribute("aria-hidden", "true");
    for (const time of [0, this.#duration / 2, this.#duration]) times.append(make("span", "", clock(time)));
    row.append(make("span"), times);
    return row;
  }
}

function make(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function described(name, bars) {
  if (!bars.length) return `${name}: nothing`;
  const told = bars.slice(0, NAMED).map((bar) => `${clock(bar.start)} to ${clock(bar.end)}`).join(", ");
  return `${name}: ${told}${bars.length > NAMED ? `, and ${bars.length - NAMED} more` : ""}`;
}

function joined(bars, duration) {
  if (bars.length <= MOST_BARS) return bars;
  const least = duration / MOST_BARS, runs = [];
  for (const bar of bars) {
    const last = runs.at(-1);
    if (last && bar.start - last.end < least) last.end = Math.max(last.end, bar.end);
    else runs.push({ ...bar });
  }
  return runs;
}

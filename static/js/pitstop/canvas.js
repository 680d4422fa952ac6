/* The picture with its zones in SVG: polygons and points that are drawn, dragged, and moved with the arrow keys. */

import { LEAST_POINTS, MOST_POINTS, ZONE_COLOURS, area, crosses, pointAt, shifted } from "./polygons.js";

const SVG = "http://www.w3.org/2000/svg";
const POINT = 6, TARGET = 15; // radii in pixels of the screen: what is seen, and what can be hit with a finger
const FINE = 0.002, COARSE = 0.02;
const NEAR = 14; // a click this near to the first point closes the zone
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const make = (tag, attributes = {}) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const percent = (share) => `${Math.round(share * 1000) / 10} %`;

export class Canvas {
  #svg;
  #drawing;
  #told;
  #sizes = { width: 1, height: 1 };
  #nodes = new Map();
  #dragged = null;
  #draft = null;
  #pointer = null;

  chosen = -1;

  /** `choose(place)` when a zone is clicked or focused; `drafted(points | null)` as a new one is drawn, point by point;
      `closed(points)` when it is complete; `say(sentence)` what a screen reader is to hear. */
  constructor(svg, drawing, { choose, drafted, closed, say }) {
    this.#svg = svg;
    this.#drawing = drawing;
    this.#told = { choose, drafted, closed, say };
    this.layer = svg.querySelector(".zones-layer");
    new ResizeObserver(() => this.show()).observe(svg);
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, (event) => this.#up(event));
    svg.addEventListener("keydown", (event) => this.#key(event));
    svg.addEventListener("focusin", (event) => {
      const zone = event.target.dataset?.zone;
      if (zone !== undefined && Number(zone) !== this.chosen) this.#told.choose(Number(zone));
    });
    svg.addEventListener("focusout", () => this.#drawing.rest());
    // let go outside of the window, or by a second finger
    svg.addEventListener("lostpointercapture", () => { this.#dragged = null; });
  }

  get isDrafting() { return this.#draft !== null; }

  begin() {
    this.#draft = [];
    this.#pointer = null;
    this.#svg.classList.add("is-drafting");
    this.#told.drafted(this.#draft);
    this.show();
  }

  /** Takes the last point of the draft back, or gives the draft up where there is none. */
  back() {
    if (!this.#draft?.length) return this.give();
    this.#draft.pop();
    this.#told.drafted(this.#draft);
    this.show();
  }

  give() {
    this.#draft = null;
    this.#svg.classList.remove("is-drafting");
    this.#told.drafted(null);
    this.show();
  }

  close() {
    const points = this.#draft;
    if (!points || points.length < LEAST_POINTS) return;
    this.give();
    this.#told.closed(points);
  }

  focus(zone, point = null) {
    this.#svg.querySelector(point === null ? `.zone[data-zone="${zone}"]` : `.zone-point[data-zone="${zone}"][data-point="${point}"]`)?.focus();
  }

  /* what is shown: everything is in pixels of the screen, so that points are as large on any picture */
  show() {
    const { width, height } = this.#svg.getBoundingClientRect();
    if (!width || !height) return;
    this.#sizes = { width, height };
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const wanted = new Set();
    const keep = (key, tag, attributes, text = "") => {
      const element = this.#nodes.get(key) ?? make(tag);
      for (const [name, value] of Object.entries(attributes)) if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
      if (text !== element.textContent && tag === "text") element.textContent = text;
      this.#nodes.set(key, element);
      wanted.add(key);
      return element;
    };
    const order = this.#drawing.zones.map((zone, place) => [zone, place]);
    // the chosen one lies above, and the smaller above the larger, so that each can be reached
    order.sort((a, b) => (a[1] === this.chosen) - (b[1] === this.chosen) || Math.abs(area(b[0].points)) - Math.abs(area(a[0].points)));
    const elements = [];
    for (const [zone, place] of order) elements.push(...this.#zone(zone, place, keep));
    if (this.#draft) elements.push(...this.#drafted(keep));
    for (const [key, element] of this.#nodes) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#nodes.delete(key);
    }
    // an element that is moved loses the focus: only what is out of place is put in place
    const focused = document.activeElement;
    elements.forEach((element, place) => {
      if (this.layer.children[place] !== element) this.layer.insertBefore(element, this.layer.children[place] ?? null);
    });
    if (focused !== document.activeElement && this.layer.contains(focused)) focused.focus({ preventScroll: true });
  }

  #at([x, y]) { return [x * this.#sizes.width, y * this.#sizes.height]; }
  #path(points) { return points.map((point) => this.#at(point).map((value) => value.toFixed(1)).join(",")).join(" "); }

  #zone(zone, place, keep) {
    const chosen = place === this.chosen && !this.#draft, wrong = crosses(zone.points);
    const colour = `zone-colour-${place % ZONE_COLOURS}`;
    const name = zone.name.trim() || `zone ${place + 1}`;
    const shape = keep(`zone ${place}`, "polygon", {
      class: `zone ${colour}${chosen ? " is-chosen" : ""}${wrong ? " is-wrong" : ""}`,
      points: this.#path(zone.points), "data-zone": place, role: "button", tabindex: this.#draft ? -1 : 0,
      "aria-label": `Zone ${name}. Arrow keys move it.`,
    });
    const [x, y] = this.#at(zone.points.reduce((best, point) => (point[1] < best[1] ? point : best)));
    const end = x > this.#sizes.width * 0.7 ? "end" : "start";
    const label = keep(`name ${place}`, "text", { class: "zone-name", x: x.toFixed(1), y: Math.max(14, y - 8).toFixed(1), "text-anchor": end, "aria-hidden": "true" }, name.length > 28 ? `${name.slice(0, 27)}…` : name);
    if (!chosen) return [shape, label];
    return [shape, label, ...this.#handles(zone, place, name, colour, keep)];
  }

  #handles(zone, place, name, colour, keep) {
    const found = [];
    zone.points.forEach((point, number) => {
      const next = zone.points[(number + 1) % zone.points.length];
      const [x, y] = this.#at(point);
      if (zone.points.length < MOST_POINTS) {
        const [middleX, middleY] = this.#at([(point[0] + next[0]) / 2, (point[1] + next[1]) / 2]);
        found.push(keep(`middle ${place} ${number}`, "circle", { class: `zone-middle ${colour}`, cx: middleX, cy: middleY, r: POINT - 1, "data-zone": place, "data-after": number, "aria-hidden": "true" }));
      }
      found.push(keep(`target ${place} ${number}`, "circle", { class: "zone-target", cx: x, cy: y, r: TARGET, "data-zone": place, "data-point": number, "aria-hidden": "true" }));
      found.push(keep(`point ${place} ${number}`, "circle", {
        class: `zone-point ${colour}`, cx: x, cy: y, r: POINT, "data-zone": place, "data-point": number, role: "button", tabindex: 0,
        "aria-label": `Point ${number + 1} of ${zone.points.length} of ${name}, ${percent(point[0])} across, ${percent(point[1])} down`,
      }));
    });
    return found;
  }

  #drafted(keep) {
    const points = this.#pointer ? [...this.#draft, this.#pointer] : this.#draft;
    const line = keep("draft", "polyline", { class: "zone-draft", points: this.#path(points) });
    return [line, ...this.#draft.map((point, number) => {
      const [x, y] = this.#at(point);
      return keep(`draft ${number}`, "circle", { class: `zone-point${number ? "" : " is-first"}`, cx: x, cy: y, r: POINT, "aria-hidden": "true" });
    })];
  }

  /* fingers and mice */
  #where(event) {
    const { left, top, width, height } = this.#svg.getBoundingClientRect();
    return pointAt((event.clientX - left) / width, (event.clientY - top) / height);
  }

  #down(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    const at = this.#where(event);
    if (this.#draft) {
      event.preventDefault();
      this.#place(at);
      return;
    }
    const { zone, point, after } = event.target.dataset ?? {};
    if (zone === undefined) return;
    event.preventDefault();
    const place = Number(zone);
    if (place !== this.chosen) this.#told.choose(place);
    let held = point === undefined ? null : Number(point);
    this.#drawing.rest();
    if (after !== undefined) {
      held = Number(after) + 1;
      this.#drawing.change("drag", (zones) => zones[place].points.splice(held, 0, at));
    }
    this.focus(place, held);
    this.#dragged = { place, held, at, points: this.#drawing.zones[place].points };
    this.#svg.setPointerCapture(event.pointerId);
  }

  #place(at) {
    const [x, y] = this.#at(at);
    const far = (point) => Math.hypot(this.#at(point)[0] - x, this.#at(point)[1] - y);
    const points = this.#draft;
    if (points.length >= LEAST_POINTS && far(points[0]) < NEAR) return this.close();
    // the second half of a double click
    if (points.length && far(points.at(-1)) < 3) return this.close();
    if (points.length >= MOST_POINTS) return;
    points.push(at);
    this.#told.drafted(points);
    this.show();
  }

  #move(event) {
    if (this.#draft) {
      this.#pointer = event.pointerType === "mouse" ? this.#where(event) : null;
      this.show();
      return;
    }
    if (!this.#dragged) return;
    const { place, held, at, points } = this.#dragged, to = this.#where(event);
    if (to[0] === at[0] && to[1] === at[1]) return;
    this.#drawing.change("drag", (zones) => {
      if (held === null) zones[place].points = shifted(points, to[0] - at[0], to[1] - at[1]);
      else zones[place].points[held] = to;
    });
  }

  #up(event) {
    if (this.#svg.hasPointerCapture(event.pointerId)) this.#svg.releasePointerCapture(event.pointerId);
    this.#dragged = null;
    if (!this.#draft) this.#drawing.rest();
  }

  /* keys */
  #key(event) {
    const { zone, point } = event.target.dataset ?? {};
    if (this.#draft || zone === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = Number(zone), held = point === undefined ? null : Number(point), step = event.shiftKey ? COARSE : FINE;
    if (ARROWS[event.key]) {
      event.preventDefault();
      const [dx, dy] = ARROWS[event.key].map((way) => way * step);
      this.#drawing.change(`keys ${place} ${held}`, (zones) => {
        const points = zones[place].points;
        if (held === null) zones[place].points = shifted(points, dx, dy);
        else points[held] = pointAt(points[held][0] + dx, points[held][1] + dy);
      });
    } else if (["Delete", "Backspace"].includes(event.key) && held !== null) {
      event.preventDefault();
      this.remove(place, held);
    } else if (["Insert", "+"].includes(event.key) && held !== null) {
      event.preventDefault();
      this.add(place, held);
    } else if (["Enter", " "].includes(event.key)) {
      event.preventDefault();
      this.#told.choose(place);
    }
  }

  remove(place, held) {
    if (this.#drawing.zones[place].points.length <= LEAST_POINTS) return this.#told.say("A zone needs three points: delete the zone instead.");
    this.#drawing.change(null, (zones) => zones[place].points.splice(held, 1));
    this.focus(place, Math.min(held, this.#drawing.zones[place].points.length - 1));
    this.#told.say(`Point ${held + 1} deleted.`);
  }

  /** A point halfway to the next. */
  add(place, held) {
    const points = this.#drawing.zones[place].points;
    if (points.length >= MOST_POINTS) return;
    const next = points[(held + 1) % points.length];
    this.#drawing.change(null, (zones) => zones[place].points.splice(held + 1, 0, pointAt((points[held][0] + next[0]) / 2, (points[held][1] + next[1]) / 2)));
    this.focus(place, held + 1);
    this.#told.say(`Point ${held + 2} added.`);
  }
}

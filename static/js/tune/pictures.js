/* One frame on two sides: regions over pictures, what only one side has, and the words under the pointer. */

const NS = "http://www.w3.org/2000/svg";
const tip = document.getElementById("region-tip");
const SIDES = ["present", "tried"];
const MISSING = { present: "lost", tried: "gained" };
const SAID = { lost: "only before", gained: "only after" };

export const percent = (confidence) => `${Math.round(confidence * 100)} %`;
const area = ({ corners }) => {
  const xs = corners.map(([x]) => x), ys = corners.map(([, y]) => y);
  return (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys));
};
const make = (tag, attributes, text = "") => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
};

export const sideOf = (result, name) => (name === "tried" && result.tried) || result.present;
const alone = (result, name) => new Set(result[MISSING[name]]);
/* "+2 −1", or nothing */
export const change = ({ lost, gained }) =>
  [gained.length ? `+${gained.length}` : "", lost.length ? `−${lost.length}` : ""].filter(Boolean).join(" ");

/* Draws a side into its figure. `view`: {overlay: "" | "edges" | "lines", regions, labels} */
export function drawSide(figure, result, name, view, { width, height }) {
  const side = sideOf(result, name), svg = figure.querySelector("svg"), overlay = figure.querySelector(".overlay");
  const picture = view.overlay && side.overlays?.[view.overlay === "edges" ? "edge_overlay_b64" : "lines_overlay_b64"];
  overlay.hidden = !picture;
  if (picture) overlay.src = `data:image/jpeg;base64,${picture}`;
  figure.querySelector("figcaption b").textContent = side.regions.length;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", `${side.regions.length} found`);
  const only = alone(result, name), scale = width / (svg.clientWidth || width), size = 12 * scale;
  const shown = view.regions ? side.regions.map((region, index) => ({ region, index })).sort((one, other) => area(other.region) - area(one.region)) : [];
  const pieces = shown.map(({ region, index }) => make("polygon", {
    points: region.corners.map((corner) => corner.join(",")).join(" "),
    class: only.has(index) ? MISSING[name] : "both",
    "data-index": index,
  }));
  if (view.labels) {
    for (const { region, index } of shown) {
      const top = Math.min(...region.corners.map(([, y]) => y)), left = Math.min(...region.corners.map(([x]) => x));
      const label = region.label.length > 26 ? `${region.label.slice(0, 25)}…` : region.label;
      const text = make("text", { x: left, y: Math.max(size, top - 4 * scale), "font-size": size, "stroke-width": 3 * scale }, label);
      text.classList.add(only.has(index) ? MISSING[name] : "both");
      pieces.push(text);
    }
  }
  svg.replaceChildren(...pieces);
}

export function listSide(list, result, name) {
  const only = alone(result, name);
  list.replaceChildren(...sideOf(result, name).regions.map((region, index) => {
    const item = document.createElement("li"), label = document.createElement("b"), sure = document.createElement("span");
    label.dir = "auto";
    label.textContent = region.label || "–";
    sure.textContent = percent(region.confidence);
    item.append(label, sure);
    item.dataset.index = index;
    if (only.has(index)) {
      item.className = MISSING[name];
      const said = document.createElement("i");
      said.textContent = SAID[MISSING[name]];
      item.append(said);
    }
    return item;
  }));
}

/* what the pointer is on in a list is lit in its picture */
export function light(list, figure) {
  const only = (index) => figure.querySelectorAll("polygon").forEach((shape) => shape.classList.toggle("lit", shape.dataset.index === index));
  list.addEventListener("pointerover", (event) => only(event.target.closest("li")?.dataset.index));
  list.addEventListener("pointerleave", () => only());
}

/* label and confidence of the region under the pointer */
export function tell(within, resultOf) {
  within.addEventListener("pointermove", (event) => {
    const shape = event.target.closest?.("polygon"), figure = shape?.closest("[data-side]");
    const result = figure && resultOf(figure);
    tip.hidden = !result;
    if (!result) return;
    const region = sideOf(result, figure.dataset.side).regions[shape.dataset.index];
    tip.textContent = `${region.label} ${percent(region.confidence)}`;
    const room = innerWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 12, room))}px`;
    tip.style.top = `${event.clientY > innerHeight - 60 ? event.clientY - 40 : event.clientY + 16}px`;
  });
  within.addEventListener("pointerleave", () => { tip.hidden = true; });
}

/* A frame's card. `on`: {enlarge(sequence), remove(sequence)} */
export class Pair {
  constructor(frame, setup, on) {
    this.frame = frame;
    this.setup = setup;
    this.result = null;
    this.element = document.getElementById("pair").content.firstElementChild.cloneNode(true);
    const find = (selector) => this.element.querySelector(selector);
    this.sides = SIDES.map((name) => find(`[data-side=${name}]`));
    this.lists = [...this.element.querySelectorAll(".pair-found ol")];
    this.element.dataset.sequence = frame.sequence;
    find("h3").textContent = frame.time;
    find(".enlarge").setAttribute("aria-label", `Enlarge ${frame.time}`);
    find(".remove").setAttribute("aria-label", `Take ${frame.time} out`);
    find(".enlarge").addEventListener("click", () => on.enlarge(frame.sequence));
    find(".remove").addEventListener("click", () => on.remove(frame.sequence));
    find(".pair-found").addEventListener("toggle", () => this.list());
    for (const photo of this.element.querySelectorAll(".photo")) {
      photo.width = setup.width;
      photo.height = setup.height;
      photo.src = pictureOf(setup, frame.sequence);
    }
    this.sides.forEach((figure, side) => {
      figure.addEventListener("click", () => on.enlarge(frame.sequence));
      light(this.lists[side], figure);
    });
    tell(this.element, () => this.result);
  }

  wait() {
    this.element.setAttribute("aria-busy", "true");
  }

  draw(result, view) {
    this.result = result;
    this.element.removeAttribute("aria-busy");
    SIDES.forEach((name, side) => drawSide(this.sides[side], result, name, view, this.setup));
    const told = this.element.querySelector(".pair-change");
    told.textContent = change(result) || (result.tried ? "no difference" : "");
    told.classList.toggle("differs", Boolean(change(result)));
    this.list();
  }

  /* nothing is known of it with these options */
  clear() {
    this.result = null;
    this.element.removeAttribute("aria-busy");
    this.element.querySelectorAll("svg").forEach((svg) => svg.replaceChildren());
    this.element.querySelectorAll(".overlay").forEach((overlay) => { overlay.hidden = true; });
    this.element.querySelectorAll("figcaption b, .pair-change").forEach((told) => { told.textContent = ""; });
    this.lists.forEach((list) => list.replaceChildren());
  }

  list() {
    if (!this.result || !this.element.querySelector(".pair-found").open) return;
    SIDES.forEach((name, side) => listSide(this.lists[side], this.result, name));
  }
}

export const pictureOf = (setup, sequence) => setup.picture.replace("/0.jpg", `/${sequence}.jpg`);
export const thumbOf = (setup, sequence) => setup.thumb.replace("/0.jpg", `/${sequence}.jpg`);

/* Boxes with names over a picture, wherever it lies inside its stage. */

const FONT = '600 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const LABEL = { height: 18, pad: 5, most: 180 };
const LEAST_STAGE = 480; // below this width labels are smaller, and each name is there once
const FADED = { after: 0.3, to: 0.15 }; // seconds away from where it was really seen, and what is left of a box there

const hues = new Map();

/** A brand's colour: the same everywhere and always, light enough for dark text on it. */
export function brandColour(name) {
  if (!hues.has(name)) {
    let hash = 2166136261;
    for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
    hash = (hash ^ (hash >>> 15)) >>> 0;
    hues.set(name, `oklch(${hash & 1 ? 0.84 : 0.76} 0.15 ${(hash >>> 1) % 360})`);
  }
  return hues.get(name);
}

export const UNDECIDED = "#e8eaee";

/** Where a picture of that size lies in a stage that shows all of it: `{left, top, width, height}`. */
export function placeOf(picture, stage) {
  const scale = Math.min(stage.width / picture.width, stage.height / picture.height);
  const width = picture.width * scale, height = picture.height * scale;
  return { left: (stage.width - width) / 2, top: (stage.height - height) / 2, width, height };
}

const overlaps = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

export class Overlay {
  #canvas;
  #context;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  /** Draws `[{brand, confirmed, decided, box, guess}]` over a picture `{width, height}`; nothing is left of what was there. */
  draw(boxes, picture) {
    const canvas = this.#canvas, context = this.#context;
    const stage = { width: canvas.clientWidth, height: canvas.clientHeight };
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(stage.width * ratio), height = Math.round(stage.height * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, stage.width, stage.height);
    if (!boxes.length || !picture.width || !picture.height) return;
    const place = placeOf(picture, stage);
    context.save();
    context.beginPath();
    context.rect(place.left, place.top, place.width, place.height);
    context.clip();
    const drawn = boxes.map((one) => ({
      ...one,
      strength: Math.max(FADED.to, 1 - one.guess / FADED.after),
      colour: one.decided ? brandColour(one.brand) : UNDECIDED,
      x: place.left + one.box[0] * place.width - 1,
      y: place.top + one.box[1] * place.height - 1,
      width: one.box[2] * place.width + 2,
      height: one.box[3] * place.height + 2,
    }));
    const lines = place.width < LEAST_STAGE ? [3, 1.5] : [4, 2];
    drawn.forEach((one) => this.#frame(one, lines));
    this.#labels(drawn, place);
    context.restore();
  }

  #frame(one, [outer, inner]) {
    const context = this.#context;
    context.globalAlpha = one.strength;
    context.setLineDash(!one.decided ? [2, 3] : one.confirmed ? [] : [7, 4]);
    for (const [width, colour] of [[outer, "rgb(0 0 0 / .5)"], [inner, one.colour]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.strokeRect(one.x, one.y, one.width, one.height);
    }
  }

  /** Names above their boxes, else below or inside. One that would cover another name is left out. */
  #labels(drawn, place) {
    const context = this.#context;
    const isSmall = place.width < LEAST_STAGE, size = isSmall ? 0.85 : 1;
    context.font = FONT.replace("12px", `${12 * size}px`);
    context.textBaseline = "middle";
    context.direction = "ltr"; // of the line; each name's own direction follows from its letters
    const taken = [], named = new Set();
    for (const one of drawn) {
      if (isSmall && named.has(one.brand)) continue;
      const text = shortened(context, one.decided ? one.brand : `${one.brand} ?`, LABEL.most * size);
      const label = { width: context.measureText(text).width + 2 * LABEL.pad, height: LABEL.height * size };
      label.x = Math.max(place.left, Math.min(one.x - 1, place.left + place.width - label.width));
      const tops = [one.y - label.height - 1, one.y + one.height + 1, one.y + 1];
      const inside = (y) => y >= place.top && y + label.height <= place.top + place.height;
      const y = tops.find((top) => inside(top) && !taken.some((other) => overlaps({ ...label, y: top }, other)));
      if (y === undefined) continue;
      taken.push({ ...label, y });
      named.add(one.brand);
      context.globalAlpha = one.strength;
      context.fillStyle = one.colour;
      context.fillRect(label.x, y, label.width, label.height);
      context.fillStyle = "#14161a";
      context.fillText(text, label.x + LABEL.pad, y + label.height / 2 + 0.5);
    }
  }
}

const lengths = new Map();

/** The beginning of a text that fits into a width; remembered, for names come again with every picture. */
function shortened(context, text, most) {
  const key = `${context.font}|${text}`;
  if (!lengths.has(key)) {
    const letters = [...text];
    let shown = text;
    while (letters.length > 1 && context.measureText(shown).width > most) {
      letters.length = Math.floor(letters.length * 0.9);
      shown = `${letters.join("")}…`;
    }
    if (lengths.size > 500) lengths.clear();
    lengths.set(key, shown);
  }
  return lengths.get(key);
}

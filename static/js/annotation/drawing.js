/* Layers of boxes over a picture, wherever it lies inside its stage. */

import { brandColour, placeOf } from "../player/overlay.js";

const FONT = '600 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const LABEL = 17, PAD = 4, POINT = 2.5;

export class Drawing {
  #canvas;
  #context;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  /** Draws what `CocoBoxes` gives, layer over layer, over a picture `{width, height}`. */
  draw(layers, picture) {
    const canvas = this.#canvas, context = this.#context;
    const stage = { width: canvas.clientWidth, height: canvas.clientHeight }, ratio = window.devicePixelRatio || 1;
    const width = Math.round(stage.width * ratio), height = Math.round(stage.height * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, stage.width, stage.height);
    if (!picture.width || !picture.height) return;
    const place = placeOf(picture, stage);
    context.save();
    context.beginPath();
    context.rect(place.left, place.top, place.width, place.height);
    context.clip();
    for (const layer of layers) for (const one of layer) this.#one(one, place);
    context.restore();
  }

  #one({ box, id, name, points, guessed }, place) {
    const context = this.#context, label = id < 0 ? name : `${name} ${id}`, colour = brandColour(label);
    const x = place.left + box[0] * place.width, y = place.top + box[1] * place.height;
    const wide = box[2] * place.width, high = box[3] * place.height;
    context.setLineDash(guessed ? [7, 4] : []);
    for (const [line, stroke] of [[4, "rgb(0 0 0 / .5)"], [2, colour]]) {
      context.lineWidth = line;
      context.strokeStyle = stroke;
      context.strokeRect(x, y, wide, high);
    }
    context.setLineDash([]);
    for (const [px, py] of points) {
      context.beginPath();
      context.arc(place.left + px * place.width, place.top + py * place.height, POINT, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      context.lineWidth = 1;
      context.strokeStyle = "rgb(0 0 0 / .6)";
      context.stroke();
    }
    context.font = FONT;
    context.textBaseline = "middle";
    const long = context.measureText(label).width + 2 * PAD;
    const left = Math.max(place.left, Math.min(x - 1, place.left + place.width - long));
    const top = y - LABEL >= place.top ? y - LABEL : y;
    context.fillStyle = colour;
    context.fillRect(left, top, long, LABEL);
    context.fillStyle = "#14161a";
    context.fillText(label, left + PAD, top + LABEL / 2 + 0.5);
  }
}

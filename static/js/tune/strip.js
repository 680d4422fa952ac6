/* The filmstrip: some frames of a part of the video; those that are pressed are tried. */

import { thumbOf } from "./pictures.js";

const moment = (second) => {
  const whole = Math.round(second), part = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${part(minutes)}:${part(whole % 60)}` : `${minutes}:${part(whole % 60)}`;
};
const SHORTEST = 2;

export class Strip {
  /* `on.change(frames)`: these are chosen now; `on.fail(text)` */
  constructor(setup, on) {
    this.setup = setup;
    this.on = on;
    this.element = document.getElementById("strip");
    this.told = document.getElementById("chosen-count");
    this.window = [0, setup.end];
    this.frames = new Map();
    for (const button of this.element.children) {
      const { sequence, second } = button.dataset;
      this.frames.set(Number(sequence), { sequence: Number(sequence), second: Number(second), time: button.querySelector("span").textContent });
    }
    this.shown = [...this.frames.keys()];
    this.chosen = new Set(setup.chosen);
    this.element.addEventListener("click", (event) => {
      const button = event.target.closest(".frame");
      if (button) this.toggle(Number(button.dataset.sequence));
    });
    this.element.addEventListener("keydown", (event) => this.step(event));
    document.getElementById("spread").addEventListener("click", () => this.spread());
    for (const button of document.querySelectorAll("[data-seen]")) button.addEventListener("click", () => this.seen(button.dataset.seen));
    for (const button of document.querySelectorAll("[data-move]")) button.addEventListener("click", () => this.move(button.dataset.move));
    this.mark();
  }

  get list() {
    return [...this.chosen].map((sequence) => this.frames.get(sequence)).sort((one, other) => one.second - other.second);
  }

  toggle(sequence) {
    if (this.chosen.has(sequence)) this.chosen.delete(sequence);
    else if (this.chosen.size >= this.setup.most) {
      this.mark(`${this.setup.most} frames at most: take one out first.`);
      return;
    } else this.chosen.add(sequence);
    this.mark();
    this.on.change(this.list);
  }

  choose(frames) {
    for (const frame of frames) this.frames.set(frame.sequence, frame);
    this.chosen = new Set(frames.map((frame) => frame.sequence));
    this.draw();
    this.on.change(this.list);
  }

  /* as many as there are, or some, over the part that is shown */
  async spread() {
    const count = Math.max(1, this.chosen.size || 4), frames = await this.ask({ from: this.window[0], to: this.window[1] });
    if (!frames) return;
    const taken = Math.min(count, frames.length);
    this.shown = frames.map((frame) => frame.sequence);
    this.choose(Array.from({ length: taken }, (_, number) => frames[Math.floor(((2 * number + 1) * frames.length) / (2 * taken))]));
  }

  async seen(how) {
    const select = document.getElementById("brand"), frames = await this.ask({ brand: select.value, seen: how });
    if (!frames) return;
    if (frames.length) this.choose(frames);
    else this.mark(how === "missed" ? `${select.value} was found on every frame of its shots.` : `${select.value} was found on no frame.`);
  }

  async move(how) {
    const [from, to] = this.window, { end } = this.setup, length = to - from;
    const inside = this.list.map((frame) => frame.second).filter((second) => second >= from && second <= to);
    const middle = how === "closer" && inside.length ? inside[Math.floor(inside.length / 2)] : (from + to) / 2;
    const wanted = Math.min(end, Math.max(Math.min(SHORTEST, end), length * ({ closer: 1 / 3, wider: 3 }[how] ?? 1)));
    const shift = { earlier: -length * 0.8, later: length * 0.8 }[how] ?? 0;
    const start = Math.max(0, Math.min(end - wanted, middle + shift - wanted / 2));
    const frames = await this.ask({ from: start, to: start + wanted });
    if (!frames) return;
    this.window = [start, start + wanted];
    for (const frame of frames) this.frames.set(frame.sequence, frame);
    this.shown = frames.map((frame) => frame.sequence);
    this.draw();
  }

  async ask(what) {
    try {
      const response = await fetch(`${this.setup.frames}?${new URLSearchParams(what)}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      return (await response.json()).frames;
    } catch (error) {
      this.on.fail(error.message);
      return null;
    }
  }

  draw() {
    const wanted = [...new Set([...this.shown, ...this.chosen])].map((sequence) => this.frames.get(sequence));
    wanted.sort((one, other) => one.second - other.second);
    const there = new Map([...this.element.children].map((button) => [Number(button.dataset.sequence), button]));
    this.element.replaceChildren(...wanted.map((frame) => there.get(frame.sequence) || this.button(frame)));
    this.mark();
  }

  button(frame) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "frame", tabIndex: -1 });
    const image = Object.assign(new Image(160, 90), { alt: "", loading: "lazy", src: thumbOf(this.setup, frame.sequence) });
    button.dataset.sequence = frame.sequence;
    button.append(image, Object.assign(document.createElement("span"), { textContent: frame.time }));
    return button;
  }

  mark(text = "") {
    const buttons = [...this.element.children];
    for (const button of buttons) button.setAttribute("aria-pressed", String(this.chosen.has(Number(button.dataset.sequence))));
    const stop = buttons.find((button) => button.tabIndex === 0) || buttons.find((button) => button.getAttribute("aria-pressed") === "true") || buttons[0];
    buttons.forEach((button) => { button.tabIndex = button === stop ? 0 : -1; });
    this.told.textContent = text || `${this.chosen.size} chosen, ${this.setup.most} at most`;
    const [from, to] = this.window, whole = to - from >= this.setup.end;
    document.getElementById("window").textContent = whole ? "the whole video" : `${moment(from)} – ${moment(to)}`;
    for (const button of document.querySelectorAll("[data-move]")) {
      const how = button.dataset.move;
      const useless = { wider: whole, earlier: from <= 0, later: to >= this.setup.end, closer: to - from <= SHORTEST }[how];
      button.setAttribute("aria-disabled", String(useless));
    }
  }

  step(event) {
    const buttons = [...this.element.children], at = buttons.indexOf(document.activeElement);
    const target = { ArrowRight: buttons[at + 1], ArrowLeft: buttons[at - 1], Home: buttons[0], End: buttons.at(-1) }[event.key];
    if (!target || at < 0) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  }
}

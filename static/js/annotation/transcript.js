/* The transcript beside a video: the cue that is heard is marked and kept in view, each leads to its moment. */

import { clock } from "./formats.js";

const NEAR = 0.05; // seconds: the picture that is on screen when a cue begins came a little earlier

export class Transcript {
  #list;
  #follow;
  #cues = [];
  #now = -1;
  #along = true;

  /** `follow` is a button that shows up once the reader has scrolled away. */
  constructor(list, follow) {
    this.#list = list;
    this.#follow = follow;
    const away = () => this.#go(false);
    list.addEventListener("wheel", away, { passive: true });
    list.addEventListener("touchmove", away, { passive: true });
    list.addEventListener("keydown", (event) => { if (["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"].includes(event.key)) away(); });
    follow.addEventListener("click", () => {
      this.#go(true);
      this.#show();
    });
  }

  show(cues) {
    this.#cues = cues;
    const items = cues.map(({ start, text, voice }, number) => {
      const item = document.createElement("li"), button = document.createElement("button");
      const said = Object.assign(document.createElement("span"), { dir: "auto", textContent: text });
      button.type = "button";
      button.dataset.seek = start;
      button.append(Object.assign(document.createElement("time"), { textContent: clock(start) }), " ");
      if (voice && voice !== cues[number - 1]?.voice) button.append(Object.assign(document.createElement("b"), { dir: "auto", textContent: voice }), " ");
      button.append(said);
      item.append(button);
      return item;
    });
    if (!items.length) items.push(Object.assign(document.createElement("li"), { className: "muted", textContent: "Nobody speaks." }));
    this.#list.replaceChildren(...items);
    this.#list.removeAttribute("aria-busy");
  }

  tell(text) {
    this.#list.replaceChildren(Object.assign(document.createElement("li"), { className: "muted", textContent: text }));
    this.#list.removeAttribute("aria-busy");
  }

  at(time) {
    const now = this.#cues.findLastIndex((cue) => cue.start <= time + NEAR && time < cue.end);
    if (now === this.#now) return;
    this.#list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    this.#now = now;
    this.#show();
  }

  #show() {
    const item = this.#now < 0 ? null : this.#list.children[this.#now];
    if (!item) return;
    item.setAttribute("aria-current", "true");
    if (!this.#along) return;
    const list = this.#list, top = item.offsetTop - list.offsetTop;
    // not scrollIntoView: the page itself stays where it is
    if (top < list.scrollTop || top + item.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 3;
  }

  #go(along) {
    this.#along = along;
    this.#follow.hidden = along;
  }
}

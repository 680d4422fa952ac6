/* What was decided since this tab was opened: how much, and what can be undone one after another. It outlives a reload
   as far as the server has it. */

const KEY = "review-sitting";
const MOST = 200;

export class Sitting {
  #made = []; #count = 0; #line; #button;

  constructor(line, button) {
    this.#line = line;
    this.#button = button;
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) || "{}");
      this.#made = (kept.made || []).map((one) => ({ ...one, ids: [], cards: [], kind: "earlier" }));
      this.#count = kept.count || 0;
    } catch {
      sessionStorage.removeItem(KEY);
    }
  }

  get hasSome() { return this.#made.length > 0; }

  add(decision) {
    this.#made.push(decision);
    if (this.#made.length > MOST) this.#made.shift();
    this.#changed(1);
  }

  /* The last one, to be undone. */
  pop() {
    const last = this.#made.pop();
    if (last) this.#changed(-1);
    return last;
  }

  saved(decision) { if (this.#made.includes(decision)) this.#changed(0); }

  /* One that the server would not have. */
  drop(decision) {
    const place = this.#made.indexOf(decision);
    if (place < 0) return;
    this.#made.splice(place, 1);
    this.#changed(-1);
  }

  draw() {
    this.#line.hidden = this.#count === 0;
    this.#line.querySelector("b").textContent = this.#count.toLocaleString("en");
    if (this.#button) this.#button.disabled = !this.hasSome;
  }

  #changed(by) {
    this.#count = Math.max(0, this.#count + by);
    this.draw();
    const made = this.#made.filter(({ decision }) => decision).map(({ decision, sentence }) => ({ decision, sentence }));
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ count: this.#count, made }));
    } catch {
      // a tab that may keep nothing counts until it is reloaded
    }
  }
}

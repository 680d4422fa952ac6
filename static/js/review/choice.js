/* What is chosen for a decision, the present group and those that are ticked beside it, and what that would settle. */

import { plural } from "./saying.js";

const REST = 900; // milliseconds that the reader looks at a card before it is worth a question
const REST_MANY = 200;

export class Choice {
  #deck; #form; #address; #refOf; #isQuiet; #timer = null;
  #rows = document.getElementById("rows");
  #line = document.getElementById("effect");

  /* `refOf(id)` is a group with its revision; `isQuiet()` whether no decision is on its way. */
  constructor(deck, form, address, { refOf, isQuiet }) {
    this.#deck = deck;
    this.#form = form;
    this.#address = address;
    this.#refOf = refOf;
    this.#isQuiet = isQuiet;
    this.effect = this.effect.bind(this);
  }

  /* Cards, the present one first; none at the end of the queue. */
  get cards() {
    const { present } = this.#deck;
    if (!present) return [];
    const ticked = [...this.#rows.querySelectorAll("input:checked")];
    const others = ticked.map((tick) => this.#deck.find(tick.closest("li").dataset.group));
    return [present, ...others.filter((card) => card && card !== present)];
  }

  /* Items whose pictures are ticked, to be split off. */
  get pictures() {
    return [...(this.#deck.present?.querySelectorAll(".rv-tick input:checked") ?? [])].map((tick) => tick.value);
  }

  untick() {
    for (const tick of this.#rows.querySelectorAll("input:checked")) tick.checked = false;
  }

  tickNext() {
    const ticks = this.#deck.ahead(12).map((card) => this.#deck.rowOf(card)?.querySelector("input"));
    const next = ticks.find((tick) => tick && !tick.checked);
    if (next) next.checked = true;
    this.draw();
  }

  draw() {
    clearTimeout(this.#timer);
    const { cards } = this, pictures = this.pictures.length, many = cards.length > 1;
    const split = this.#form.querySelector("[data-do=split]");
    split.hidden = !pictures;
    split.querySelector("[data-word]").textContent = `Split off ${plural(pictures, "picture")}`;
    this.#form.classList.toggle("many", many);
    this.#line.textContent = many ? `${plural(cards.length, "group")} together …` : "";
    if (cards.length) this.#timer = setTimeout(() => this.#drawEffect(cards), many ? REST_MANY : REST);
  }

  /* What a decision on what is chosen would settle, or why it cannot be made: {text, settles, refused}, or null. */
  async effect(fields) {
    const refs = this.cards.map((card) => this.#refOf(card.dataset.group));
    if (!refs.length) return null;
    const body = new URLSearchParams([...fields, ...refs.map((ref) => ["groups", ref])]);
    const headers = { Accept: "application/json", "X-CSRFToken": this.#form.elements.csrfmiddlewaretoken.value };
    try {
      const response = await fetch(this.#address, { method: "POST", headers, body, credentials: "same-origin" });
      if (!response.ok) return null;
      const { settles, refused } = await response.json();
      return refused ? { text: `${refused}.`, refused: true } : { text: `settles ${settles}`, settles, refused: false };
    } catch {
      return null;
    }
  }

  /* Of several groups; of one only where it is more than the card says, as where its text waits elsewhere too. */
  async #drawEffect(cards) {
    const many = cards.length > 1, parts = [];
    for (const [action, word] of [["confirm", "Confirm"], ["reject", "Not a brand"]]) {
      if (!this.#isQuiet()) return;
      const told = await this.effect([["action", action]]);
      const now = this.cards;
      if (!told || now.length !== cards.length || now.some((card, place) => card !== cards[place])) return;
      if (told.refused) parts.push(`${word}: ${told.text}`);
      else if (many) parts.push(told.text);
      else if (told.settles !== cards[0].dataset.settles) parts.push(`${word} ${told.text}, more than is shown here`);
      if (many && !told.refused) break;
    }
    this.#line.textContent = `${many ? `${plural(cards.length, "group")} together: ` : ""}${parts.join(" · ")}`;
  }
}

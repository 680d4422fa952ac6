/* The cards that are loaded, in the order of the queue: those that were skipped, the present one, those that come next.
   More are fetched before they are needed, so that the next one can be shown at once. */

const AT_ONCE = 12;
const FEWEST_AHEAD = 14;
const MOST_BEHIND = 60;
const ROWS = 12;
const READY = 3;
const AGAIN_AFTER = 2000;

export class Deck {
  #cards; #holder; #rows; #query; #address; #next; #loading = false; #shown = null; #listed = []; #events;
  index = 0;

  /* `events` has changed(card), which follows every change of the present card, totals({groups, groupsWords,
     secondsWords}), and busy(id): whether a decision on that group is on its way. */
  constructor(review, events) {
    this.#events = events;
    this.#holder = review.querySelector("#cards");
    this.#rows = review.querySelector("#rows");
    this.#address = review.dataset.cards;
    this.#query = review.dataset.query;
    this.#next = review.dataset.next;
    this.#cards = [...this.#holder.children];
    this.#shown = this.present;
    this.#list();
    this.#refill();
  }

  get present() { return this.#cards[this.index] || null; }
  get isLoading() { return this.#loading || Boolean(this.#next); }
  get size() { return this.#cards.length; }
  find(id) { return this.#cards.find((card) => card.dataset.group === String(id)); }
  rowOf(card) { return card.row ??= this.#rows.querySelector(`[data-group="${card.dataset.group}"]`); }
  ahead(count) { return this.#cards.slice(this.index + 1, this.index + 1 + count); }

  /* Shows the present card in the place of the one before. */
  show() {
    const card = this.present;
    if (card !== this.#shown) {
      if (this.#shown) this.#shown.hidden = true;
      if (card) card.hidden = false;
      this.#shown = card;
    }
    this.#events.changed(card);
    requestAnimationFrame(() => setTimeout(() => this.#later(), 0)); // what nobody waits for comes after the painting
  }

  skip() {
    if (this.present) this.index += 1;
    this.show();
  }

  back() {
    if (this.index === 0) return;
    this.index -= 1;
    this.show();
  }

  /* The card comes before the others, the present one right after it. */
  jump(card) {
    const from = this.#cards.indexOf(card);
    this.#cards.splice(from, 1);
    if (from < this.index) this.index -= 1;
    this.#cards.splice(this.index, 0, card);
    this.show();
  }

  /* Takes cards out; `putBack` brings them again. */
  take(cards) {
    for (const card of cards) {
      const place = this.#cards.indexOf(card);
      if (place < 0) continue;
      this.#cards.splice(place, 1);
      if (place < this.index) this.index -= 1;
      card.hidden = true;
      card.remove();
      this.rowOf(card)?.remove();
    }
    this.show();
  }

  /* As the present card (`first`), or right after it. */
  putBack(cards, { first }) {
    let place = first || !this.present ? this.index : this.index + 1;
    for (const card of cards) {
      if (this.find(card.dataset.group)) continue;
      this.#insert(card, place);
      place += 1;
    }
    this.show();
  }

  /* Brings groups up to date: what waits is there as it is now, what is decided is gone. Resolves with the cards that
     are new here. `place`: "first", "next" or, by their seconds, "order". */
  async reload(ids, { place = "order" } = {}) {
    const fresh = await this.#fetch(`ids=${ids.join(",")}&count=${ids.length}`);
    if (!fresh) return [];
    const wanted = new Map(fresh.cards.map((card) => [card.dataset.group, card])), added = [];
    for (const id of ids.map(String)) {
      if (this.#events.busy(id)) continue;
      const old = this.find(id), card = wanted.get(id);
      if (old && card) this.#replace(old, card);
      else if (old) this.take([old]);
      else if (card && (place !== "order" || this.#isWithin(card))) added.push(card);
    }
    if (place === "order") for (const card of added) this.#insert(card, this.#placeOf(card));
    else this.putBack(added, { first: place === "first" });
    this.show();
    return added;
  }

  /* From the beginning of the queue, with what was skipped. */
  async restart() {
    this.#cards.forEach((card) => { card.remove(); this.rowOf(card)?.remove(); });
    this.#cards = [];
    this.index = 0;
    await this.#load("");
    this.show();
  }

  async refreshTotals() { await this.#fetch("count=0"); }

  #replace(old, card) {
    const focused = old.contains(document.activeElement), row = this.rowOf(old);
    card.hidden = old !== this.#shown;
    if (old === this.#shown) this.#shown = card;
    card.row.hidden = row.hidden;
    const [tick, before] = [card.row, row].map((each) => each.querySelector("input"));
    if (tick && before) tick.checked = before.checked;
    row.replaceWith(card.row);
    old.replaceWith(card);
    this.#listed = this.#listed.map((each) => (each === row ? card.row : each));
    this.#cards[this.#cards.indexOf(old)] = card;
    if (focused) card.querySelector("h2").focus({ preventScroll: true });
  }

  #insert(card, place) {
    const after = this.#cards[place];
    this.#cards.splice(place, 0, card);
    card.hidden = true;
    if (card.row) card.row.hidden = true;
    if (after) {
      after.before(card);
      if (card.row) this.rowOf(after)?.before(card.row);
    } else {
      this.#holder.append(card);
      if (card.row) this.#rows.append(card.row);
    }
    if (place < this.index) this.index += 1;
  }

  #isWithin(card) {
    if (!this.#next) return true;
    const [seconds, group] = this.#next.split(":").map(Number), own = card.dataset.place.split(":").map(Number);
    return own[0] > seconds || (own[0] === seconds && own[1] <= group);
  }

  #placeOf(card) {
    const seconds = Number(card.dataset.seconds);
    const place = this.#cards.findIndex((other, at) => at > this.index && Number(other.dataset.seconds) < seconds);
    return place < 0 ? this.#cards.length : place;
  }

  #later() {
    this.#list();
    for (const card of this.ahead(READY)) {
      const image = card.querySelector(".rv-picture img");
      if (image && image.loading === "lazy") {
        image.loading = "eager";
        image.decode().catch(() => {}); // one that is gone says so when it is shown
      }
    }
    while (this.index > MOST_BEHIND) { // they come again when the queue is begun anew
      const card = this.#cards.shift();
      card.remove();
      this.rowOf(card)?.remove();
      this.index -= 1;
    }
    this.#refill();
  }

  #list() {
    const cards = this.ahead(ROWS), rows = cards.map((card) => this.rowOf(card)).filter(Boolean);
    for (const row of this.#listed) if (!rows.includes(row)) row.hidden = true;
    rows.forEach((row, place) => {
      row.hidden = false;
      const before = rows[place - 1];
      if (before && before.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_PRECEDING) before.after(row);
    });
    this.#listed = rows;
  }

  async #refill() {
    if (this.#loading || !this.#next || this.#cards.length - this.index > FEWEST_AHEAD) return;
    const waited = !this.present;
    const had = await this.#load(this.#next);
    if (!had) return void setTimeout(() => this.#refill(), AGAIN_AFTER);
    if (waited || !this.#shown) this.show();
    else this.#list();
    this.#refill();
  }

  async #load(after) {
    this.#loading = true;
    const fresh = await this.#fetch(`after=${encodeURIComponent(after)}&count=${AT_ONCE}`);
    this.#loading = false;
    if (!fresh) return false;
    this.#next = fresh.next;
    for (const card of fresh.cards) {
      if (this.find(card.dataset.group) || this.#events.busy(card.dataset.group)) continue;
      this.#cards.push(card);
      this.#holder.append(card);
      this.#rows.append(card.row);
    }
    return true;
  }

  async #fetch(query) {
    try {
      const address = `${this.#address}?${this.#query ? `${this.#query}&` : ""}${query}`;
      const response = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      if (!response.ok || response.redirected) return null;
      const holder = document.createElement("template");
      holder.innerHTML = await response.text();
      const { next, groups, groupsWords, secondsWords } = holder.content.firstElementChild.dataset;
      const cards = [...holder.content.querySelectorAll(".cards > *")].map((card) => document.importNode(card, true));
      const rows = [...holder.content.querySelectorAll(".rows > *")].map((row) => document.importNode(row, true));
      cards.forEach((card, place) => { card.row = rows[place]; });
      this.#events.totals({ groups: Number(groups), groupsWords, secondsWords });
      return { cards, next };
    } catch {
      return null;
    }
  }
}

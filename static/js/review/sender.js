/* Decisions on their way to the server: in the order they were made, one at a time, each with a token of its own. One
   that got no answer is sent again with the same token, which the server makes once however often it comes.

   A decision is {token, body()}: body gives the form's fields when its turn comes, or null where there is nothing to
   send any more. It is told to `done(decision, answer)` or, where the server will not have it, `refused(decision,
   status, answer)`. `changed({waiting, problem, stopped})` follows every step: `problem` says why nothing
   goes on, `stopped` that only `retry` brings it on. */

const WITHIN = 20000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10000;

export class Sender {
  #address; #csrf; #events; #waiting = []; #sending = false; #stopped = false; #timer = null; #pause = FIRST_PAUSE;

  constructor(address, csrf, events) {
    this.#address = address;
    this.#csrf = csrf;
    this.#events = events;
    addEventListener("online", () => this.retry());
    addEventListener("beforeunload", (event) => { if (this.#waiting.length) event.preventDefault(); });
  }

  get waiting() { return this.#waiting.length; }

  get #isTried() { return this.#sending || this.#stopped || this.#timer !== null; }

  add(decision) {
    this.#waiting.push(decision);
    this.#changed();
    this.#next();
  }

  /* Takes back what was not sent yet; whether it could. */
  cancel(decision) {
    const place = this.#waiting.indexOf(decision);
    if (place < 0 || (place === 0 && this.#isTried)) return false; // it may have arrived
    this.#waiting.splice(place, 1);
    this.#changed();
    return true;
  }

  retry() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#stopped = false;
    this.#pause = FIRST_PAUSE;
    this.#next();
  }

  async #next() {
    if (this.#isTried || !this.#waiting.length) return;
    const decision = this.#waiting[0], fields = decision.body();
    if (!fields) return this.#settle(() => {});
    this.#sending = true;
    let status = 0, answer = {};
    try {
      const response = await fetch(this.#address, {
        method: "POST",
        headers: { Accept: "application/json", "X-CSRFToken": this.#csrf },
        body: new URLSearchParams([...fields, ["token", decision.token]]),
        credentials: "same-origin",
        signal: AbortSignal.timeout(WITHIN),
      });
      status = response.status;
      answer = await response.json();
    } catch {
      status = status >= 400 && status < 500 ? status : 0; // no answer, or half of one: it may have been made
    }
    this.#sending = false;
    if (status === 200) return this.#settle(() => this.#events.done(decision, answer));
    if (status === 401 || answer.code === "csrf_failed") return this.#stop("You are logged out, log in in another tab");
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      return this.#settle(() => this.#events.refused(decision, status, answer));
    }
    return this.#later(status);
  }

  #settle(tell) {
    this.#pause = FIRST_PAUSE;
    this.#waiting.shift();
    tell();
    this.#changed();
    this.#next();
  }

  #later(status) {
    const pause = this.#pause * (0.75 + Math.random() / 4);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    this.#timer = setTimeout(() => { this.#timer = null; this.#next(); }, pause);
    this.#changed(status ? "The server has a problem" : "No connection");
  }

  /* Only a person can go on: they press the button that calls `retry`. */
  #stop(problem) {
    this.#stopped = true;
    this.#changed(problem);
  }

  #changed(problem = "") {
    this.#events.changed({ waiting: this.#waiting.length, problem, stopped: this.#stopped });
  }
}

/* A random UUID, on pages without TLS too. */
export function newToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

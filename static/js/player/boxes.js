/* Boxes by the window: fetched ahead of the picture, kept for a while, looked up by the moment. */

const WINDOW = 30;
const AHEAD = 12;
const KEPT = 20;
const AGAIN_MS = 3000;
// pictures are told to a microsecond, and boxes are rounded to one: a frame must not miss the box that begins with it
const SLACK = 0.0005;

/** The box of a track at a moment, `[x, y, width, height]`; null before it begins and from its end on. */
export function boxAt(track, time) {
  if (time < track.start || time >= track.end) return null;
  const points = track.points;
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][0] <= time) low = middle;
    else high = middle - 1;
  }
  const [from, ...box] = points[low], next = points[low + 1];
  if (!next || time <= from) return box;
  const share = Math.min(1, (time - from) / (next[0] - from));
  return box.map((value, place) => value + share * (next[place + 1] - value));
}

export class Boxes {
  #address;
  #loaded;
  #windows = new Map();

  /** `loaded` is called whenever there is more to draw. */
  constructor(address, loaded) {
    this.#address = address;
    this.#loaded = loaded;
  }

  /** Has what is shown around a moment fetched, unless that was done already. */
  need(time) {
    const number = Math.floor(Math.max(0, time) / WINDOW);
    this.#fetch(number);
    if (time % WINDOW > WINDOW - AHEAD) this.#fetch(number + 1);
  }

  /** `[{brand, confirmed, decided, placement, box, guess}]` at a moment, the largest first; none while they are on their
      way. `guess` is how many seconds away it was really seen. */
  at(time) {
    const moment = time + SLACK;
    const shown = this.#windows.get(Math.floor(Math.max(0, moment) / WINDOW));
    const found = [];
    for (const track of shown?.tracks ?? []) {
      const box = boxAt(track, moment);
      if (box) found.push({ ...track, box, guess: Math.max(0, track.seen_from - moment, moment - SLACK - track.seen_to) });
    }
    return found.sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
  }

  #fetch(number) {
    const known = this.#windows.get(number);
    if (known && !(known.failed && performance.now() - known.failed > AGAIN_MS)) return;
    const made = { tracks: [], failed: 0 };
    this.#windows.delete(number);
    this.#windows.set(number, made);
    if (this.#windows.size > KEPT) this.#windows.delete(this.#windows.keys().next().value);
    this.#load(number, made);
  }

  async #load(number, made) {
    try {
      const answer = await fetch(`${this.#address}?from=${number * WINDOW}&to=${(number + 1) * WINDOW}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const { tracks, undecided } = await answer.json();
      made.tracks = [...tracks.map((track) => ({ ...track, decided: true })), ...undecided.map((track) => ({ ...track, decided: false }))];
      this.#loaded();
    } catch {
      made.failed = performance.now(); // asked for again while it is still wanted
    }
  }
}

/* Boxes by the window: fetched ahead of the picture, kept for a while, looked up by the moment. */

const WINDOW = 30;
const AHEAD = 12;
const KEPT = 20;
const AGAIN_MS = { first: 3000, most: 60_000 };
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

  /** `[{brand, confirmed, decided, placement, box, guess}]` at a moment, the largest first; none while they are on their
      way. `guess` is how many seconds away it was really seen. Has what comes soon fetched too. */
  at(time) {
    const moment = time + SLACK;
    this.#need(Math.floor(Math.max(0, moment) / WINDOW));
    if (moment % WINDOW > WINDOW - AHEAD) this.#need(Math.floor(moment / WINDOW) + 1);
    const shown = this.#windows.get(Math.floor(Math.max(0, moment) / WINDOW));
    const found = [];
    for (const track of shown?.tracks ?? []) {
      const box = boxAt(track, moment);
      if (box) found.push({ ...track, box, guess: Math.max(0, track.seen_from - moment, moment - SLACK - track.seen_to) });
    }
    return found.sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
  }

  #need(number) {
    if (this.#windows.has(number)) return;
    const made = { tracks: [], wait: AGAIN_MS.first };
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
    } catch {
      // asked for again, less and less often, while it is kept
      setTimeout(() => { if (this.#windows.get(number) === made) this.#load(number, made); }, made.wait);
      made.wait = Math.min(AGAIN_MS.most, made.wait * 2);
      return;
    }
    this.#loaded();
  }
}

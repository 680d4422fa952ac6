/* Boxes of a COCO file at a moment: those of the picture that was on screen last, moved towards the next one. */

const LONGEST_GAP = 0.6; // seconds; further apart nothing is known of what lies between
const AS_GOOD_AS = 0.0005; // seconds; times are written with fewer digits than they have

export class CocoBoxes {
  #worker = null;
  #columns = null;
  #address;
  #told;

  /** `told` is called with "loading" and a share, "ready", or "failed" and why. */
  constructor(address, told) {
    this.#address = address;
    this.#told = told;
  }

  get isReady() { return this.#columns !== null; }

  /** Loads the file once; asked again, it does nothing. */
  load() {
    if (this.#worker || this.#columns) return;
    this.#told("loading", 0);
    this.#worker = new Worker(new URL("./coco_worker.js", import.meta.url));
    const end = (state, detail) => {
      this.#worker.terminate();
      this.#worker = null;
      this.#told(state, detail);
    };
    this.#worker.addEventListener("message", ({ data }) => {
      if (data.progress !== undefined) return this.#told("loading", data.progress);
      this.#columns = data.columns ?? null;
      end(data.error ? "failed" : "ready", data.error);
    });
    this.#worker.addEventListener("error", () => end("failed", "the file could not be read"));
    this.#worker.postMessage({ address: new URL(this.#address, location.href).href });
  }

  /** `[{box, id, name, points, guessed}]`, in shares of the picture. */
  at(time) {
    const columns = this.#columns;
    if (!columns) return [];
    const { times, starts, gap } = columns, image = lastBefore(times, time + AS_GOOD_AS);
    if (image < 0) return [];
    const next = image + 1 < times.length ? times[image + 1] - times[image] : gap;
    if (time - times[image] > Math.max(1.5 * gap, Math.min(next, LONGEST_GAP))) return [];
    const share = next <= LONGEST_GAP ? Math.max(0, Math.min(1, (time - times[image]) / next)) : 0;
    const found = [];
    for (let entry = starts[image]; entry < starts[image + 1]; entry += 1) {
      found.push(this.#entry(entry, share > 0.01 ? this.#later(entry, image + 1) : -1, share));
    }
    return found;
  }

  /** The entry of the same track in another picture, -1 for none. */
  #later(entry, image) {
    const { starts, ids } = this.#columns;
    if (image + 1 >= starts.length || ids[entry] < 0) return -1;
    for (let other = starts[image]; other < starts[image + 1]; other += 1) if (ids[other] === ids[entry]) return other;
    return -1;
  }

  #entry(entry, later, share) {
    const { boxes, points, keypoints, ids, kinds, names, guessed } = this.#columns;
    const between = (column, at, size, place) => {
      const value = column[at * size + place];
      return later < 0 ? value : value + share * (column[later * size + place] - value);
    };
    const marks = [];
    for (let number = 0; number < keypoints; number += 1) {
      if (points[entry * 3 * keypoints + 3 * number + 2] === 0) continue;
      marks.push([between(points, entry, 3 * keypoints, 3 * number), between(points, entry, 3 * keypoints, 3 * number + 1)]);
    }
    return {
      box: [0, 1, 2, 3].map((side) => between(boxes, entry, 4, side)),
      id: ids[entry],
      name: names[kinds[entry]] ?? "",
      points: marks,
      guessed: Boolean(guessed[entry]),
    };
  }
}

function lastBefore(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

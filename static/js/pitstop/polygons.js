/* Zones as they are drawn: polygons in shares of the picture, what is wrong with one, and every step back and forth. */

const STEPS_KEPT = 200;
const ROUND = 1e4; // a share is kept to a ten-thousandth: less than a pixel of 4K
export const ZONE_COLOURS = 5; // of pitstop.css, as in the video
export const LEAST_POINTS = 3, MOST_POINTS = 100, MOST_ZONES = 50;

export const within = (value) => Math.round(Math.min(1, Math.max(0, value)) * ROUND) / ROUND;
export const pointAt = (x, y) => [within(x), within(y)];

/** The zone's points moved together; at the picture's edge all of them stop. */
export function shifted(points, dx, dy) {
  const bound = (by, values) => Math.max(-Math.min(...values), Math.min(1 - Math.max(...values), by));
  const x = bound(dx, points.map((point) => point[0])), y = bound(dy, points.map((point) => point[1]));
  return points.map((point) => pointAt(point[0] + x, point[1] + y));
}

/** What has to be put right before a zone can be saved, as a sentence; empty where nothing has. */
export function wrongWith(zone, zones) {
  if (!zone.name.trim()) return "It has no name yet.";
  if (zones.some((other) => other !== zone && other.name.trim() === zone.name.trim())) return "Another zone has the same name.";
  if (zone.points.length < LEAST_POINTS) return "It needs at least three points.";
  if (crosses(zone.points)) return "Its lines cross: move a point so that they do not.";
  if (Math.abs(area(zone.points)) < 1e-6) return "It has no area: move a point.";
  return "";
}

export function area(points) {
  return points.reduce((sum, [x, y], place) => {
    const [nextX, nextY] = points[(place + 1) % points.length];
    return sum + (x * nextY - nextX * y) / 2;
  }, 0);
}

/** Whether two sides that are not neighbours touch, or a point lies upon another. */
export function crosses(points) {
  const sides = points.map((point, place) => [point, points[(place + 1) % points.length]]);
  return sides.some(([a, b], first) => {
    if (a[0] === b[0] && a[1] === b[1]) return true;
    return sides.some(([c, d], second) => {
      const areNeighbours = second <= first + 1 || (first === 0 && second === sides.length - 1);
      return !areNeighbours && touch(a, b, c, d);
    });
  });
}

function touch(a, b, c, d) {
  const turn = (p, q, r) => Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  const between = (p, q, r) => Math.min(p[0], q[0]) <= r[0] && r[0] <= Math.max(p[0], q[0]) && Math.min(p[1], q[1]) <= r[1] && r[1] <= Math.max(p[1], q[1]);
  const [one, two, three, four] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (one !== two && three !== four) return true;
  return (one === 0 && between(a, b, c)) || (two === 0 && between(a, b, d)) || (three === 0 && between(c, d, a)) || (four === 0 && between(c, d, b));
}

/** Zones with their history. A change is a step; changes of the same `kind` that follow each other are one. */
export class Drawing {
  #past = [];
  #coming = [];
  #kind = null;
  #changed;

  /** `changed()` is called whenever zones are others than before. */
  constructor(zones, changed) {
    this.zones = zones;
    this.#changed = changed;
  }

  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#coming.length > 0; }

  /** Does `act(zones)` to a copy and keeps the zones there were. */
  change(kind, act) {
    if (kind === null || kind !== this.#kind) {
      this.#past.push(this.zones);
      if (this.#past.length > STEPS_KEPT) this.#past.shift();
    }
    this.#kind = kind;
    this.#coming = [];
    this.zones = structuredClone(this.zones);
    act(this.zones);
    this.#changed();
  }

  /** The next change is a step of its own, whatever it is. */
  rest() { this.#kind = null; }

  undo() { this.#turn(this.#past, this.#coming); }
  redo() { this.#turn(this.#coming, this.#past); }

  #turn(from, to) {
    if (!from.length) return;
    to.push(this.zones);
    this.zones = from.pop();
    this.#kind = null;
    this.#changed();
  }
}

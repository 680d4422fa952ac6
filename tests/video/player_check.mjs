/* Run by tests/video/test_player_js.py. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const scripts = new URL("../../static/js/player/", import.meta.url);
const { Boxes, boxAt } = await import(new URL("boxes.js", scripts));
const { brandColour, placeOf } = await import(new URL("overlay.js", scripts));
const { FramePictures } = await import(new URL("frames.js", scripts));

const track = (change = {}) => ({
  brand: "Acme", confirmed: true, placement: "board", start: 1.75, end: 3.25, seen_from: 2, seen_to: 3,
  points: [[1.75, 0.1, 0.1, 0.2, 0.1], [2, 0.2, 0.1, 0.2, 0.1], [3, 0.4, 0.3, 0.2, 0.1], [3.25, 0.4, 0.3, 0.2, 0.1]],
  ...change,
});
const near = (found, wanted) => found.forEach((value, place) => assert.ok(Math.abs(value - wanted[place]) < 1e-9, `${found}`));

test("a box is between two points where a straight line leads", () => {
  near(boxAt(track(), 2), [0.2, 0.1, 0.2, 0.1]);
  near(boxAt(track(), 2.25), [0.25, 0.15, 0.2, 0.1]);
  near(boxAt(track(), 3), [0.4, 0.3, 0.2, 0.1]);
});

test("there is none before it begins and from its end on", () => {
  assert.equal(boxAt(track(), 1.7499), null);
  assert.notEqual(boxAt(track(), 1.75), null);
  assert.equal(boxAt(track(), 3.25), null);
});

test("a window may begin after its first point and end before its last", () => {
  near(boxAt(track({ start: 0, points: [[2, 0.2, 0.1, 0.2, 0.1]] }), 1), [0.2, 0.1, 0.2, 0.1]);
  near(boxAt(track({ end: 9, points: [[2, 0.2, 0.1, 0.2, 0.1]] }), 5), [0.2, 0.1, 0.2, 0.1]);
});

test("two points at one time are a jump", () => {
  const jump = track({ start: 1, end: 4, points: [[1, 0.1, 0, 0, 0], [2, 0.1, 0, 0, 0], [2, 0.7, 0, 0, 0], [4, 0.7, 0, 0, 0]] });
  near(boxAt(jump, 1.999), [0.1, 0, 0, 0]);
  near(boxAt(jump, 2), [0.7, 0, 0, 0]);
});

let asked;
const settle = () => new Promise((done) => setTimeout(done, 0));
const serve = (answer) => {
  asked = [];
  globalThis.fetch = async (address) => {
    asked.push(address);
    return answer(address);
  };
};
const given = (tracks, undecided = []) => ({ ok: true, json: async () => ({ tracks, undecided }) });

test("what is around a moment is fetched once, the next window when it comes near", async () => {
  serve(() => given([track()]));
  let loaded = 0;
  const boxes = new Boxes("/boxes.json", () => { loaded += 1; });
  boxes.at(2);
  boxes.at(3);
  await settle();
  assert.deepEqual(asked, ["/boxes.json?from=0&to=30"]);
  assert.equal(loaded, 1);
  boxes.at(25);
  boxes.at(31);
  assert.deepEqual(asked, ["/boxes.json?from=0&to=30", "/boxes.json?from=30&to=60"]);
});

test("boxes of a moment come with how sure they are, large ones first", async () => {
  serve(() => given([track({ brand: "Small" })], [track({ brand: "large?", points: [[0, 0, 0, 0.9, 0.9]] })]));
  const boxes = new Boxes("/boxes.json", () => {});
  assert.deepEqual(boxes.at(2), []);
  await settle();
  assert.deepEqual(boxes.at(2.5).map((one) => [one.brand, one.decided, one.guess]), [["large?", false, 0], ["Small", true, 0]]);
  assert.ok(Math.abs(boxes.at(1.8)[1].guess - 0.1995) < 1e-6);
  assert.deepEqual(boxes.at(5), []);
});

test("a picture whose time was rounded down has the box that begins with it", async () => {
  serve(() => given([track({ start: 11.479979, seen_from: 11.479979, end: 12, points: [[11.479979, 0, 0, 1, 1]] })]));
  const boxes = new Boxes("/boxes.json", () => {});
  boxes.at(11);
  await settle();
  assert.equal(boxes.at(11.4799).length, 1);
  assert.equal(boxes.at(11.44).length, 0);
});

test("what could not be fetched is asked for again, later and later", async () => {
  const timer = globalThis.setTimeout, waits = [];
  serve(() => ({ ok: false, status: 503 }));
  const boxes = new Boxes("/boxes.json", () => {});
  let again;
  globalThis.setTimeout = (act, wait) => {
    again = act;
    waits.push(wait);
  };
  try {
    boxes.at(2);
    for (let attempt = 0; attempt < 7; attempt += 1) {
      await new Promise((done) => setImmediate(done));
      boxes.at(2);
      assert.equal(asked.length, attempt + 1);
      if (attempt === 6) serve(() => given([track()]));
      again();
    }
    await new Promise((done) => setImmediate(done));
  } finally {
    globalThis.setTimeout = timer;
  }
  assert.deepEqual(waits, [3000, 6000, 12000, 24000, 48000, 60000, 60000]);
  assert.equal(boxes.at(2).length, 1);
});

test("windows that were not used for long are let go", async () => {
  serve(() => given([track()]));
  const boxes = new Boxes("/boxes.json", () => {});
  for (let window = 0; window < 40; window += 1) boxes.at(window * 30);
  await settle();
  assert.equal(asked.length, 40);
  boxes.at(39 * 30);
  assert.equal(asked.length, 40);
  boxes.at(0);
  assert.equal(asked.length, 41);
});

test("a picture lies in the middle of its stage, whole", () => {
  assert.deepEqual(placeOf({ width: 1280, height: 720 }, { width: 640, height: 360 }), { left: 0, top: 0, width: 640, height: 360 });
  assert.deepEqual(placeOf({ width: 720, height: 1280 }, { width: 640, height: 360 }), { left: 218.75, top: 0, width: 202.5, height: 360 });
  assert.deepEqual(placeOf({ width: 400, height: 100 }, { width: 200, height: 200 }), { left: 0, top: 75, width: 200, height: 50 });
});

test("a brand has one colour, light enough for dark text, and others mostly have others", () => {
  const names = Array.from({ length: 40 }, (_, number) => `Brand ${number}`);
  const colours = names.map(brandColour);
  assert.deepEqual(names.map(brandColour), colours);
  assert.ok(new Set(colours).size > 30);
  for (const colour of [...colours, brandColour(""), brandColour("🏁 مشروب")]) assert.match(colour, /^oklch\(0\.(76|84) 0\.15 \d{1,3}\)$/);
});

/* sampled frames, with an image and a clock of the test's own */
let frames, told, image, animate;
beforeEach(() => {
  told = [];
  animate = null;
  globalThis.requestAnimationFrame = (next) => { animate = next; };
  globalThis.Image = class {};
  image = new EventTarget();
  Object.assign(image, { complete: false, naturalWidth: 0, naturalHeight: 0 });
  frames = [[0, 0], [1, 0.5], [2, 1], [4, 2]];
});
const pictures = () => new FramePictures(image, frames, {
  address: (sequence) => `/frames/${sequence}.jpg`,
  length: 2.5,
  shown: (time, of) => told.push([time, of]),
  changed: () => told.push("changed"),
  found: (isThere) => told.push(isThere ? "there" : "gone"),
});
const come = () => {
  Object.assign(image, { complete: true, naturalWidth: 640, naturalHeight: 360 });
  image.dispatchEvent(new Event("load"));
};

test("the frame of a moment is the one that was on screen then", () => {
  const shown = pictures();
  for (const [time, sequence] of [[0, 0], [0.49, 0], [0.5, 1], [1.9, 2], [2, 4], [99, 4], [-5, 0]]) {
    shown.seek(time);
    assert.equal(image.src, `/frames/${sequence}.jpg`, `${time}`);
  }
});

test("boxes are those of the frame's own moment, once it has come", () => {
  const shown = pictures();
  shown.seek(0.7);
  assert.deepEqual(told.at(-1), [0.7, null]);
  come();
  assert.deepEqual(told.slice(-2), ["there", [0.7, 0.5]]);
});

test("steps go from frame to frame", () => {
  const shown = pictures();
  shown.seek(0.7);
  shown.step(1);
  assert.equal(shown.time, 1);
  shown.step(1);
  assert.equal(shown.time, 2);
  shown.step(1);
  assert.equal(shown.time, 2);
  shown.step(-1);
  assert.equal(shown.time, 1);
});

test("it plays by the clock, at its speed, to the end, and from the beginning after that", () => {
  const clock = performance.now;
  performance.now = () => 1000;
  try {
    const shown = pictures();
    shown.rate = 2;
    shown.play();
    assert.equal(shown.playing, true);
    animate(1250);
    assert.equal(shown.time, 0.5);
    assert.equal(image.src, "/frames/1.jpg");
    animate(9000);
    assert.deepEqual([shown.time, shown.playing], [2.5, false]);
    shown.play();
    assert.deepEqual([shown.time, shown.playing], [0, true]);
  } finally {
    performance.now = clock;
  }
});

test("one that is not to be had is told of", () => {
  pictures();
  image.dispatchEvent(new Event("error"));
  assert.ok(told.includes("gone"));
});

test("without frames time goes by all the same", () => {
  frames = [];
  const shown = pictures();
  shown.seek(1.5);
  shown.step(1);
  assert.deepEqual([shown.time, told.at(-1)], [1.5, [1.5, null]]);
});

// live.js against connections that a test makes, breaks and speaks on. Prints nothing; ends with an error otherwise.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../../static/js/live.js", import.meta.url), "utf8");

/* A page whose clock moves when told to, with a list of the connections that it opened. */
function page() {
  const opened = [];
  const timers = [];
  let now = 0;
  class Line {
    constructor(address) {
      this.address = String(address);
      this.closed = false;
      opened.push(this);
    }
    close() {
      this.closed = true;
    }
  }
  class FakeWebSocket extends Line {
    say(message) {
      this.onmessage({ data: JSON.stringify(message) });
    }
    lose(code = 1006, reason = "") {
      this.onclose({ code, reason });
    }
  }
  class FakeEventSource extends Line {
    heard = {};
    addEventListener(kind, listener) {
      this.heard[kind] = listener;
    }
    say({ number, kind, data }) {
      this.heard[kind]({ lastEventId: number === null ? "" : String(number), data: JSON.stringify(data) });
    }
    lose() {
      this.onerror({});
    }
  }
  const context = {
    URL,
    Map,
    Math: Object.assign(Object.create(Math), { random: () => 1, min: Math.min }),
    Date: { now: () => now },
    setTimeout: (work, milliseconds) => timers.push({ work, at: now + milliseconds }),
    clearTimeout: (number) => {
      if (number) timers[number - 1] = null;
    },
    WebSocket: FakeWebSocket,
    EventSource: FakeEventSource,
    location: { href: "https://site.example/jobs/1?x=2" },
  };
  vm.runInNewContext(SOURCE, context);
  const pass = (seconds) => {
    now += seconds * 1000;
    timers.forEach((timer, index) => {
      if (!timer || timer.at > now) return;
      timers[index] = null;
      timer.work();
    });
  };
  return { live: context.live, opened, pass, waiting: () => timers.filter(Boolean).length };
}

function following(after) {
  const { live, opened, pass, waiting } = page();
  const events = [];
  const states = [];
  const handle = live.follow("abc", {
    after,
    onEvent: (event) => events.push(event.number),
    onState: (state, detail) => states.push([state, { ...detail }]),
  });
  pass(0);
  return { handle, events, states, opened, pass, waiting, line: () => opened.at(-1) };
}

const log = (number) => ({ number, kind: "job.log", data: { line: String(number) } });

test("goes on from the last number and drops what it has had", () => {
  const page = following(3);
  assert.equal(page.line().address, "wss://site.example/ws/jobs/abc?after=3");
  page.line().onopen();
  [4, 5, 5, 4, 6].forEach((number) => page.line().say(log(number)));
  page.line().lose();
  page.pass(0.5);
  assert.equal(page.line().address, "wss://site.example/ws/jobs/abc?after=6");
  page.line().say(log(6));
  page.line().say(log(7));
  assert.deepEqual(page.events, [4, 5, 6, 7]);
  assert.equal(page.handle.last, 7);
});

test("waits longer each time, up to 15 s, and briefly again once it was told something", () => {
  const page = following(0);
  const pauses = [];
  for (let time = 0; time < 8; time += 1) {
    page.line().lose();
    pauses.push(page.states.at(-1)[1].seconds);
    page.pass(15);
  }
  assert.deepEqual(pauses, [0.5, 1, 2, 4, 8, 15, 15, 15]);
  page.line().say(log(1));
  page.line().lose();
  assert.deepEqual(page.states.at(-1), ["waiting", { seconds: 0.5 }]);
});

test("falls back to events from the server where no websocket opens, and back again", () => {
  const page = following(0);
  page.line().lose();
  page.pass(1);
  page.line().lose();
  page.pass(2);
  assert.equal(page.line().address, "https://site.example/detect/jobs/abc/events?after=0");
  page.line().onopen();
  page.line().say(log(1));
  page.line().lose();
  assert.equal(page.line().closed, true, "or the browser would come again by itself as well");
  page.pass(1);
  assert.equal(page.line().address, "https://site.example/detect/jobs/abc/events?after=1");
  page.line().lose();
  page.pass(2);
  assert.equal(page.line().address, "wss://site.example/ws/jobs/abc?after=1");
  assert.deepEqual(page.events, [1]);
});

test("ends with the job, on either way", () => {
  for (const failures of [0, 2]) {
    const page = following(0);
    for (let time = 0; time < failures; time += 1) {
      page.line().lose();
      page.pass(2);
    }
    const line = page.line();
    line.say(log(1));
    line.say({ number: null, kind: "job.end", data: { status: "completed", last: 1 } });
    line.lose(1000);
    assert.deepEqual(page.states.at(-1), ["ended", { status: "completed", last: 1 }]);
    assert.equal(line.closed, true);
    assert.equal(page.waiting(), 0);
  }
});

test("does not come again where it was refused", () => {
  const page = following(0);
  page.line().onopen();
  page.line().lose(4403, "You may not do this.");
  assert.deepEqual(page.states.at(-1), ["refused", { code: 4403, reason: "You may not do this." }]);
  assert.equal(page.waiting(), 0);
});

test("is silent once closed", () => {
  const page = following(0);
  const line = page.line();
  page.handle.close();
  line.say(log(1));
  line.lose();
  assert.deepEqual(page.events, []);
  assert.equal(line.closed, true);
  assert.equal(page.waiting(), 0);
});

test("all jobs: the latest of each, never backwards", () => {
  const { live, opened, pass } = page();
  const events = [];
  live.followAll({ onEvent: (event) => events.push([event.job_id, event.number]) });
  pass(0);
  assert.equal(opened[0].address, "wss://site.example/ws/jobs");
  const say = (job_id, number) => opened.at(-1).say({ job_id, number, kind: "job.update", data: {} });
  say("a", 5);
  say("b", 2);
  opened.at(-1).lose();
  pass(1);
  say("a", 5);
  say("b", 1);
  say("a", 6);
  assert.deepEqual(events, [["a", 5], ["b", 2], ["a", 6]]);
});

// Decisions on their way, against a server that answers as a test says. Prints nothing; ends with an error otherwise.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/* A page without a browser: what it listens to, a clock that moves when told to, and a server that waits for answers. */
const listeners = {};
let asked, timers;
globalThis.addEventListener = (name, listener) => { listeners[name] = listener; };
globalThis.setTimeout = (work, pause) => { timers.push({ work, pause }); return timers.length; };
globalThis.clearTimeout = (number) => { if (timers[number - 1]) timers[number - 1].work = () => {}; };
AbortSignal.timeout = () => undefined;
globalThis.fetch = (address, { method, headers, body }) => new Promise((resolve, reject) => {
  const answer = (status, told) => resolve({ status, json: async () => told });
  const broken = () => resolve({ status: 200, json: () => Promise.reject(new SyntaxError("half")) });
  asked.push({ address, method, headers, body: Object.fromEntries(body), answer, broken, lose: () => reject(new TypeError("gone")) });
});
const { newToken, Sender } = await import("../../static/js/review/sender.js");
const settle = () => new Promise((resolve) => setImmediate(resolve));

let told, sender;
beforeEach(() => {
  asked = [];
  timers = [];
  told = [];
  sender = new Sender("/decide", "csrf", {
    done: (decision, answer) => told.push(["done", decision.name, answer]),
    refused: (decision, status, answer) => told.push(["refused", decision.name, status, answer.detail]),
    changed: (state) => { told.state = state; },
  });
});
const decision = (name) => ({ name, token: `token-${name}`, body: () => [["action", name]] });
async function runTimer() {
  const { work, pause } = timers.pop();
  work();
  await settle();
  return pause;
}

test("one at a time, in order", async () => {
  for (const name of ["a", "b", "c"]) sender.add(decision(name));
  assert.equal(told.state.waiting, 3);
  assert.deepEqual(asked.map(({ body }) => body), [{ action: "a", token: "token-a" }]);
  assert.equal(asked[0].headers["X-CSRFToken"], "csrf");
  asked[0].answer(200, { decision: 1 });
  await settle();
  assert.deepEqual(asked.map(({ body }) => body.action), ["a", "b"]);
  asked[1].answer(200, { decision: 2 });
  await settle();
  asked[2].answer(200, { decision: 3 });
  await settle();
  assert.deepEqual(told.map(([, name]) => name), ["a", "b", "c"]);
  assert.equal(sender.waiting, 0);
});

test("without an answer it is sent again with the same token, later each time, before all others", async () => {
  sender.add(decision("a"));
  sender.add(decision("b"));
  const pauses = [];
  for (const lost of ["lose", 500, 503, 429, "lose", 500, 500, 500]) {
    if (lost === "lose") asked.at(-1).lose();
    else asked.at(-1).answer(lost, {});
    await settle();
    assert.ok(told.state.problem);
    assert.equal(told.state.waiting, 2);
    pauses.push(await runTimer());
  }
  assert.ok(pauses[0] <= 500 && pauses[2] > pauses[0] && pauses.every((pause) => pause <= 10000), String(pauses));
  asked.at(-1).answer(200, {});
  await settle();
  assert.ok(asked.slice(0, -1).every(({ body }) => body.token === "token-a"));
  assert.equal(asked.at(-1).body.token, "token-b");
  assert.equal(told.state.problem, "");
});

test("half an answer is none: it may have been made", async () => {
  sender.add(decision("a"));
  asked[0].broken();
  await settle();
  assert.equal(told.length, 0);
  await runTimer();
  assert.equal(asked[1].body.token, "token-a");
});

test("what is refused is told, and the rest goes on", async () => {
  for (const name of ["a", "b", "c"]) sender.add(decision(name));
  asked[0].answer(409, { detail: "ben decided" });
  await settle();
  asked[1].answer(400, { detail: "no" });
  await settle();
  asked[2].answer(200, {});
  await settle();
  assert.deepEqual(told.map((one) => one.slice(0, 3)), [["refused", "a", 409], ["refused", "b", 400], ["done", "c", {}]]);
});

test("logged out, everything waits until a person says so", async () => {
  sender.add(decision("a"));
  asked[0].answer(401, { code: "not_authenticated" });
  await settle();
  sender.add(decision("b"));
  assert.equal(asked.length, 1);
  assert.deepEqual([told.state.stopped, told.state.waiting], [true, 2]);
  sender.retry();
  assert.equal(asked.length, 2);
  asked[1].answer(403, { code: "csrf_failed", detail: "" });
  await settle();
  assert.equal(told.state.stopped, true);
  sender.retry();
  asked[2].answer(200, {});
  await settle();
  assert.deepEqual(told.map(([, name]) => name), ["a"]);
});

test("only what was never sent can be taken back", async () => {
  const [a, b] = [decision("a"), decision("b")];
  sender.add(a);
  sender.add(b);
  assert.equal(sender.cancel(b), true);
  assert.equal(sender.cancel(a), false);
  asked[0].lose();
  await settle();
  assert.equal(sender.cancel(a), false, "it may have arrived");
  await runTimer();
  asked[1].answer(200, {});
  await settle();
  assert.equal(asked.length, 2);
  assert.equal(sender.cancel(a), false);
});

test("an undoing of what was refused has nothing to send", async () => {
  const refused = decision("a");
  sender.add(refused);
  sender.add({ name: "undo", token: "t", body: () => (refused.made ? [["action", "undo"]] : null) });
  sender.add(decision("c"));
  asked[0].answer(409, {});
  await settle();
  assert.deepEqual(asked.map(({ body }) => body.action), ["a", "c"]);
});

test("leaving the page asks first while something is on its way", async () => {
  const leave = () => { let stopped = false; listeners.beforeunload({ preventDefault: () => { stopped = true; } }); return stopped; };
  assert.equal(leave(), false);
  sender.add(decision("a"));
  assert.equal(leave(), true);
  asked[0].answer(200, {});
  await settle();
  assert.equal(leave(), false);
});

test("a connection that is there again is tried at once", async () => {
  sender.add(decision("a"));
  asked[0].lose();
  await settle();
  listeners.online();
  assert.equal(asked.length, 2);
});

test("tokens are UUIDs, each another", () => {
  const tokens = new Set(Array.from({ length: 100 }, newToken));
  assert.equal(tokens.size, 100);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

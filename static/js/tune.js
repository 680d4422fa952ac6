/* Trying settings: asks for the stage that is shown, on the frames that are chosen, whenever an option moves. What was
   asked before the last change is dropped, whether it is still on its way or back. */

import { complain, count, mark, set, textOf } from "./options.js";
import { Enlarged } from "./tune/enlarged.js";
import { Pair, change } from "./tune/pictures.js";
import { watchProfile } from "./tune/profile.js";
import { Strip } from "./tune/strip.js";

const PATIENCE = 1200, REMEMBERED = 150;
const setup = JSON.parse(document.getElementById("tune-setup").textContent);
const page = document.getElementById("tune"), form = document.getElementById("replay");
const by = (id) => document.getElementById(id);
const groups = [...form.querySelectorAll("fieldset.option-group")], tabs = [...document.querySelectorAll("#stages [data-stage]")];
const pairs = new Map(); // the cards, by frame
const known = new Map(); // what the job's own options find, by stage, frame and whether with overlays

let stage = form.elements.stage.value;
const plan = () => setup.stages[stage];
const groupOf = (name) => groups.find((group) => group.dataset.stage === name);
const overlay = () => (plan().overlays ? document.querySelector("[name=view]:checked").value.replace("picture", "") : "");
const viewOf = (place) => ({ overlay: overlay(), regions: by("show-regions").checked, labels: place === "enlarged" ? plan().labels : plan().together });
const keyOf = (sequence) => `${stage} ${sequence} ${overlay() ? "overlays" : ""}`;
const isChanged = () => groupOf(stage).querySelector(".option.changed") !== null;

/* what went wrong: beside the option it stands in, else above the pictures */
function say(problem = "", errors = {}) {
  by("tune-error").textContent = problem;
  by("tune-error").hidden = !problem;
  for (const option of groupOf(stage).querySelectorAll(".option")) complain(option, errors[option.dataset.place]);
}

/* cards */
const enlarged = new Enlarged(setup, { go: (sequence, step) => {
  const frames = strip.list, at = frames.findIndex((frame) => frame.sequence === sequence);
  enlarge(frames[(at + step + frames.length) % frames.length].sequence);
} });
function enlarge(sequence) {
  const frames = strip.list, at = frames.findIndex((frame) => frame.sequence === sequence);
  enlarged.open(frames[at], pairs.get(sequence).result, viewOf("enlarged"), `frame ${at + 1} of ${frames.length}`);
}
function remove(sequence) {
  const after = pairs.get(sequence).element.nextElementSibling || pairs.get(sequence).element.previousElementSibling;
  strip.toggle(sequence);
  (after?.querySelector(".remove") || by("strip").querySelector("[tabindex='0']")).focus();
}
function place(frames) {
  for (const [sequence, pair] of pairs) {
    if (frames.some((frame) => frame.sequence === sequence)) continue;
    pair.element.remove();
    pairs.delete(sequence);
  }
  for (const frame of frames) {
    if (!pairs.has(frame.sequence)) pairs.set(frame.sequence, new Pair(frame, setup, { enlarge, remove }));
  }
  by("pairs").replaceChildren(...frames.map((frame) => pairs.get(frame.sequence).element));
  by("no-frames").hidden = frames.length > 0;
}
function paint(sequence, result) {
  const pair = pairs.get(sequence);
  if (!pair) return;
  pair.draw(result, viewOf("card"));
  if (enlarged.sequence === sequence) enlarged.draw(result, viewOf("enlarged"));
}
function repaint() {
  for (const [sequence, pair] of pairs) if (pair.result) paint(sequence, pair.result);
}
function total(done) {
  const results = [...pairs.values()].map((pair) => pair.result).filter(Boolean);
  const skipped = results.find((result) => result.skipped)?.skipped;
  by("tune-skipped").textContent = skipped ? `${plan().word} is skipped: ${skipped}` : "";
  by("tune-skipped").hidden = !skipped;
  const sum = (take) => results.reduce((all, result) => all + take(result), 0);
  const was = sum((result) => result.present.regions.length), now = sum((result) => (result.tried || result.present).regions.length);
  const differs = change({ gained: { length: sum((result) => result.gained.length) }, lost: { length: sum((result) => result.lost.length) } });
  by("total").textContent = done && results.length ? `${results.length} frame${results.length === 1 ? "" : "s"}: ${isChanged() ? `${was} before, ${now} after${differs ? `, ${differs}` : ", no difference"}` : `${was} found`}` : "";
  by("jump-total").textContent = differs || (isChanged() ? "no difference" : `${was} found`);
}

/* asking */
let turn = 0, timer = null, slow = null, running = null;
function refresh(pause = 0) {
  turn += 1;
  running?.abort();
  clearTimeout(timer);
  timer = setTimeout(run, pause);
}
async function run() {
  const mine = turn, aborter = (running = new AbortController());
  const sent = new FormData(form), changed = isChanged(), pictures = overlay();
  const settled = (sequence) => !changed && known.has(keyOf(sequence));
  const wanted = strip.list.map((frame) => frame.sequence).filter((sequence) => {
    if (settled(sequence)) paint(sequence, { present: known.get(keyOf(sequence)), tried: null, lost: [], gained: [], skipped: known.get(keyOf(sequence)).skipped });
    return !settled(sequence);
  });
  say();
  if (!wanted.length) {
    rest();
    return;
  }
  wanted.sort((one, other) => (other === enlarged.sequence) - (one === enlarged.sequence));
  const batches = plan().together ? [wanted] : wanted.map((sequence) => [sequence]), times = [];
  begin(batches.flat());
  async function work() {
    for (let batch = batches.shift(); batch && mine === turn; batch = batches.shift()) {
      const began = performance.now(), answer = await ask(sent, batch, pictures, aborter.signal);
      if (mine !== turn) return;
      times.push(performance.now() - began);
      for (const sequence of batch) keep(sequence, answer.frames[sequence]);
    }
  }
  try {
    await Promise.all(Array.from({ length: plan().abreast }, work));
    if (mine === turn) rest(times);
  } catch (error) {
    if (mine !== turn || error.name === "AbortError") return;
    turn += 1; // what is still on its way would fail as well
    rest();
    for (const pair of pairs.values()) if (pair.element.hasAttribute("aria-busy")) pair.clear();
    by("total").textContent = "";
    say(error instanceof TypeError ? "The server cannot be reached." : error.problem ?? error.message, error.errors);
  }
}
async function ask(sent, sequences, pictures, signal) {
  const body = new URLSearchParams(sent);
  body.set("stage", stage);
  body.set("frames", sequences.join(","));
  if (pictures) body.set("overlays", "yes");
  if (sequences.every((sequence) => known.has(keyOf(sequence)))) body.set("known", "yes");
  const response = await fetch(setup.try, { method: "POST", body, signal, credentials: "same-origin", headers: { Accept: "application/json" } });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw Object.assign(new Error(answer?.detail || `The server answered ${response.status}.`), answer || {});
}
function keep(sequence, { present, tried, lost, gained, skipped }) {
  const key = keyOf(sequence), own = present ? { ...present, skipped } : known.get(key);
  known.delete(key);
  known.set(key, own); // last, as the one used last
  if (known.size > REMEMBERED) known.delete(known.keys().next().value);
  paint(sequence, { present: own, tried, lost, gained, skipped });
}
function begin(sequences) {
  page.classList.add("busy");
  sequences.forEach((sequence) => pairs.get(sequence)?.wait());
  clearTimeout(slow);
  slow = setTimeout(() => { by("tune-time").textContent = "working; the first time, models are loaded"; }, PATIENCE);
}
function rest(times = []) {
  clearTimeout(slow);
  page.classList.remove("busy");
  const middle = times.sort((one, other) => one - other)[Math.floor(times.length / 2)];
  by("tune-time").textContent = middle === undefined ? "" : `${middle < 1000 ? `${Math.round(middle)} ms` : `${(middle / 1000).toFixed(1)} s`}${plan().together ? "" : " a frame"}`;
  total(true);
}

/* frames */
const strip = new Strip(setup, {
  change(frames) {
    place(frames);
    remember();
    refresh();
  },
  fail: (text) => say(text),
});
function remember() {
  const address = new URL(location.href);
  address.searchParams.delete("frame");
  address.searchParams.set("stage", stage);
  address.searchParams.set("frames", strip.list.map((frame) => frame.sequence).join(","));
  history.replaceState(null, "", address);
}

/* options */
function tally() {
  const changed = groups.map((group) => group.querySelectorAll(".option.changed").length);
  groups.forEach((group, at) => {
    group.querySelector("[data-reset-stage]").hidden = !changed[at];
    const tag = tabs[at].querySelector(".option-count");
    tag.hidden = !changed[at];
    tag.textContent = `${changed[at]} changed`;
  });
  const all = changed.reduce((sum, one) => sum + one, 0), stages = changed.filter(Boolean).length, first = changed.findIndex(Boolean);
  const start = first < 0 ? stage : groups[first].dataset.stage, moved = form.elements.start_stage.value !== start;
  form.elements.start_stage.value = start;
  by("start-word").textContent = setup.stages[start].word.toLowerCase();
  by("changed-all").textContent = all ? `${all} changed${stages > 1 ? ` in ${stages} stages` : ""}` : "nothing is changed yet";
  if (moved) form.dispatchEvent(new Event("estimate"));
}
const valuesOf = () => [...groupOf(stage).querySelectorAll(".option.changed")].map((option) => `${option.dataset.place}=${textOf(option)}`).join("\n");
let values = "";
function changed(pause = 0) {
  tally();
  const before = values; // leaving a field that was not changed since is told as a change too
  values = valuesOf();
  if (values !== before) refresh(pause);
}
form.addEventListener("options", () => changed(plan().pause));
for (const group of groups) {
  group.querySelector("[data-reset-stage]").addEventListener("click", () => {
    for (const option of group.querySelectorAll(".option")) {
      set(option, option.dataset.default);
      mark(option);
    }
    count(form);
    group.querySelector(".option input:not([type=hidden], [type=range]), .option select").focus();
    form.dispatchEvent(new Event("estimate"));
    changed();
  });
}
/* Enter in a field is not a wish to start a replay */
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input")) return;
  event.preventDefault();
  if (event.target.closest("#save-profile")) by("save-button").click();
});
form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.value === "start") setTimeout(() => { button.disabled = true; }, 0);
});
addEventListener("pageshow", () => form.querySelectorAll("button[value=start]").forEach((button) => { button.disabled = false; }));

/* stages and views */
function show(name) {
  stage = name;
  form.elements.stage.value = name;
  groups.forEach((group) => { group.hidden = group.dataset.stage !== name; });
  for (const tab of tabs) {
    if (tab.dataset.stage === name) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  by("views").hidden = !plan().overlays;
  by("tune-skipped").hidden = true;
  by("total").textContent = by("jump-total").textContent = by("tune-time").textContent = "";
}
by("stages").addEventListener("click", (event) => {
  const tab = event.target.closest("[data-stage]");
  if (!tab || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  if (tab.dataset.stage === stage) return;
  show(tab.dataset.stage);
  for (const pair of pairs.values()) pair.clear();
  values = valuesOf();
  tally();
  remember();
  refresh();
});
document.querySelectorAll("[name=view]").forEach((radio) => radio.addEventListener("change", () => refresh()));
by("show-regions").addEventListener("change", repaint);
addEventListener("resize", repaint);

watchProfile(form);
show(stage);
place(strip.list);
values = valuesOf();
tally();
refresh();

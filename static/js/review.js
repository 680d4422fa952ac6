/* The review: one key a decision, the next card at once, the decision on its way behind it. What each part does is told
   in review/: the cards that are loaded, the decisions on their way, the questions, the pictures. */

import { Choice } from "./review/choice.js";
import { brandAsker, nameAsker } from "./review/choosing.js";
import { Deck } from "./review/deck.js";
import { frameViewer, watchPictures } from "./review/frames.js";
import { followOthers } from "./review/others.js";
import { drawSaving, plural, problem, say, tell, unsay } from "./review/saying.js";
import { newToken, Sender } from "./review/sender.js";
import { Sitting } from "./review/sitting.js";

const review = document.getElementById("review");
const form = document.getElementById("decide");
const mayDecide = "mayDecide" in review.dataset;
const part = (id) => document.getElementById(id);
const KEYS = {
  Enter: "confirm", c: "confirm", n: "new", r: "new", a: "alias", x: "reject", Delete: "reject", s: "skip", ArrowRight: "skip",
  ArrowLeft: "back", u: "undo", z: "undo", p: "split", m: "tick", f: "frame", "?": "help", "/": "filter", 1: "guess", 2: "guess", 3: "guess", 4: "guess",
};
const LOOKING = new Set(["skip", "back", "frame", "help", "filter", "again"]);
const GUARD = 700; // milliseconds in which a card that came by itself is not decided on: the key was meant for another

document.documentElement.classList.add("scripted");
watchPictures(review);

let guardedUntil = 0;
const revisions = new Map(); // of groups, as the reader has seen them
const onTheWay = new Map(); // groups in decisions that are not saved, with their number
const sitting = new Sitting(part("sitting"), form?.querySelector("[data-do=undo]"));

const deck = new Deck(review, {
  changed: (card) => drawCard(card),
  totals: drawTotals,
  busy: (id) => onTheWay.has(String(id)),
});
const sender = form && new Sender(review.dataset.decide, form.elements.csrfmiddlewaretoken.value, {
  done, refused, changed: (state) => drawSaving(state, () => sender.retry()),
});
const choice = form && new Choice(deck, form, review.dataset.effect, { refOf, isQuiet: () => onTheWay.size === 0 });
const openFrame = frameViewer(part("frame-dialog"));

/* --- what is seen ------------------------------------------------------------------------------------------------ */

function drawCard(card) {
  const atEnd = !card && !deck.isLoading;
  part("loading").hidden = Boolean(card) || !deck.isLoading;
  part("empty").hidden = !atEnd || leftGroups() > 0;
  part("seen-all").hidden = !atEnd || leftGroups() === 0;
  if (form) form.hidden = !card && !sitting.hasSome;
  if (card) {
    if (form) {
      part("present").value = card.dataset.ref;
      const proposed = card.dataset.kind === "proposed";
      form.querySelector("[data-word=new]").textContent = proposed ? "Rename" : "New brand";
      form.querySelector("[data-key=new]").textContent = proposed ? "r" : "n";
    }
  } else {
    part("skipped").textContent = plural(leftGroups(), "decision");
  }
  if (form) for (const button of form.querySelectorAll("[data-do]")) if (!["undo", "back"].includes(button.dataset.do)) button.disabled = !card;
  choice?.draw();
}

function focusCard() {
  const title = (deck.present || review.querySelector(".rv-end:not([hidden])"))?.querySelector("h2");
  title?.focus({ preventScroll: true });
  if (title && title.getBoundingClientRect().top < 0) review.scrollIntoView();
}

function drawTotals({ groups, groupsWords, secondsWords }) {
  review.dataset.groups = groups;
  document.querySelector("[data-left=groups]").textContent = groupsWords;
  document.querySelector("[data-left=seconds]").textContent = secondsWords;
  const count = review.dataset.query ? null : document.querySelector("nav [aria-current] .count");
  if (count) count.firstChild.data = groups;
  if (!deck?.present) drawCard(null);
}

/* What the server counts, less what is on its way there. */
function leftGroups() { return Math.max(0, Number(review.dataset.groups) - onTheWay.size); }

/* --- deciding ------------------------------------------------------------------------------------------------------ */

/* A group and its revision: as it was shown, or as the reader's own decision has left it since. */
function refOf(id) {
  const [, revision] = (deck.find(id)?.dataset.ref ?? "").split(":");
  return `${id}:${Math.max(Number(revision || 0), revisions.get(String(id)) ?? 0)}`;
}

const SENTENCES = {
  confirm: (names) => `${names} confirmed`,
  reject: (names) => `${names} is not a brand`,
  new: (names, name) => `${names} is ${name}, a new brand`,
  alias: (names, name) => `${names} is ${name}`,
};

function decide(action, { fields = [["action", action]], name = "" } = {}) {
  const { cards } = choice;
  if (!cards.length || "busy" in cards[0].dataset) return;
  const names = `'${cards[0].dataset.name}'${cards.length > 1 ? ` and ${cards.length - 1} more` : ""}`;
  const decision = make(cards, fields, SENTENCES[action](names, name));
  choice.untick();
  deck.take(cards);
  sitting.add(decision);
  finish(decision);
}

function make(cards, fields, sentence) {
  const ids = cards.map((card) => card.dataset.group), refs = new Map(ids.map((id) => [id, refOf(id)]));
  const body = () => [...fields, ["query", review.dataset.query], ...ids.map((id) => ["groups", latest(refs.get(id))])];
  return { token: newToken(), ids, cards, sentence, body, kind: "decide" };
}

/* The reader's own decisions on the way before this one may have changed the group: that is no surprise. */
function latest(ref) {
  const [id, revision] = ref.split(":");
  return `${id}:${Math.max(Number(revision), revisions.get(id) ?? 0)}`;
}

function finish(decision) {
  for (const id of decision.ids) onTheWay.set(id, (onTheWay.get(id) ?? 0) + 1);
  say(decision.sentence);
  tell(decision.sentence, deck.present);
  focusCard();
  sender.add(decision);
}

function settled(decision) {
  for (const id of decision.ids) {
    const count = onTheWay.get(id) - 1;
    if (count) onTheWay.set(id, count);
    else onTheWay.delete(id);
  }
}

function split() {
  const card = deck.present, items = choice.pictures;
  if (!card || !items.length || "busy" in card.dataset) return;
  const fields = [["action", "split"], ...items.map((item) => ["items", item])];
  const decision = { ...make([card], fields, `${plural(items.length, "picture")} split off '${card.dataset.name}'`), kind: "split" };
  card.dataset.busy = "";
  sitting.add(decision);
  finish(decision);
}

function undo() {
  const last = sitting.pop();
  if (!last) return;
  if (last.token && sender.cancel(last)) {
    settled(last);
    say(`Taken back: ${last.sentence}`);
    return bring(last);
  }
  const body = () => (last.decision ? [["action", `undo:${last.decision}`], ["query", review.dataset.query]] : null);
  const decision = { token: newToken(), ids: last.ids, cards: [], sentence: `Undone: ${last.sentence}`, body, kind: "undo", of: last };
  if (last.kind === "decide" && last.cards.length) bring(last);
  finish(decision);
}

function bring({ cards = [] }) {
  delete cards[0]?.dataset.busy;
  deck.putBack(cards, { first: true });
  focusCard();
}

/* --- what the server said ------------------------------------------------------------------------------------------ */

function done(decision, answer) {
  settled(decision);
  decision.decision = answer.decision;
  sitting.saved(decision);
  others.own(answer.decision);
  for (const { id, revision } of answer.groups) {
    const known = revisions.get(String(id)) ?? Number(refOf(id).split(":")[1]);
    if (revision === known + 1 || decision.ids.includes(String(id))) revisions.set(String(id), revision);
  }
  if (!sender.waiting || decision.kind !== "decide") say(answer.sentence, answer.settled);
  const { groups, groups_words: groupsWords, seconds_words: secondsWords } = answer.left;
  drawTotals({ groups, groupsWords, secondsWords });
  const touched = answer.groups.map(({ id }) => id);
  if (decision.kind === "undo") {
    deck.reload(touched, { place: "first" }).then((added) => { if (added.length) came(); });
  } else if (decision.kind === "split") {
    deck.reload(touched, { place: "next" });
  } else {
    const here = touched.filter((id) => deck.find(id));
    if (here.length) deck.reload(here);
  }
}

/* A card that the reader did not ask for at this moment. */
function came() {
  guardedUntil = performance.now() + GUARD;
  focusCard();
}

function refused(decision, status, answer) {
  settled(decision);
  sitting.drop(decision);
  delete decision.cards[0]?.dataset.busy;
  const sentence = answer.detail || `The server refused it (${status})`;
  const address = answer.decision && `${review.dataset.history}?decision=${answer.decision}`;
  unsay(decision.sentence);
  problem(`Not made: ${decision.sentence}. ${sentence}`, { address, closed: focusCard });
  if (decision.kind === "undo") sitting.add(decision.of);
  if (decision.ids.length) deck.reload(decision.ids, { place: "next" });
}

const others = followOthers(review, {
  idle: () => !sender?.waiting,
  results: async () => { await (deck.present ? deck.refreshTotals() : deck.restart()); },
  decided: async (messages) => {
    const before = deck.present;
    await deck.reload([...new Set(messages.flatMap(({ groups }) => groups))]);
    if (!before || deck.present === before || deck.find(before.dataset.group)) return;
    const about = messages.find(({ groups }) => groups.map(String).includes(before.dataset.group));
    if (!about) return;
    const sentence = `${about.who} decided: ${about.sentence}`;
    if (form) say(sentence);
    tell(sentence, deck.present);
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
    came();
  },
});

/* --- buttons and keys ---------------------------------------------------------------------------------------------- */

const askName = mayDecide && nameAsker(part("name-dialog"), {
  effect: choice.effect, chosen: (name) => decide("new", { fields: [["action", "new"], ["name", name]], name }),
});
const alias = ({ id, name }) => decide("alias", { fields: [["action", `alias:${id}`]], name });
const askBrand = mayDecide && brandAsker(part("alias-dialog"), {
  address: review.dataset.brands, effect: choice.effect, chosen: alias, make: (name) => openName(name),
});
const openName = (name) => {
  const proposed = deck.present.dataset.kind === "proposed";
  askName({ title: proposed ? "Its right name" : "New brand", word: proposed ? "Rename and confirm" : "Make it a brand", name });
};
const guessButtons = () => [...(deck.present?.querySelectorAll("[data-brand]") ?? [])];
const guessOf = (button) => ({ id: button.dataset.brand, name: button.dataset.brandName });

const ACTIONS = {
  confirm: () => decide("confirm"),
  reject: () => decide("reject"),
  new: () => deck.present && openName(deck.present.dataset.name),
  alias: () => deck.present && askBrand(guessButtons().map(asChoice)),
  guess: (key) => { const button = guessButtons()[Number(key) - 1]; if (button) alias(guessOf(button)); },
  split,
  undo,
  skip: () => { deck.skip(); focusCard(); },
  back: () => { deck.back(); focusCard(); },
  tick: () => choice.tickNext(),
  frame: () => { const link = deck.present?.querySelector(".rv-picture"); if (link) openFrame(link); },
  help: () => part("help-dialog")?.showModal(),
  filter: () => part("f-text").select(),
  again: async () => { await deck.restart(); focusCard(); },
};

function asChoice(button, place) {
  const choice = document.createElement("li");
  choice.append(...[...button.children].filter((child) => child.tagName !== "KBD").map((child) => child.cloneNode(true)));
  choice.id = `guess-${place + 1}`;
  choice.setAttribute("role", "option");
  choice.setAttribute("aria-selected", "false");
  Object.assign(choice.dataset, { brand: button.dataset.brand, brandName: button.dataset.brandName });
  return choice;
}

function act(name, key) {
  if (!LOOKING.has(name) && (!mayDecide || performance.now() < guardedUntil)) return;
  ACTIONS[name](key);
}

document.addEventListener("keydown", (event) => {
  const { target } = event, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && key !== "?") || event.isComposing) return;
  if (document.querySelector("dialog[open]") || target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (key === "Enter" && target.closest("a, button, summary")) return;
  const name = key === "Enter" && !part("seen-all").hidden ? "again" : KEYS[key];
  if (!name) return;
  event.preventDefault();
  if (event.repeat && !["skip", "back"].includes(name)) return; // a key held down decides once
  act(name, key);
});

document.addEventListener("click", (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const button = target.closest("[data-do], [data-brand]:not([role=option])"), link = target.closest(".rv-picture"), jump = target.closest(".rv-jump");
  if (!button && !link && !jump) return;
  event.preventDefault();
  if (link) openFrame(link);
  else if (jump) { deck.jump(deck.find(jump.closest("li").dataset.group)); focusCard(); }
  else if (button.dataset.do) act(button.dataset.do);
  else if (performance.now() >= guardedUntil) alias(guessOf(button));
});
document.addEventListener("change", ({ target }) => { if (target.matches("#rows input, .rv-tick input")) choice.draw(); });
form?.addEventListener("submit", (event) => event.preventDefault());
part("help-dialog")?.addEventListener("click", ({ target, currentTarget }) => { if (target === currentTarget || "close" in target.dataset) currentTarget.close(); });

drawCard(deck.present);
sitting.draw();

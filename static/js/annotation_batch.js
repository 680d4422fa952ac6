/* A batch's page follows it: the bar and the log at once, the grid as often as people can see. */

import { ENDED, followBatches, seldom } from "./annotation/stream.js";
import { refresh } from "./morph.js";
import { keepTime } from "./spent.js";

const PARTS = ["live-head", "live-now", "live-grid"];
const AT_MOST_EVERY = 1000, LOOK_EVERY = 10000;
const MOST_LINES = 2000;
const LINE = /^\[([\d:]+)\] ([A-Z]+) +([^]*)$/;

const page = document.getElementById("batch");
const one = (selector) => page.querySelector(selector);
const states = { open: "live", waiting: "connection lost, trying again", ended: "" };
let state = page.dataset.state, word = "";

const tell = (said) => {
  word = said;
  page.dataset.live = said;
  const place = one(".live-state");
  if (place.textContent !== states[said]) place.textContent = states[said];
};

const soon = seldom(async () => {
  const fresh = await refresh(PARTS);
  const now = fresh?.getElementById("batch");
  if (!now) return;
  state = now.dataset.state;
  if (now.dataset.started) page.dataset.started = now.dataset.started;
  document.title = fresh.title;
  if (word) tell(ENDED.has(state) ? "ended" : word);
}, AT_MOST_EVERY);

/* the log goes along with its end until the reader scrolls up */
const log = one(".log"), toEnd = one(".log-end");
let along = true;
const goToEnd = () => { log.scrollTop = log.scrollHeight; };
log.addEventListener("scroll", () => {
  along = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  toEnd.hidden = along;
});
toEnd.addEventListener("click", () => { along = true; goToEnd(); });
goToEnd();
function write(line) {
  const [, at, level, text] = LINE.exec(line) ?? [null, "", "INFO", line];
  log.querySelector(".empty")?.remove();
  const item = document.createElement("li"), time = document.createElement("time"), span = document.createElement("span");
  item.className = level.toLowerCase();
  time.textContent = at;
  span.textContent = text;
  span.dir = "auto";
  item.append(time, " ", span);
  log.append(item);
  while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
  if (along) goToEnd();
}

function show(data) {
  const bar = one("progress.whole");
  if (bar) bar.value = data.progress_pct / 100;
  one(".now-percent").textContent = `${Math.round(data.progress_pct)} %`;
  one("#now-stage").textContent = data.current_stage ?? "";
}

keepTime(page, () => state === "running");

if (!ENDED.has(state)) {
  const looking = setInterval(soon, LOOK_EVERY);
  const following = followBatches({
    job: page.dataset.job,
    after: Number(page.dataset.last),
    onEvent(kind, data) {
      if (kind === "job.log") write(data.line);
      else {
        show(data);
        if (ENDED.has(data.state)) {
          following.close();
          clearInterval(looking);
          tell("ended");
        }
      }
      soon();
    },
    onState(said) { if (!ENDED.has(state)) tell(said); },
  });
}

/* A job's page while there is no report yet: follows its events, brings its parts up to date, and makes way for the report. */

import { refresh } from "./morph.js";
import { keepTime } from "./spent.js";

const page = document.querySelector(".live");
const PARTS = ["live-now", "live-stages", "live-workers", "live-brands", "live-head"];
const AT_MOST_EVERY = 900;
const POLL_EVERY = 3000;
const MOST_LINES = 2000;

if (page) {
  let status = page.dataset.status;
  const one = (selector) => document.querySelector(selector);

  /* parts of the page, not more often than people can see */
  let due = null, asked = 0, busy = false, moved = null;
  const soon = () => {
    if (due || busy) return;
    due = setTimeout(bring, Math.max(0, asked + AT_MOST_EVERY - Date.now()));
  };
  let again = false;
  async function bring() {
    due = null;
    if (busy) { again = true; return; }
    busy = true;
    asked = Date.now();
    const fresh = await refresh(PARTS.filter((id) => document.getElementById(id)));
    busy = false;
    if (fresh) {
      const now = fresh.querySelector(".live");
      if (!now) return location.reload(); // the report is there
      status = now.dataset.status;
      if (now.dataset.started) page.dataset.started = now.dataset.started;
      document.title = fresh.title;
      if (moved?.at > asked) show(moved.data); // what was fetched is older than that
      tell();
      const workers = document.getElementById("live-workers"), next = fresh.getElementById("live-workers");
      if (workers && !next) workers.remove();
      if (!workers && next) one(".side").prepend(document.importNode(next, true));
    }
    if (again) { again = false; soon(); }
  }

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
  function write({ level, line }) {
    log.querySelector(".empty")?.remove();
    const item = document.createElement("li"), time = document.createElement("time"), text = document.createElement("span");
    item.className = level;
    time.textContent = new Date().toISOString().slice(11, 19);
    text.textContent = line;
    item.append(time, " ", text);
    log.append(item);
    while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
    if (along) goToEnd();
  }

  function show(data) {
    const bar = one("progress.whole"), percent = `${Math.round(data.progress * 100)} %`;
    if (bar) bar.value = data.progress;
    one(".now-percent").textContent = percent;
  }

  keepTime(page, () => status === "running");

  const states = { connecting: "", open: "live", waiting: "connection lost, trying again", ended: "", refused: "not live: reload the page" };
  let word = "";
  const tell = (said = word) => {
    const place = one(".live-state");
    word = said;
    if (place && place.textContent !== word) place.textContent = word;
  };
  let ended = null;
  let polling = setInterval(() => { if (["pending", "running"].includes(status)) soon(); }, POLL_EVERY);

  function begin(after) {
    if (!window.live) return;
    window.live.follow(page.dataset.job, {
      after,
      onEvent(event) {
        if (event.kind === "job.log") return write(event.data);
        if (event.kind === "job.update") {
          moved = { data: event.data, at: Date.now() };
          show(event.data);
        }
        soon();
      },
      onState(state, detail) {
        page.dataset.live = state;
        tell(states[state] || "");
        if (state === "open") { clearInterval(polling); polling = setInterval(soon, 5 * POLL_EVERY); }
        if (state === "ended") {
          ended = detail.last;
          clearInterval(polling);
          if (detail.status === "completed") return location.reload();
          if (detail.status === "deleted") return location.assign(page.dataset.list ?? "/jobs");
          soon();
        }
      },
    });
  }
  addEventListener("DOMContentLoaded", () => begin(Number(page.dataset.last)));
  if (document.readyState === "complete") begin(Number(page.dataset.last));

  for (const image of document.querySelectorAll("img[data-optional]")) {
    const hide = () => { image.closest(".now-pictures").hidden = true; };
    image.addEventListener("error", hide);
    if (image.complete && !image.naturalWidth) hide();
  }
}

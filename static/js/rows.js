/* Rows of jobs that move with their jobs: elements with the id `job-ID` and data-status, with a bar and places for
   figures in them. What the server has to say anew (a job that ended, one that was not there) is asked for by ids. */

import { refresh } from "./morph.js";

const AT_MOST_EVERY = 1500;
const POLL_EVERY = 5000;
const OPEN = new Set(["pending", "running", "paused"]);

/* `parts`: ids of what is asked for anew when a job changes its state or stage, or one that `takesNew` appears.
   `after(fresh)` is called behind that, with the new document. Gives {soon}, to ask for it from elsewhere too. */
export function followRows({ parts, takesNew = () => true, after = () => {} }) {
  let due = null, asked = 0;
  function soon() {
    if (due) return;
    due = setTimeout(async () => {
      asked = Date.now();
      const fresh = await refresh(parts);
      due = null;
      after(fresh);
    }, Math.max(0, asked + AT_MOST_EVERY - Date.now()));
  }

  function show(row, data) {
    const bar = row.querySelector("progress");
    if (bar) bar.value = data.progress;
    const percent = row.querySelector(".row-percent"), found = row.querySelector(".row-brands");
    if (percent) percent.textContent = `${Math.round(data.progress * 100)}%`;
    if (found && data.brands_found) found.textContent = `${data.brands_found} brand${data.brands_found === 1 ? "" : "s"} so far`;
    if (data.stage !== row.dataset.stage) {
      if (row.dataset.stage !== undefined) soon();
      row.dataset.stage = data.stage;
    }
  }

  let polling = null;
  const underWay = () => document.querySelector("[id^=job-][data-status=running], [id^=job-][data-status=pending]");
  const poll = (on) => {
    clearInterval(polling);
    polling = on ? setInterval(() => { if (underWay()) soon(); }, POLL_EVERY) : null;
  };
  poll(true);

  const known = new Map();
  const begin = () => window.live?.followAll({
    onEvent({ job_id: id, data }) {
      const row = document.getElementById(`job-${id}`), before = known.get(id);
      known.set(id, data.status);
      if (row && row.dataset.status === data.status) return show(row, data);
      const news = before === undefined ? OPEN.has(data.status) : before !== data.status;
      if (row || (news && takesNew())) soon();
    },
    onState(state) { poll(state !== "open"); },
  });
  if (window.live) begin();
  else addEventListener("DOMContentLoaded", begin);
  return { soon };
}

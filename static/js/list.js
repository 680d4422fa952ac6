/* The list of jobs: bars that move, rows that change with their jobs, ticking. */

import { refresh } from "./morph.js";

const rows = document.getElementById("job-rows");
const AT_MOST_EVERY = 1500;
const POLL_EVERY = 5000;
const OPEN = new Set(["pending", "running", "paused"]);

if (rows) {
  let due = null, asked = 0;
  const soon = () => {
    if (due) return;
    due = setTimeout(async () => {
      asked = Date.now();
      await refresh(["job-counts", "job-rows"]);
      due = null;
      count();
    }, Math.max(0, asked + AT_MOST_EVERY - Date.now()));
  };

  const rowOf = (id) => document.getElementById(`job-${id}`);
  function show(row, data) {
    const bar = row.querySelector("progress");
    if (bar) bar.value = data.progress;
    const percent = row.querySelector(".row-percent"), found = row.querySelector(".row-brands");
    if (percent) percent.textContent = `${Math.round(data.progress * 100)}%`;
    if (found && data.brands_found) found.textContent = `${data.brands_found} so far`;
    if (data.stage !== row.dataset.stage) {
      if (row.dataset.stage !== undefined) soon();
      row.dataset.stage = data.stage;
    }
  }

  let polling = null;
  const poll = (on) => {
    clearInterval(polling);
    polling = on ? setInterval(() => { if (rows.querySelector("[data-status=running], [data-status=pending]")) soon(); }, POLL_EVERY) : null;
  };
  poll(true);
  addEventListener("DOMContentLoaded", () => {
    const known = new Set();
    window.live?.followAll({
      onEvent({ job_id: id, data }) {
        const row = rowOf(id), isNew = !known.has(id);
        known.add(id);
        if (row && row.dataset.status === data.status) return show(row, data);
        if (row || (rows.dataset.page === "1" && (!isNew || OPEN.has(data.status)))) soon();
      },
      onState(state) { poll(state !== "open"); },
    });
  });

  /* ticking */
  const bulk = document.getElementById("bulk");
  const ticks = () => [...rows.querySelectorAll("tbody .tick input")];
  function count() {
    if (!bulk) return;
    const chosen = ticks().filter((tick) => tick.checked).length;
    bulk.classList.toggle("some", chosen > 0);
    bulk.querySelector(".bulk-count").textContent = chosen === 1 ? "1 job chosen" : `${chosen} jobs chosen`;
    const all = rows.querySelector(".tick-all");
    if (all) {
      all.checked = chosen > 0 && chosen === ticks().length;
      all.indeterminate = chosen > 0 && chosen < ticks().length;
    }
  }
  let lastTicked = null;
  rows.addEventListener("click", (event) => {
    const tick = event.target;
    if (!tick.matches?.(".tick input")) return;
    if (tick.matches(".tick-all")) ticks().forEach((other) => { other.checked = tick.checked; });
    else {
      const all = ticks(), from = all.indexOf(lastTicked), to = all.indexOf(tick);
      if (event.shiftKey && from >= 0) for (const other of all.slice(Math.min(from, to), Math.max(from, to) + 1)) other.checked = tick.checked;
      lastTicked = tick;
    }
    count();
  });
  bulk?.classList.add("with-script");
  count();
  document.querySelectorAll("img[data-optional]").forEach((image) => {
    const hide = () => { image.classList.add("gone"); };
    image.addEventListener("error", hide);
    if (image.complete && !image.naturalWidth) hide();
  });
  document.querySelector(".filters")?.addEventListener("submit", (event) => {
    for (const field of event.target.elements) if (!field.value || (field.name === "ordering" && field.selectedIndex === 0)) field.disabled = true;
  });
}

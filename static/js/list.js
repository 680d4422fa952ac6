/* The list of jobs: rows that move with their jobs, ticking. */

import "./pictures.js";
import { followRows } from "./rows.js";

const rows = document.getElementById("job-rows");

if (rows) {
  followRows({ parts: ["job-counts", "job-rows"], takesNew: () => rows.dataset.page === "1", after: () => count() });

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
  document.querySelector(".filters")?.addEventListener("submit", (event) => {
    for (const field of event.target.elements) if (!field.value || (field.name === "ordering" && field.selectedIndex === 0)) field.disabled = true;
  });
}

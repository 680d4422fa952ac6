/* The form of a replay: changed options are marked, and the estimate follows them. */

import { watch } from "./options.js";

const form = document.getElementById("replay");

if (form) {
  const AFTER = Number(form.dataset.estimateAfter || 500); // milliseconds without a change
  let timer = null, turn = 0;
  const place = () => document.getElementById("estimate");
  async function estimate() {
    const mine = ++turn, data = new FormData(form);
    data.set("do", "estimate");
    place().setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.action, { method: "POST", body: data, headers: { "X-Part": "estimate" }, credentials: "same-origin" });
      const text = await response.text();
      if (mine !== turn) return;
      const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("estimate");
      if (!fresh) throw new Error();
      const open = place().querySelector("details")?.open;
      place().replaceWith(document.importNode(fresh, true));
      if (open && place().querySelector("details")) place().querySelector("details").open = true;
    } catch {
      if (mine === turn) place().removeAttribute("aria-busy");
    }
  }
  const later = (after = AFTER) => {
    clearTimeout(timer);
    timer = setTimeout(estimate, after);
  };
  watch(form, () => {
    form.dispatchEvent(new Event("options"));
    later();
  });
  form.addEventListener("estimate", () => later());
  later(0);
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value !== "estimate") return;
    event.preventDefault();
    later(0);
  });
}

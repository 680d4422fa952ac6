/* A dataset's page: looking for videos while the list fills, ticking them, presets that fill the form in. */

import { count, mark, set, watch } from "./options.js";
import { refresh } from "./morph.js";

const LOOK_EVERY = 1500;

/* looking again */
const look = document.getElementById("look"), looking = document.getElementById("look-state");
async function lookAgain() {
  const button = look.querySelector("button");
  button.disabled = true;
  looking.hidden = false;
  looking.textContent = "Looking through the folder: each file is opened once…";
  const polling = setInterval(async () => { await refresh(["videos"]); counted(); }, LOOK_EVERY);
  let text = "";
  try {
    const response = await fetch(look.action, { method: "POST", body: new FormData(look), credentials: "same-origin", headers: { Accept: "text/html" } });
    text = await response.text();
  } catch {
    text = "";
  }
  clearInterval(polling);
  const told = new DOMParser().parseFromString(text, "text/html").getElementById("told");
  if (told) document.getElementById("told").replaceChildren(...told.children);
  await refresh(["videos", "look"]);
  looking.hidden = Boolean(told);
  if (!told) looking.textContent = "The server did not answer: it may be at it still. Reload the page to see what is there.";
  button.disabled = false;
  counted();
}
look?.addEventListener("submit", (event) => {
  event.preventDefault();
  lookAgain();
});
if (look?.hasAttribute("data-now") && !document.querySelector("#videos tbody")) lookAgain();

/* ticking */
const form = document.getElementById("launch");
const ticks = () => [...document.querySelectorAll("input[name=videos]")];
let before = null;
document.getElementById("videos").addEventListener("click", (event) => {
  const box = event.target;
  if (box.id === "tick-all") for (const one of ticks()) one.checked = box.checked;
  if (box.name === "videos") {
    const all = ticks(), to = all.indexOf(box), from = all.indexOf(before);
    if (event.shiftKey && from >= 0) for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
    before = box;
  }
  counted();
});
document.getElementById("videos").addEventListener("change", () => counted());

const plural = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
function counted() {
  if (!form) return;
  const all = ticks(), ticked = all.filter((one) => one.checked).length, head = document.getElementById("tick-all");
  const everything = document.getElementById("everything");
  if (head) {
    head.checked = all.length > 0 && ticked === all.length;
    head.indeterminate = ticked > 0 && ticked < all.length;
  }
  const videos = everything?.checked ? Number(everything.dataset.count) : ticked;
  const pipelines = form.querySelectorAll("input[name=pipelines]:checked").length;
  const go = document.getElementById("go"), why = document.getElementById("go-why");
  go.disabled = !videos || !pipelines;
  go.textContent = videos && pipelines ? `Start: ${plural(videos, "video")} × ${plural(pipelines, "pipeline")}` : "Start the batch";
  why.textContent = !videos ? "Tick at least one video." : !pipelines ? "Tick at least one pipeline." : "";
}

/* pipelines and presets */
if (form) {
  const texts = JSON.parse(document.getElementById("preset-texts").textContent);
  const preset = document.getElementById("preset");
  const describe = () => {
    for (const one of document.querySelectorAll("#preset-help [data-preset]")) one.hidden = one.dataset.preset !== preset.value;
  };
  const fill = () => {
    describe();
    const wanted = texts[preset.value];
    if (!wanted) return;
    for (const part of form.querySelectorAll("[data-pipeline]")) {
      const box = part.querySelector("input[name=pipelines]"), values = wanted[part.dataset.pipeline];
      box.checked = values !== undefined && !box.disabled;
      for (const option of part.querySelectorAll(".option")) {
        set(option, values?.[option.dataset.place.split(".")[1]] ?? option.dataset.default);
        mark(option);
      }
    }
    count(form);
    counted();
  };
  document.getElementById("fill")?.remove();
  preset?.addEventListener("change", fill);
  if (preset) describe();
  watch(form);
  for (const option of form.querySelectorAll(".option")) mark(option);
  count(form);
  form.addEventListener("change", counted);
  counted();
}

/* The page of batches: rows move with their batches; a folder is chosen by going through the allowed ones. */

import { followBatches, seldom } from "./annotation/stream.js";
import { refresh } from "./morph.js";

const AT_MOST_EVERY = 1500;

if (document.getElementById("batch-rows")) {
  const soon = seldom(() => refresh(["batch-rows"]), AT_MOST_EVERY);
  followBatches({ onEvent: (kind) => { if (kind === "job.update") soon(); } });
}
document.getElementById("wrong")?.focus();

const folder = document.getElementById("folder"), path = document.getElementById("base_path");
const make = (tag, className = "", text = "") => Object.assign(document.createElement(tag), { className, textContent: text });

async function ask(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail || `The server answered ${response.status}.`);
  return body;
}

async function list(place, choose) {
  folder.setAttribute("aria-busy", "true");
  try {
    const found = await ask(`${folder.dataset.address}${place ? `?path=${encodeURIComponent(place)}` : ""}`);
    if (choose && found.path) path.value = found.path;
    const items = make("ul"), videos = found.entries.filter((entry) => entry.kind === "video").length;
    const line = (name, kind, to) => {
      const item = make("li"), button = Object.assign(make("button"), { type: "button" });
      button.append(Object.assign(make("span", "", name), { dir: "auto" }), make("span", "kind", kind));
      button.addEventListener("click", () => list(to, true));
      item.append(button);
      items.append(item);
    };
    if (found.parent !== null) line("← up", found.path, found.parent);
    for (const entry of found.entries) if (entry.kind === "folder") line(entry.name, "folder", entry.path);
    folder.replaceChildren(items);
    if (found.path) folder.append(make("p", "muted", videos ? `${videos} video${videos === 1 ? "" : "s"} in this folder` : "No videos in this folder itself."));
  } catch (error) {
    folder.replaceChildren(make("p", "field-error", error.message));
  }
  folder.removeAttribute("aria-busy");
}

if (folder) {
  folder.hidden = false;
  const begin = () => list("", false);
  const box = folder.closest("details");
  if (box.open) begin();
  else box.addEventListener("toggle", begin, { once: true });
}

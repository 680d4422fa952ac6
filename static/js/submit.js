/* The form for a new analysis: uploads, folders, known videos, brands to click, options of the chosen profile. */

import { count, mark, set, watch } from "./options.js";
import { UploadBox, length, size } from "./upload_box.js";

const form = document.querySelector("form.submit");
const one = (selector) => form.querySelector(selector);
const all = (selector) => [...form.querySelectorAll(selector)];
const make = (tag, className = "", text = "") => Object.assign(document.createElement(tag), { className, textContent: text });
const go = document.getElementById("go"), why = document.getElementById("go-why");
document.getElementById("wrong")?.focus();

async function ask(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail || `The server answered ${response.status}.`);
  return body;
}

/* upload */
const drop = document.getElementById("drop"), byUpload = one("#source-upload");
const upload = drop && new UploadBox({ file: document.getElementById("file"), drop, box: document.getElementById("upload"), asset: one("[name=upload_asset]") }, {
  told: holdNow,
  dropped() { byUpload.checked = true; },
});
function holdNow() {
  const waits = Boolean(upload?.busy && byUpload.checked);
  go.disabled = waits;
  why.textContent = waits ? "It can be started once the upload is complete." : "";
}
if (drop) all("[name=source]").forEach((radio) => radio.addEventListener("change", holdNow));

/* known videos */
const assets = document.getElementById("assets"), search = document.getElementById("asset-search");
let wanted = 0, timer = null;
search.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const turn = ++wanted;
    try {
      const found = await ask(`${search.dataset.address}?limit=24&search=${encodeURIComponent(search.value.trim())}`);
      if (turn !== wanted) return;
      const chosen = assets.querySelector(":checked")?.value;
      assets.replaceChildren(...found.results.map((item) => card(item, chosen)));
      if (!found.results.length) assets.append(make("p", "muted", "No video of that name."));
    } catch (error) {
      assets.replaceChildren(make("p", "field-error", error.message));
    }
  }, 200);
});
search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
function card(item, chosen) {
  const label = make("label", "asset"), span = make("span");
  const radio = Object.assign(make("input"), { type: "radio", name: "asset", value: item.id, checked: item.id === chosen });
  const image = Object.assign(make("img"), { src: `/api/assets/${item.id}/thumbnail.jpg`, alt: "", width: 160, height: 90, loading: "lazy" });
  span.append(make("b", "", item.name), make("small", "", `${length(item.duration)} · ${item.width} × ${item.height}`));
  label.append(radio, " ", image, span);
  return label;
}

/* folders of the server */
const folder = document.getElementById("folder"), path = document.getElementById("path");
async function list(place) {
  folder.setAttribute("aria-busy", "true");
  try {
    const found = await ask(`${folder.dataset.address}${place ? `?path=${encodeURIComponent(place)}` : ""}`);
    const items = make("ul");
    const line = (name, kind, act, pressed) => {
      const item = make("li"), button = Object.assign(make("button", "", ""), { type: "button" });
      button.append(make("span", "", name), make("span", "kind", kind));
      if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
      button.addEventListener("click", () => act(button));
      item.append(button);
      items.append(item);
    };
    if (found.parent !== null) line("← up", found.path, () => list(found.parent));
    for (const entry of found.entries) {
      if (entry.kind === "folder") line(entry.name, "folder", () => list(entry.path));
      else line(entry.name, size(entry.size_bytes || 0), (button) => {
        path.value = entry.path;
        items.querySelectorAll("[aria-pressed]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      }, entry.path === path.value);
    }
    folder.replaceChildren(items);
    if (!found.entries.length) folder.append(make("p", "muted", "No video and no folder in here."));
  } catch (error) {
    folder.replaceChildren(make("p", "field-error", error.message));
  }
  folder.removeAttribute("aria-busy");
}
if (folder) {
  let listed = false;
  const open = () => {
    if (listed || !one("#source-root").checked) return;
    listed = true;
    const refused = one(".source.wrong");
    list(!refused && path.value.includes("/") ? path.value.replace(/\/[^/]*$/, "") : "");
  };
  all("[name=source]").forEach((radio) => radio.addEventListener("change", open));
  open();
}

/* brands to click */
const brands = document.getElementById("brands");
const names = () => brands.value.split(/[\n,]/).map((part) => part.split("=")[0].trim().toLowerCase()).filter(Boolean);
const showChips = () => {
  const listed = new Set(names());
  for (const chip of all("[data-brand]")) chip.setAttribute("aria-pressed", String(listed.has(chip.dataset.brand.toLowerCase())));
};
document.getElementById("brand-chips")?.addEventListener("click", (event) => {
  const name = event.target.dataset?.brand;
  if (!name) return;
  const parts = brands.value.split(/\n/).map((part) => part.trim()).filter(Boolean);
  if (names().includes(name.toLowerCase())) {
    brands.value = parts
      .map((line) => line.split(",").filter((part) => part.split("=")[0].trim().toLowerCase() !== name.toLowerCase()).join(","))
      .filter((line) => line.trim()).join("\n");
  } else brands.value = [...parts, name].join("\n");
  showChips();
});
brands.addEventListener("input", showChips);
showChips();

/* options: their numbers are those of the chosen profile until they are changed */
const options = one(".all-options"), tag = document.getElementById("options-changed");
const tell = (changed) => {
  tag.hidden = !changed;
  tag.textContent = `${changed} changed`;
};
tell(watch(options, (_, changed) => tell(changed)));
const defaults = JSON.parse(document.getElementById("profile-defaults").textContent);
all("[name=profile]").forEach((radio) => radio.addEventListener("change", () => {
  const now = defaults[radio.value];
  for (const option of options.querySelectorAll(".option")) {
    const text = now[option.querySelector("[name]").name], changed = option.classList.contains("changed");
    option.dataset.default = text;
    if (!changed) set(option, text);
    mark(option);
  }
  one("[name=options_for]").value = radio.value;
  tell(count(options));
}));

/* times are the reader's own */
const at = document.getElementById("start_at");
document.getElementById("zone").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone || "your time";
form.addEventListener("submit", () => {
  const moment = at.value ? new Date(at.value) : null;
  one("[name=start_at_utc]").value = moment && !Number.isNaN(moment.getTime()) ? moment.toISOString() : "";
  /* only what is changed is sent */
  for (const option of options.querySelectorAll(".option:not(.changed)")) option.querySelectorAll("[name]").forEach((field) => { field.disabled = true; });
  go.disabled = true;
  why.textContent = "Checking…";
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  options.querySelectorAll("[name]").forEach((field) => { field.disabled = false; });
  holdNow();
});

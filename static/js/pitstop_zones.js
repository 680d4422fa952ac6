/* The zone editor: zones drawn over a frame of the video, a list of them beside it, and their way to the server. */

import { Canvas } from "./pitstop/canvas.js";
import { Drawing, MOST_ZONES, ZONE_COLOURS, wrongWith } from "./pitstop/polygons.js";

const editor = document.querySelector(".zones");
const setup = JSON.parse(document.getElementById("zones-setup").textContent);
const one = (selector) => editor.querySelector(selector);
const list = one(".zones-list"), template = document.getElementById("zone-item"), note = one(".zones-note"), why = one(".zones-why");
const saved = JSON.stringify(setup.saved);
let leaving = false;

/* what is drawn, and what follows from it */
const drawing = new Drawing(setup.zones, () => show());
const canvas = new Canvas(one("svg"), drawing, {
  choose,
  say,
  drafted(points) {
    one(".zones-drawing").hidden = points === null;
    one(".zones-tools").hidden = points !== null;
    if (points === null) return say("");
    one("[data-do=close]").disabled = points.length < 3;
    say(points.length === 0 ? "Click the corners of the zone, one after another." : points.length < 3 ? `${points.length} of at least 3 corners.` : "Click the first corner again to close it, or go on.");
  },
  closed: (points) => add(points),
});

function say(sentence) { note.textContent = sentence; }

function choose(place) {
  canvas.chosen = place;
  show();
  const made = list.children[place];
  // beside the picture the list scrolls by itself; below it the page stays where the reader is
  if (made && list.scrollHeight > list.clientHeight) list.scrollTop = made.offsetTop - list.offsetTop - 8;
}

function add(points) {
  const taken = new Set(drawing.zones.map((zone) => zone.name.trim()));
  let number = drawing.zones.length + 1;
  while (taken.has(`Zone ${number}`)) number += 1;
  drawing.change(null, (zones) => zones.push({ name: `Zone ${number}`, points, classes: [], anchor: "bottom", measure: "" }));
  choose(drawing.zones.length - 1);
  const field = list.lastElementChild.querySelector("[name=name]");
  field.focus();
  field.select();
  say(`Zone ${number} was added. Give it a name.`);
}

function remove(place) {
  const name = drawing.zones[place].name;
  drawing.change(null, (zones) => zones.splice(place, 1));
  choose(Math.min(place, drawing.zones.length - 1));
  (list.querySelectorAll("[name=name]")[canvas.chosen] ?? one("[data-do=rectangle]")).focus();
  say(`${name} was deleted. Undo brings it back.`);
}

/* the list: fields are made once, and follow what is drawn */
let madeSoFar = 0;
function item() {
  const made = template.content.firstElementChild.cloneNode(true);
  const id = `zone-${madeSoFar++}`;
  for (const label of made.querySelectorAll("label[data-for]")) {
    label.htmlFor = `${id}-${label.dataset.for}`;
    made.querySelector(`[name=${label.dataset.for}]`).id = label.htmlFor;
  }
  const place = () => [...list.children].indexOf(made);
  made.addEventListener("focusin", () => { if (place() !== canvas.chosen) choose(place()); });
  made.addEventListener("pointerdown", (event) => { if (event.target === made && place() !== canvas.chosen) choose(place()); });
  for (const name of ["name", "measure", "anchor"]) {
    made.querySelector(`[name=${name}]`).addEventListener("input", ({ target }) => drawing.change(`${name} ${place()}`, (zones) => { zones[place()][name] = target.value; }));
  }
  made.querySelector("[data-classes]").addEventListener("change", ({ target }) => drawing.change(null, (zones) => {
    const chosen = new Set(zones[place()].classes);
    if (target.checked) chosen.add(target.value);
    else chosen.delete(target.value);
    zones[place()].classes = [...chosen];
  }));
  made.querySelector("[data-do=remove]").addEventListener("click", () => remove(place()));
  made.addEventListener("focusout", () => drawing.rest());
  return made;
}

function classes(box, zone) {
  const names = [...new Set([...setup.classes, ...zone.classes])];
  if (box.dataset.names !== names.join("\n")) {
    box.dataset.names = names.join("\n");
    box.replaceChildren(...names.map((name) => {
      const label = document.createElement("label"), text = document.createElement("span");
      text.textContent = name;
      text.dir = "auto";
      label.append(Object.assign(document.createElement("input"), { type: "checkbox", value: name }), text);
      return label;
    }));
  }
  for (const tick of box.querySelectorAll("input")) tick.checked = zone.classes.includes(tick.value);
}

function showItem(made, zone, place) {
  made.classList.toggle("is-chosen", place === canvas.chosen);
  made.querySelector(".zone-mark").className = `zone-mark zone-colour-${place % ZONE_COLOURS}`;
  made.querySelector("legend").textContent = zone.name.trim() || `Zone ${place + 1}`;
  for (const name of ["name", "measure", "anchor"]) {
    const field = made.querySelector(`[name=${name}]`);
    if (field.value !== zone[name]) field.value = zone[name];
  }
  classes(made.querySelector("[data-classes]"), zone);
  const wrong = wrongWith(zone, drawing.zones), told = made.querySelector(".field-error");
  if (told.textContent !== wrong) told.textContent = wrong;
  made.querySelector(".zone-counts").textContent = zone.classes.length ? zone.classes.join(", ") : "everything";
  made.querySelector("[data-do=remove]").setAttribute("aria-label", `Delete ${zone.name.trim() || `zone ${place + 1}`}`);
}

function show() {
  const zones = drawing.zones;
  if (canvas.chosen >= zones.length) canvas.chosen = zones.length - 1;
  while (list.children.length > zones.length) list.lastElementChild.remove();
  while (list.children.length < zones.length) list.append(item());
  zones.forEach((zone, place) => showItem(list.children[place], zone, place));
  canvas.show();
  one(".zones-none").hidden = zones.length > 0;
  one("[data-do=undo]").disabled = !drawing.canUndo;
  one("[data-do=redo]").disabled = !drawing.canRedo;
  for (const name of ["draw", "rectangle"]) one(`[data-do=${name}]`).disabled = zones.length >= MOST_ZONES;
  const wrong = zones.filter((zone) => wrongWith(zone, zones));
  const reason = setup.waits || (wrong.length ? `${wrong[0].name.trim() || "A zone"}: ${wrongWith(wrong[0], zones)}` : isChanged() ? "" : "Nothing has been changed.");
  if (why.textContent !== reason) why.textContent = reason;
  one(".zones-save").disabled = Boolean(reason);
}

function isChanged() { return JSON.stringify(drawing.zones) !== saved; }

/* tools */
const acts = {
  draw() {
    canvas.begin();
    one("svg").scrollIntoView({ block: "nearest" });
  },
  rectangle: () => add([[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]]),
  close: () => canvas.close(),
  back: () => canvas.back(),
  give: () => canvas.give(),
  undo: () => { drawing.undo(); say("Undone."); },
  redo: () => { drawing.redo(); say("Done again."); },
};
editor.addEventListener("click", (event) => acts[event.target.closest("[data-do]")?.dataset.do]?.());
addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase(), types = event.target.matches?.("input[name=name]");
  if (canvas.isDrafting) {
    if (key === "escape") canvas.give();
    else if (key === "backspace") canvas.back();
    else if (key === "enter" && !event.target.closest("button")) canvas.close();
    else return;
    event.preventDefault();
  } else if ((event.ctrlKey || event.metaKey) && !types && (key === "z" || key === "y")) {
    event.preventDefault();
    if (key === "y" || event.shiftKey) acts.redo();
    else acts.undo();
  }
});
one("#zones-tracks")?.addEventListener("change", ({ target }) => one("svg").classList.toggle("without-tracks", !target.checked));

/* the picture under it */
const picture = one("img"), slider = one("#zones-frame"), clock = one(".zones-time");
async function pictures() {
  const answer = await fetch(setup.frames, { headers: { Accept: "application/json" } }).catch(() => null);
  const frames = answer?.ok ? (await answer.json()).frames : [];
  if (!frames.length) return gone("There are no frames of this video yet: zones are drawn on an empty picture.");
  slider.max = frames.length - 1;
  const turn = () => {
    const [sequence, seconds] = frames[Number(slider.value)];
    const minutes = Math.floor(seconds / 60);
    picture.src = setup.frame.replace("/0.jpg", `/${sequence}.jpg`);
    clock.textContent = `${minutes}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
    slider.setAttribute("aria-valuetext", `${seconds.toFixed(1)} seconds`);
  };
  slider.addEventListener("input", turn);
  slider.value = Math.floor(frames.length / 2);
  slider.disabled = frames.length < 2;
  picture.addEventListener("load", () => { picture.hidden = false; });
  picture.addEventListener("error", () => gone("The picture of this moment is not there any more: zones are drawn on an empty one."));
  turn();
}
function gone(sentence) {
  picture.hidden = true;
  say(sentence);
}

/* saving */
const form = one("form.zones-send");
form.addEventListener("submit", () => {
  form.elements.zones.value = JSON.stringify(drawing.zones);
  leaving = true;
});
addEventListener("beforeunload", (event) => { if (!leaving && isChanged()) event.preventDefault(); });
addEventListener("pageshow", () => { leaving = false; });

canvas.chosen = drawing.zones.length ? 0 : -1;
editor.classList.add("is-ready");
show();
pictures();

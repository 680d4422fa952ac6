/* The viewer of a batch: boxes over the video, lanes under it, the transcript beside it, all at the moment on screen. */

import { CocoBoxes } from "./annotation/boxes.js";
import { Drawing } from "./annotation/drawing.js";
import { clock, cuesOf, cuesOfWords, markerLanes, sceneLane, speakerLanes } from "./annotation/formats.js";
import { Lanes } from "./annotation/lanes.js";
import { playSound } from "./annotation/sound.js";
import { Transcript } from "./annotation/transcript.js";

const setup = JSON.parse(document.getElementById("viewer-setup").textContent);
const player = document.getElementById("player");
const video = player?.querySelector("video"), picture = player?.querySelector("img"), audio = player?.querySelector("audio");
let now = 0;

/* an annotated video may begin later than its source: times are those of the source */
const ask = (time) => document.dispatchEvent(new CustomEvent("player:seek", { detail: { time: Math.max(0, time - setup.shift), play: null } }));

async function load(address, read) {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return read(answer);
}
const asText = (answer) => answer.text(), asJson = (answer) => answer.json();

/* boxes and captions */
const box = document.getElementById("layers"), state = document.getElementById("layers-state");
const drawing = video ? new Drawing(player.querySelector("canvas")) : null;
const layers = new Map();
const draw = () => {
  if (!drawing) return;
  const shown = [...layers.values()].filter((layer) => layer.tick.checked).map((layer) => layer.boxes.at(now));
  const size = video.hidden ? { width: picture.naturalWidth, height: picture.naturalHeight } : { width: video.videoWidth, height: video.videoHeight };
  drawing.draw(shown, size);
};
const tellLoading = (label) => (word, detail) => {
  if (word === "loading") state.textContent = detail < 1 ? `${label}: ${Math.round(100 * detail)} % loaded` : `${label}: being read…`;
  if (word === "ready") state.textContent = "";
  if (word === "failed") state.textContent = `${label} cannot be shown: ${detail}.`;
  if (word === "ready") draw();
};
const caption = (tick) => { if (video?.textTracks[0]) video.textTracks[0].mode = tick.checked ? "showing" : "disabled"; };
/* captions go by the clock of the element, on which the first picture need not be at 0 */
let moved = 0;
const moveCaptions = (by) => {
  const cues = video?.textTracks[0]?.cues;
  if (!cues?.length || by === moved) return;
  for (const cue of [...cues]) {
    cue.startTime += by - moved;
    cue.endTime += by - moved;
  }
  moved = by;
};
for (const tick of box?.querySelectorAll("[data-layer]") ?? []) {
  const layer = setup.layers[Number(tick.dataset.layer)];
  if (layer.kind === "captions") {
    tick.addEventListener("change", () => caption(tick));
    caption(tick);
    continue;
  }
  const boxes = new CocoBoxes(layer.address, tellLoading(layer.label));
  layers.set(tick, { tick, boxes });
  const changed = () => {
    if (tick.checked) boxes.load();
    draw();
  };
  tick.addEventListener("change", changed);
  changed();
}
if (drawing) new ResizeObserver(draw).observe(player.querySelector(".player-stage"));

/* lanes */
const root = document.getElementById("lanes"), hint = document.getElementById("peek");
const pictures = new Map(setup.pictures.map(({ scene, address }) => [scene, address]));
function peek(bar, event) {
  hint.hidden = !bar || bar.scene === undefined;
  if (hint.hidden) return;
  const image = hint.querySelector("img"), address = pictures.get(bar.scene);
  image.hidden = !address;
  if (address && !image.src.endsWith(address)) image.src = address;
  hint.querySelector("span").textContent = `${bar.title}, ${clock(bar.start)} – ${clock(bar.end)}`;
  const room = hint.offsetParent.getBoundingClientRect(), half = hint.offsetWidth / 2;
  const middle = Math.min(room.width - half - 8, Math.max(half + 8, event.clientX - room.left));
  hint.style.left = `${middle - half}px`;
  hint.style.top = `${event.target.getBoundingClientRect().top - room.top - hint.offsetHeight - 8}px`;
}
const lanes = root && new Lanes(root, { duration: setup.duration, seek: ask, peek });
const readers = {
  scenes: async (address) => [sceneLane(await load(address, asJson))],
  speakers: async (address) => speakerLanes(await load(address, asText)),
  markers: async (address) => markerLanes(await load(address, asJson)),
};
async function loadLanes() {
  const wanted = setup.layers.filter((layer) => readers[layer.kind]), problems = [];
  const found = await Promise.all(wanted.map(async (layer) => {
    try {
      return await readers[layer.kind](layer.address);
    } catch (error) {
      problems.push(`${layer.label} cannot be shown: ${error.message}.`);
      return [];
    }
  }));
  lanes.show(found.flat());
  lanes.at(now);
  const listed = document.getElementById("lanes-list");
  listed.hidden = !found.flat().length;
  listed.append(...lanes.list(found.flat()));
  document.getElementById("lanes-note").textContent = problems.join(" ");
}
if (lanes) loadLanes();

/* transcript */
const list = document.getElementById("transcript");
const transcript = list && new Transcript(list, document.getElementById("transcript-follow"));
async function loadTranscript() {
  const captions = setup.layers.find((layer) => layer.kind === "captions");
  const spoken = setup.layers.find((layer) => layer.kind === "words");
  try {
    transcript.show(captions ? cuesOf(await load(captions.address, asText)) : cuesOfWords(await load(spoken.address, asJson)));
    transcript.at(now);
  } catch (error) {
    transcript.tell(`The transcript cannot be shown: ${error.message}.`);
  }
}
if (transcript) loadTranscript();

/* the moment on screen */
document.addEventListener("player:time", ({ detail }) => {
  now = detail.time + setup.shift;
  draw();
  lanes?.at(now);
  transcript?.at(now);
});
document.addEventListener("player:begins", ({ detail }) => moveCaptions(detail.offset - setup.shift));
if (audio) playSound(audio, document.getElementById("player-note"));

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-seek]"), copy = event.target.closest("[data-copy]");
  if (link) ask(Number(link.dataset.seek));
  if (!copy) return;
  const word = copy.firstChild, before = word.textContent;
  try {
    await navigator.clipboard.writeText(copy.dataset.copy);
    word.textContent = "Copied";
  } catch {
    word.textContent = "Not copied";
  }
  setTimeout(() => { word.textContent = before; }, 1500);
});
for (const place of document.querySelectorAll("[data-clock]")) place.textContent = clock(Number(place.dataset.clock));

/* another source goes on at the same moment */
for (const link of document.querySelectorAll(".viewer-source a")) {
  link.addEventListener("click", () => { link.hash = `t=${Math.max(0, now).toFixed(3)}`; });
}

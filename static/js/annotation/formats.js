/* Reading what pipelines leave: captions, speakers, scenes, markers. Times are seconds from the first picture. */

const CUE = /^(?:(\d+):)?(\d{2}):(\d{2}[.,]\d{3})[ \t]+-->[ \t]+(?:(\d+):)?(\d{2}):(\d{2}[.,]\d{3})/;
const ENTITIES = { amp: "&", lt: "<", gt: ">", nbsp: "\u00a0", lrm: "\u200e", rlm: "\u200f" };

/** `[{start, end, text, voice}]` of a WebVTT file. */
export function cuesOf(text) {
  const cues = [];
  for (const block of text.replace(/\r\n?/g, "\n").split(/\n{2,}/)) {
    const lines = block.split("\n"), at = lines.findIndex((line) => CUE.test(line));
    if (at < 0 || at > 1) continue;
    const [, hours, minutes, seconds, endHours, endMinutes, endSeconds] = CUE.exec(lines[at]);
    const raw = lines.slice(at + 1).join("\n");
    const voice = /<v(?:\.[^ \t>]+)?[ \t]+([^>]*)>/.exec(raw)?.[1] ?? "";
    cues.push({
      start: clockOf(hours, minutes, seconds),
      end: clockOf(endHours, endMinutes, endSeconds),
      text: plain(raw.replace(/<[^>]*>/g, "")),
      voice: plain(voice),
    });
  }
  return cues;
}

const clockOf = (hours, minutes, seconds) => 3600 * Number(hours ?? 0) + 60 * Number(minutes) + Number(seconds.replace(",", "."));
const plain = (text) => text.replace(/&(\w+);/g, (whole, name) => ENTITIES[name] ?? whole).trim();

/** The same of a file of words, whose segments are taken for cues. */
export function cuesOfWords(document) {
  return (document.segments ?? []).map((segment) => {
    const speaker = segment.words?.[0]?.speaker;
    return { start: segment.start, end: segment.end, text: segment.text, voice: speaker ? `Speaker ${speaker}` : "" };
  });
}

/** Lanes `{name, bars: [{start, end, title}]}`, one for each speaker of an RTTM file, in the order in which they speak. */
export function speakerLanes(text) {
  const lanes = new Map();
  for (const line of text.split("\n")) {
    const [kind, , , start, length, , , speaker] = line.trim().split(/\s+/);
    if (kind !== "SPEAKER" || !(Number(length) > 0)) continue;
    const name = words(speaker), lane = lanes.get(name) ?? { name, bars: [] };
    lanes.set(name, lane);
    lane.bars.push({ start: Number(start), end: Number(start) + Number(length), title: name });
  }
  return [...lanes.values()];
}

/** One lane of a list of scenes. */
export function sceneLane({ scenes = [] }) {
  const bars = scenes.map(({ number, start, end }) => ({ start, end, scene: number, title: `Scene ${number}` }));
  return { name: "Scenes", kind: "is-scene", bars };
}

/** Lanes of a timeline's markers: one for each brand, zone, or sort of stop. */
export function markerLanes(timeline) {
  const lanes = new Map();
  for (const marker of markersOf(timeline)) {
    const told = marker.metadata?.mediaproc ?? {}, name = told.brand ?? told.zone ?? (told.kind === "stop" ? "Stops" : marker.name);
    const { start_time: start, duration } = marker.marked_range, from = start.value / start.rate;
    const lane = lanes.get(name) ?? { name, bars: [] };
    lanes.set(name, lane);
    lane.bars.push({ start: from, end: from + duration.value / duration.rate, title: marker.name });
  }
  return [...lanes.values()];
}

function markersOf(node) {
  const inner = node.tracks ? [node.tracks] : node.children ?? [];
  return [...(node.markers ?? []), ...inner.flatMap(markersOf)];
}

function words(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

/** `0:04.2`, `1:02:03.0`. */
export function clock(seconds) {
  const tenths = Math.floor(seconds * 10 + 0.0005), whole = Math.floor(tenths / 10);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}.${tenths % 10}`;
}

/* The player of a job's page: the video, boxes over it in step, and the sampled frames where the video cannot be played.
   Without `boxes` in its setup (what they would show is drawn in the video) it has no buttons and no list for them. */
import { Boxes } from "./player/boxes.js";
import { FramePictures } from "./player/frames.js";
import { Overlay, UNDECIDED, brandColour } from "./player/overlay.js";
import { VideoPicture } from "./player/video.js";

const RETRIES_MS = [1000, 2000, 4000, 8000];
const NOW_MS = 250; // how often the list of what is on screen changes, at most

const root = document.getElementById("player");
if (root) start(root, JSON.parse(document.getElementById("player-setup").textContent));

function start(player, setup) {
  const one = (selector) => player.querySelector(selector);
  const stage = one(".player-stage"), video = one("video"), image = one("img"), note = one(".player-note");
  const bar = one(".player-bar"), speed = one("select"), clockText = one("[data-time]"), now = one(".player-now ul");
  const button = (act) => one(`[data-act=${act}]`);
  const overlay = new Overlay(one("canvas"));
  const boxes = setup.boxes ? new Boxes(setup.boxes, () => draw()) : null;
  const show = remembered("mediaproc.player", { boxes: true, undecided: false });
  let picture = null, drawnAt = 0, tries = 0, played = false, isGivenUp = false, stumbledAt = -Infinity;

  /* what is shown */
  const length = () => setup.duration || picture.length;
  const draw = () => {
    if (!boxes) return;
    const found = boxes.at(drawnAt).filter((box) => box.decided || show.undecided);
    overlay.draw(show.boxes ? found : [], picture.size);
    list(found);
  };
  const shown = (time, of = time) => {
    played = true;
    tries = 0;
    if (of !== null || stage.hidden) drawnAt = of ?? time;
    draw();
    tell(time);
  };
  const tell = (time) => {
    const total = length();
    bar.max = total;
    if (!scrubbing) bar.value = time;
    clockText.textContent = clock(time);
    one("[data-duration]").textContent = clock(total);
    if (!picture.playing) bar.setAttribute("aria-valuetext", `${clock(time)} of ${clock(total)}`);
    document.dispatchEvent(new CustomEvent("player:time", { detail: { time, duration: total, playing: picture.playing } }));
    if (typeof picture.offset === "number") document.dispatchEvent(new CustomEvent("player:begins", { detail: { offset: picture.offset } }));
  };
  const changed = () => {
    player.classList.toggle("is-playing", picture.playing);
    player.classList.toggle("is-muted", picture.muted);
    button("toggle").setAttribute("aria-label", picture.playing ? "Pause" : "Play");
    button("mute").setAttribute("aria-pressed", String(picture.muted));
    speed.value = String(picture.rate);
    now?.setAttribute("aria-live", picture.playing ? "off" : "polite");
    tell(picture.time);
  };

  let listed = null, listedAt = 0;
  const list = (found) => {
    const names = new Map(found.map((box) => [`${box.decided}${box.brand}`, box]));
    const key = [...names.keys()].sort().join("\n");
    if (key === listed || (picture.playing && performance.now() - listedAt < NOW_MS)) return;
    listed = key;
    listedAt = performance.now();
    now.replaceChildren(...[...names.values()].sort((a, b) => a.brand.localeCompare(b.brand)).map(chip));
    now.style.minHeight = `${now.offsetHeight}px`; // what is below stays where it is when there is less to name
    if (!names.size) now.append(Object.assign(document.createElement("li"), { className: "muted", textContent: "nothing recognised" }));
  };

  /* what is done */
  const seek = (time) => {
    picture.seek(Math.min(Math.max(0, time), length() || Infinity));
    tell(picture.time);
  };
  const toggle = () => (picture.playing ? picture.pause() : picture.play());
  const faster = (direction) => {
    speed.selectedIndex = Math.min(speed.options.length - 1, Math.max(0, speed.selectedIndex + direction));
    picture.rate = Number(speed.value);
  };
  const flip = (name) => {
    show[name] = !show[name];
    button(name).setAttribute("aria-pressed", String(show[name]));
    remember("mediaproc.player", show);
    draw();
  };
  const full = () => (document.fullscreenElement ? document.exitFullscreen() : player.requestFullscreen()).catch(() => {}); // where it is refused it stays as it is
  const acts = {
    toggle,
    full,
    back: () => seek(picture.time - 5),
    ahead: () => seek(picture.time + 5),
    previous: () => picture.step(-1),
    next: () => picture.step(1),
    boxes: () => flip("boxes"),
    undecided: () => flip("undecided"),
    mute: () => { picture.muted = !picture.muted; changed(); },
  };
  const keys = {
    " ": toggle, k: toggle, f: full, m: acts.mute, ",": acts.previous, ".": acts.next,
    ...(boxes ? { b: acts.boxes, u: acts.undecided } : {}),
    j: () => seek(picture.time - 10),
    l: () => seek(picture.time + 10),
    ArrowLeft: acts.back,
    ArrowRight: acts.ahead,
    ArrowUp: () => faster(1),
    ArrowDown: () => faster(-1),
    Home: () => seek(0),
    End: () => seek(length()),
  };

  /* controls */
  let scrubbing = false;
  bar.addEventListener("pointerdown", () => { scrubbing = true; });
  for (const name of ["pointerup", "pointercancel", "change"]) bar.addEventListener(name, () => { scrubbing = false; });
  bar.addEventListener("input", () => seek(Number(bar.value)));
  speed.addEventListener("change", () => { picture.rate = Number(speed.value); });
  player.addEventListener("click", (event) => acts[event.target.closest("[data-act]")?.dataset.act]?.());
  stage.addEventListener("click", toggle);
  stage.addEventListener("dblclick", full);
  player.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select")) return;
    const isPressed = [" ", "Enter"].includes(event.key) && event.target.closest("button, summary");
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || isPressed) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("player:seek", ({ detail }) => {
    seek(Number(detail.time) || 0);
    if (detail.play === true) picture.play();
    if (detail.play === false) picture.pause();
  });
  const follow = () => {
    const asked = /^#(?:.*&)?t=(\d+(?:\.\d+)?)/.exec(location.hash);
    if (asked) seek(Number(asked[1]));
  };
  addEventListener("hashchange", follow);

  /* the picture's place on the page */
  new ResizeObserver(() => {
    if (now) now.style.minHeight = "";
    draw();
  }).observe(stage);
  document.addEventListener("fullscreenchange", () => {
    button("full").setAttribute("aria-pressed", String(document.fullscreenElement === player));
    draw();
  });
  button("full").hidden = !document.fullscreenEnabled;
  if (boxes) for (const name of ["boxes", "undecided"]) button(name).setAttribute("aria-pressed", String(show[name]));

  /* when it cannot be played */
  const failed = async () => {
    const at = picture.time, reason = await whyNot(setup.video);
    if (isGivenUp) return; // it may fail again while that is asked
    if (reason === "" && played && Math.abs(at - stumbledAt) > 1) {
      stumbledAt = at;
      picture.again();
    } else if (reason === null && tries < RETRIES_MS.length) {
      note.textContent = "The connection was lost: trying again.";
      setTimeout(() => picture.again(), RETRIES_MS[tries]);
      tries += 1;
    } else {
      const codec = setup.codec ? ` (${setup.codec})` : "";
      useFrames(reason ?? "The video cannot be reached", `This browser cannot play this video${codec}`);
    }
  };
  const useFrames = async (...reasons) => {
    isGivenUp = true;
    const reason = reasons.find(Boolean);
    const before = picture;
    const { time, playing } = before;
    before.end();
    const frames = await sampled(setup.frames);
    video.hidden = true;
    image.hidden = false;
    const told = frames.length
      ? `${reason}: showing the ${frames.length} sampled frames.`
      : `${reason}, and there are no sampled frames.`;
    let seen = false;
    note.textContent = told;
    stage.hidden = button("full").hidden = !frames.length;
    button("mute").hidden = true;
    button("previous").title = "One sampled frame back (,)";
    button("next").title = "One sampled frame ahead (.)";
    picture = new FramePictures(image, frames, {
      address: (sequence) => setup.frame.replace("/0.jpg", `/${sequence}.jpg`),
      length: setup.duration,
      shown: (time, of) => { if (picture !== before) shown(time, of); },
      changed: () => changed(),
      found: (isThere) => {
        seen ||= isThere;
        image.style.visibility = isThere ? "" : "hidden"; // not the picture of another moment
        stage.hidden = button("full").hidden = !seen;
        note.textContent = seen ? told : `${reason}, and the sampled frames are gone too.`;
      },
    });
    seek(time);
    changed();
    if (playing) picture.play();
  };

  /* begin */
  video.controls = false;
  for (const part of [".player-controls", ".player-foot"]) one(part).hidden = false;
  picture = new VideoPicture(video, { frameSeconds: 1 / setup.frameRate, start: setup.start, shown: (time) => { note.textContent = ""; shown(time); }, changed, failed });
  changed();
  follow();
}

/** Why a video does not come: a sentence of the server's, empty where it does come, null where nobody answers. */
async function whyNot(address) {
  try {
    const answer = await fetch(address, { headers: { Range: "bytes=0-0", Accept: "application/json" } });
    if (answer.ok) return "";
    return answer.status >= 500 ? null : (await answer.json()).detail.replace(/\.$/, "");
  } catch {
    return null;
  }
}

async function sampled(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).frames : [];
  } catch {
    return [];
  }
}

function chip(box) {
  const item = Object.assign(document.createElement("li"), { dir: "auto", textContent: box.brand, title: box.brand });
  item.className = box.decided ? (box.confirmed ? "" : "is-unsure") : "is-undecided";
  item.style.setProperty("--brand", box.decided ? brandColour(box.brand) : UNDECIDED);
  return item;
}

function clock(seconds) {
  const tenths = Math.floor(seconds * 10 + 0.0005), whole = Math.floor(tenths / 10);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}.${tenths % 10}`;
}

function remembered(key, usual) {
  try {
    return { ...usual, ...JSON.parse(localStorage.getItem(key) ?? "{}") };
  } catch {
    return { ...usual };
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // a browser that keeps nothing asks again next time
  }
}

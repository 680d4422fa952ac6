/* The list of pit stops: rows that move with their jobs, and a video that is sent while the rest is filled in. */

import "./pictures.js";
import { followRows } from "./rows.js";

const rows = document.getElementById("pitstop-rows");
if (rows) followRows({ parts: ["pitstop-rows"], takesNew: () => rows.dataset.page === "1" });

const form = document.getElementById("send");
if (form) {
  const file = document.getElementById("file"), drop = document.getElementById("drop"), box = document.getElementById("upload");
  const go = document.getElementById("go"), why = document.getElementById("go-why"), asset = form.elements.asset;
  const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(0.1, bytes / 1e6).toFixed(1)} MB`);
  const length = (seconds) => (seconds >= 60 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${seconds.toFixed(0)} s`);
  let sending = null, wanted = false, kind = asset.value ? "done" : "";
  document.getElementById("wrong")?.focus();

  const tell = (text, now) => {
    kind = now;
    box.querySelector(".upload-state").textContent = text;
    box.className = `upload ${now}`;
    const shown = { pause: now === "sending", resume: now === "paused" || now === "failed", cancel: ["sending", "paused", "waiting", "failed"].includes(now) };
    for (const [name, on] of Object.entries(shown)) box.querySelector(`[data-upload=${name}]`).hidden = !on;
    why.textContent = wanted ? "It starts as soon as the video has arrived." : "";
  };

  function send(video) {
    sending?.cancel();
    asset.value = "";
    wanted = false;
    box.hidden = false;
    box.querySelector(".upload-name").textContent = video.name;
    const bar = box.querySelector("progress"), began = Date.now();
    let first = null;
    bar.value = 0;
    sending = window.uploads.start(video, {
      onProgress({ sent, total }) {
        first ??= sent;
        bar.value = total ? sent / total : 0;
        const rate = (sent - first) / Math.max(0.5, (Date.now() - began) / 1000);
        const left = rate > 0 && sent < total ? `, ${length((total - sent) / rate)} left` : "";
        tell(sent < total ? `${size(sent)} of ${size(total)}${left}` : "checking the video…", sent < total ? "sending" : "checking");
      },
      onWaiting({ seconds }) { tell(`connection lost: trying again in ${Math.ceil(seconds)} s, nothing is lost`, "waiting"); },
      onDone({ assetId }) {
        asset.value = assetId;
        sending = null;
        bar.value = 1;
        tell("uploaded and checked", "done");
        if (wanted) form.requestSubmit();
      },
      onError({ detail }) {
        wanted = false;
        tell(detail, "failed");
      },
    });
    tell("starting", "sending");
  }

  file.addEventListener("change", () => { if (file.files[0]) send(file.files[0]); });
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  for (const name of ["dragenter", "dragover"]) addEventListener(name, (event) => { if (hasFiles(event)) { event.preventDefault(); drop.classList.add("over"); } });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
  });
  box.addEventListener("click", (event) => {
    const name = event.target.dataset?.upload;
    if (!name || !sending) return;
    if (name === "pause") { sending.pause(); tell("paused", "paused"); }
    if (name === "resume") { sending.resume(); tell("going on", "sending"); }
    if (name === "cancel") { sending.cancel(); sending = null; wanted = false; file.value = ""; tell("given up", ""); box.hidden = true; file.focus(); }
  });
  form.addEventListener("submit", (event) => {
    if (asset.value) { go.disabled = true; return; }
    event.preventDefault();
    if (!sending || kind === "failed") { why.textContent = "Choose a video first."; file.focus(); return; }
    wanted = true;
    why.textContent = "It starts as soon as the video has arrived.";
  });
  addEventListener("pageshow", () => { go.disabled = false; });
  addEventListener("beforeunload", (event) => { if (["sending", "waiting", "checking"].includes(kind)) event.preventDefault(); });
}

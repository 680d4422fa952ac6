/* The box in which a video is sent: chosen or dropped, with its progress, paused, taken up and given up. */

export const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(0.1, bytes / 1e6).toFixed(1)} MB`);
export const length = (seconds) => (seconds >= 60 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${seconds.toFixed(1)} s`);
const CAN_BE_GIVEN_UP = ["sending", "paused", "waiting", "failed"];

/** Sends what is chosen in `file` or dropped onto the page; `drop` shows that it would be taken, `box` how far it is.
    `asset` is the field that gets the id of the video once it has arrived.

    `told(kind)` is called whenever the state changes: "" (nothing), sending, waiting, paused, checking, done, failed;
    `begun()` when a video begins to be sent, `done()` when one has arrived, `dropped()` when one was dropped. */
export class UploadBox {
  #parts;
  #calls;
  #sending = null;
  kind = "";

  constructor(parts, calls) {
    this.#parts = parts;
    this.#calls = calls;
    this.kind = parts.asset.value ? "done" : "";
    parts.file.addEventListener("change", () => { if (parts.file.files[0]) this.#send(parts.file.files[0]); });
    parts.box.addEventListener("click", (event) => this.#act(event.target.dataset?.upload));
    this.#takeDropped();
  }

  get busy() { return this.#sending !== null; }

  #tell(text, kind) {
    const { box } = this.#parts;
    this.kind = kind;
    box.querySelector(".upload-state").textContent = text;
    box.className = `upload ${kind}`;
    const shown = { pause: kind === "sending", resume: kind === "paused" || kind === "failed", cancel: CAN_BE_GIVEN_UP.includes(kind) };
    for (const [name, on] of Object.entries(shown)) box.querySelector(`[data-upload=${name}]`).hidden = !on;
    this.#calls.told(kind);
  }

  #send(video) {
    const { asset, box } = this.#parts;
    this.#sending?.cancel();
    asset.value = "";
    box.hidden = false;
    box.querySelector(".upload-name").textContent = video.name;
    const bar = box.querySelector("progress"), began = Date.now();
    let first = null;
    bar.value = 0;
    this.#sending = window.uploads.start(video, {
      onProgress: ({ sent, total }) => {
        first ??= sent;
        bar.value = total ? sent / total : 0;
        const rate = (sent - first) / Math.max(0.5, (Date.now() - began) / 1000);
        const left = rate > 0 && sent < total ? `, ${length((total - sent) / rate)} left` : "";
        this.#tell(sent < total ? `${size(sent)} of ${size(total)}${left}` : "checking the video…", sent < total ? "sending" : "checking");
      },
      onWaiting: ({ seconds }) => this.#tell(`connection lost: trying again in ${Math.ceil(seconds)} s, nothing is lost`, "waiting"),
      onDone: ({ assetId }) => {
        asset.value = assetId;
        this.#sending = null;
        bar.value = 1;
        this.#tell("uploaded and checked", "done");
        this.#calls.done?.();
      },
      onError: ({ detail }) => this.#tell(detail, "failed"),
    });
    this.#calls.begun?.();
    this.#tell("starting", "sending");
  }

  #act(name) {
    if (!name || !this.#sending) return;
    if (name === "pause") { this.#sending.pause(); this.#tell("paused", "paused"); }
    if (name === "resume") { this.#sending.resume(); this.#tell("going on", "sending"); }
    if (name !== "cancel") return;
    this.#sending.cancel();
    this.#sending = null;
    this.#parts.file.value = "";
    this.#tell("given up", "");
    this.#parts.box.hidden = true;
    this.#parts.file.focus();
  }

  /** Dropped beside the box, a video would take the place of the page. */
  #takeDropped() {
    const { drop } = this.#parts;
    const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    for (const name of ["dragenter", "dragover"]) addEventListener(name, (event) => { if (hasFiles(event)) { event.preventDefault(); drop.classList.add("over"); } });
    addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
    addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      drop.classList.remove("over");
      this.#calls.dropped?.();
      if (event.dataTransfer.files[0]) this.#send(event.dataTransfer.files[0]);
    });
  }
}

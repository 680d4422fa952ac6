/* Videos that are chosen or dropped anywhere on a page: each is sent with its progress, then analysed with one click, or
   when it has arrived if that was clicked before, or set up in the form. */

const FOR_GOOD = new Set([400, 413, 415]); // what is no video, or too large, stays so

const size = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(0.1, bytes / 1e6).toFixed(1)} MB`);
const length = (seconds) => (seconds >= 60 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${seconds.toFixed(0)} s`);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

/* `form` is what starts an analysis: its field `asset` is filled. `started()` is called when a job was made. */
export function sendVideos({ form, list, file, over, started }) {
  const sends = new Set();

  function send(video) {
    list.hidden = false;
    const one = new Send(video, form, () => { started(); leave(); });
    sends.add(one);
    list.append(one.element);
    leave();
  }
  /* leaving the page stops what is being sent */
  const leave = () => {
    const busy = [...sends].some((one) => one.isUnderWay);
    removeEventListener("beforeunload", ask);
    if (busy) addEventListener("beforeunload", ask);
  };
  const ask = (event) => { if ([...sends].some((one) => one.isUnderWay)) event.preventDefault(); };

  file.addEventListener("change", () => {
    [...file.files].forEach(send);
    file.value = "";
  });

  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); depth += 1; over.hidden = false; } });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("dragleave", (event) => { if (hasFiles(event)) { depth = Math.max(0, depth - 1); over.hidden = depth === 0; } });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over.hidden = true;
    [...event.dataTransfer.files].forEach(send);
    list.scrollIntoView({ block: "nearest" });
  });
}

class Send {
  constructor(video, form, started) {
    this.form = form;
    this.started = started;
    this.asset = "";
    this.wanted = false; // to be analysed as soon as it has arrived
    this.isUnderWay = true;
    this.bar = make("progress", { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", `Upload of ${video.name}`);
    this.said = make("span", { className: "muted send-state" });
    this.told = make("span", { className: "sr" }); // what is read aloud: not every step of the bar
    this.told.setAttribute("role", "status");
    const name = make("b", { className: "send-name", dir: "auto", textContent: video.name });
    this.buttons = {
      start: this.button("Analyse", () => this.start(), video, "main"),
      options: make("a", { className: "button quiet", textContent: "Options", hidden: true }),
      pause: this.button("Pause", () => { this.sending.pause(); this.show("paused", "paused"); }, video),
      resume: this.button("Go on", () => { this.sending.resume(); this.show("going on", "sending"); }, video),
      cancel: this.button("Give up", () => this.cancel(), video),
    };
    this.buttons.options.setAttribute("aria-label", `Options for ${video.name}`);
    const row = make("span", { className: "row" }, ...Object.values(this.buttons));
    this.element = make("li", {}, make("p", {}, name, " ", this.said, this.told), this.bar, row);
    this.sending = window.uploads.start(video, this.handlers());
    this.show("starting", "sending");
  }

  button(word, act, video, kind = "quiet") {
    const button = make("button", { type: "button", className: kind, textContent: word, onclick: act });
    button.setAttribute("aria-label", `${word}: ${video.name}`);
    return button;
  }

  handlers() {
    const began = Date.now();
    let first = null;
    return {
      onProgress: ({ sent, total }) => {
        first ??= sent;
        this.bar.value = total ? sent / total : 0;
        const rate = (sent - first) / Math.max(0.5, (Date.now() - began) / 1000);
        const left = rate > 0 && sent < total ? `, ${length((total - sent) / rate)} left` : "";
        this.show(sent < total ? `${size(sent)} of ${size(total)}${left}` : "checking the video…", "sending");
      },
      onWaiting: ({ seconds }) => this.show(`connection lost: trying again in ${Math.ceil(seconds)} s, nothing is lost`, "waiting"),
      onDone: ({ assetId }) => {
        this.asset = assetId;
        this.bar.value = 1;
        this.buttons.options.href = `${this.form.action}?asset=${assetId}`;
        this.show("uploaded and checked", "done");
        this.started();
        if (this.wanted) this.start();
      },
      onError: ({ detail, status }) => this.show(detail, FOR_GOOD.has(status) ? "refused" : "failed"),
    };
  }

  show(text, kind) {
    const rest = this.wanted && kind !== "failed" && !this.asset ? "; its analysis starts when it has arrived" : "";
    this.said.textContent = `${text}${rest}`;
    if (kind !== this.kind) this.told.textContent = `${text}${rest}`;
    this.kind = kind;
    this.element.className = `send-row ${kind}`;
    this.isUnderWay = ["sending", "waiting", "paused"].includes(kind);
    this.buttons.start.hidden = ["failed", "refused", "starting", "started"].includes(kind) || (this.wanted && !this.asset);
    this.buttons.options.hidden = kind !== "done";
    this.buttons.pause.hidden = kind !== "sending";
    this.buttons.resume.hidden = kind !== "paused" && kind !== "failed";
    this.buttons.cancel.hidden = !["sending", "waiting", "paused", "failed", "refused"].includes(kind);
  }

  cancel() {
    this.sending.cancel();
    this.isUnderWay = false;
    this.element.remove();
    this.started();
  }

  async start() {
    if (!this.asset) {
      this.wanted = true;
      this.show("sending", "sending");
      return;
    }
    this.show("starting the analysis…", "starting");
    const data = new FormData(this.form);
    data.set("asset", this.asset);
    try {
      const response = await fetch(this.form.action, { method: "POST", body: data, credentials: "same-origin" });
      if (!response.ok || !response.redirected) throw new Error(await reason(response));
      const link = make("a", { href: response.url, textContent: "watch it" });
      this.show("", "started");
      this.said.replaceChildren("its analysis has begun: ", link);
      this.started();
    } catch (error) {
      this.show(error.message || "it could not be started: the server cannot be reached", "done");
    }
  }
}

/* What a page that was not what was hoped for says is wrong. */
async function reason(response) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const said = page.querySelector(".field-error, .note.error, h1")?.textContent.trim();
  return `it could not be started: ${said || `the server answered ${response.status}`}`;
}

/* Sending a video so that nothing is sent twice. No dependencies, no build: <script src="/static/js/upload.js"></script>

   const sending = window.uploads.start(file, {   // a File, from an <input type="file"> or dropped
     onProgress({sent, total}) {},                // bytes; sent == total: the server looks at the video and stores it
     onWaiting({seconds}) {},                     // the connection is lost: seconds until the next try
     onDone({assetId}) {},                        // for {"asset_id": …} of a new job
     onError({detail, status}) {},                // a sentence to show; resume() tries again where that can help
   });
   sending.pause();                               // what has arrived stays with the server
   sending.resume();
   sending.cancel();                              // gives up: the server forgets what has arrived

   It speaks tus 1.0.0 with /api/uploads. Where an upload stands is asked of the server, and its address is kept in
   localStorage under the file's name, size and date: the same file chosen again goes on, after a reload, a crash or in
   another tab, for as long as the server keeps it (MEDIAPROC_UPLOAD_DAYS). A lost connection is taken up again by
   itself: after 1 s, then twice as long each time up to 30 s, and at once when the browser is online again.

   It needs a session whose CSRF cookie is set, as on every page with a form. `uploads.remembered(file)` tells whether
   this browser knows of an unfinished upload of the file; the last argument `{address}` names another server path. */

"use strict";

(function (root) {
  const VERSION = "1.0.0";
  const PIECE = "application/offset+octet-stream";
  const LONGEST_PAUSE = 30; // seconds
  const FOR_GOOD = new Set([400, 403, 404, 405, 410, 412, 413, 415]);

  const key = (file) => `mediaproc.upload:${file.name}:${file.size}:${file.lastModified}`;
  const memory = {
    get: (file) => { try { return root.localStorage.getItem(key(file)); } catch { return null; } },
    set: (file, path) => { try { root.localStorage.setItem(key(file), path); } catch { /* private window: no resuming over a reload */ } },
    drop: (file) => { try { root.localStorage.removeItem(key(file)); } catch { /* as above */ } },
  };

  class Refused extends Error {
    constructor(status, detail) {
      super(detail);
      this.status = status;
    }
  }
  class Lost extends Error {}
  class Stopped extends Error {}

  const csrf = () => (root.document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/) || [])[1] || "";
  const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

  /* One request. XMLHttpRequest, because fetch does not tell how much of a body has been sent. */
  function request(sending, method, path, { headers = {}, body = null, onSent = null } = {}) {
    return new Promise((resolve, reject) => {
      const call = new XMLHttpRequest();
      call.open(method, path);
      const all = { Accept: "application/json", "Tus-Resumable": VERSION, "X-CSRFToken": csrf(), ...headers };
      for (const [name, value] of Object.entries(all)) call.setRequestHeader(name, value);
      if (onSent) call.upload.onprogress = (event) => onSent(event.loaded);
      call.onload = () => resolve(call);
      call.onerror = call.ontimeout = () => reject(new Lost());
      call.onabort = () => reject(new Stopped());
      sending.call = call;
      call.send(body);
    });
  }

  function sentence(call) {
    try {
      const { detail } = JSON.parse(call.responseText);
      if (detail) return detail;
    } catch { /* not from our own server: a proxy, perhaps */ }
    if (call.status === 401) return "You are no longer logged in: log in again, then go on.";
    return `The server answered ${call.status}.`;
  }

  function check(call) {
    if (call.status >= 200 && call.status < 300) return call;
    if (FOR_GOOD.has(call.status) || call.status === 401 || call.status === 507) throw new Refused(call.status, sentence(call));
    throw new Lost(); // busy, restarting, behind a proxy that is: it passes
  }

  class Sending {
    constructor(file, handlers, address) {
      this.file = file;
      this.handlers = handlers;
      this.address = address;
      this.state = "sending";
      this.failures = 0;
      this.offset = 0;
      this.path = memory.get(file);
      this.run();
    }

    tell(name, what) {
      if (this.handlers[name]) this.handlers[name](what);
    }

    async run() {
      const turn = (this.turn = {});
      const current = () => this.turn === turn && this.state === "sending";
      while (current()) {
        try {
          const assetId = await this.send();
          if (!current()) return;
          this.state = "done";
          memory.drop(this.file);
          this.tell("onDone", { assetId });
        } catch (error) {
          if (!current() || error instanceof Stopped) return;
          if (!(error instanceof Lost)) {
            this.fail(error);
            return;
          }
          await this.wait();
        }
      }
    }

    fail(error) {
      this.state = "failed";
      if (FOR_GOOD.has(error.status) && error.status !== 403) this.forget();
      this.tell("onError", { detail: error.message, status: error.status || 0 });
    }

    forget() {
      memory.drop(this.file);
      this.path = null;
    }

    /* From where the server stands to the asset. */
    async send() {
      this.offset = await this.standing();
      this.tell("onProgress", { sent: this.offset, total: this.file.size });
      const assetId = this.offset < this.file.size ? await this.patch() : null;
      return assetId || this.finish();
    }

    async standing() {
      if (this.path) {
        const call = await request(this, "HEAD", this.path);
        if (call.status === 200) {
          const offset = Number(call.getResponseHeader("Upload-Offset"));
          if (offset > this.offset) this.failures = 0;
          return offset;
        }
        if (call.status !== 404 && call.status !== 410) check(call);
        this.forget(); // it was removed meanwhile
      }
      const headers = { "Upload-Length": String(this.file.size), "Upload-Metadata": `filename ${base64(this.file.name)}` };
      const call = check(await request(this, "POST", this.address, { headers }));
      this.path = new URL(call.getResponseHeader("Location"), root.location.href).pathname;
      memory.set(this.file, this.path);
      return 0;
    }

    async patch() {
      const from = this.offset;
      const call = await request(this, "PATCH", this.path, {
        headers: { "Content-Type": PIECE, "Upload-Offset": String(from) },
        body: this.file.slice(from),
        onSent: (sent) => {
          this.failures = 0;
          this.tell("onProgress", { sent: Math.min(from + sent, this.file.size), total: this.file.size });
        },
      });
      return check(call).getResponseHeader("X-Asset-Id");
    }

    /* All has arrived, and the answer that names the asset was lost or said to come again. */
    async finish() {
      const body = JSON.stringify({ upload_id: this.path.split("/").pop() });
      const call = check(await request(this, "POST", "/api/assets", { headers: { "Content-Type": "application/json" }, body }));
      return JSON.parse(call.responseText).id;
    }

    wait() {
      const seconds = Math.min(LONGEST_PAUSE, 2 ** this.failures++) * (0.75 + Math.random() / 2);
      this.tell("onWaiting", { seconds });
      return new Promise((resolve) => {
        const go = () => {
          clearTimeout(timer);
          root.removeEventListener("online", go);
          this.wake = null;
          resolve();
        };
        const timer = setTimeout(go, seconds * 1000);
        root.addEventListener("online", go);
        this.wake = go;
      });
    }

    stop(state) {
      this.state = state;
      this.turn = null;
      if (this.call) this.call.abort();
      if (this.wake) this.wake();
    }

    pause() {
      if (this.state === "sending") this.stop("paused");
    }

    resume() {
      if (this.state !== "paused" && this.state !== "failed") return;
      this.state = "sending";
      this.failures = 0;
      this.run();
    }

    cancel() {
      if (this.state === "done" || this.state === "cancelled") return;
      this.stop("cancelled");
      const path = this.path;
      this.forget();
      if (path) this.remove(path, 5);
    }

    /* What was aborted may still be held for a moment; what cannot be removed now expires by itself. */
    async remove(path, tries) {
      const call = await request({}, "DELETE", path).catch(() => null);
      if (tries > 1 && (!call || call.status === 423)) setTimeout(() => this.remove(path, tries - 1), 1000);
    }
  }

  root.uploads = {
    start: (file, handlers = {}, { address = "/api/uploads" } = {}) => new Sending(file, handlers, address),
    remembered: (file) => memory.get(file) !== null,
  };
})(window);

/* The video element as the player sees it. Times are seconds from the first picture, as everywhere else on the site. */

const OFFSET_MS = 1000; // how long the first picture is waited for

export class VideoPicture {
  #video;
  #shown;
  #frame;
  #start;
  #offset = null; // when the first picture is on the element's own clock, once that is known; sound may begin before it
  #at = 0; // of the picture that is on screen, on the element's clock
  #wanted = null; // asked for, and not on screen yet
  #sent = null; // the one of these that the element was told
  #told = false; // whether a picture was shown since
  #sentAt = 0; // when that was, on the page's clock
  #ended = false;

  /** `shown(time)` is called for each new picture, `changed()` when it plays, pauses, or sounds otherwise,
      `failed()` when it cannot go on. `frameSeconds` is how long a picture stays, mostly; `start` is the first one's
      time in the file, which the element's clock goes by where it does not tell. */
  constructor(video, { frameSeconds, start, shown, changed, failed }) {
    this.#video = video;
    this.#start = start;
    this.#shown = shown;
    this.#frame = frameSeconds;
    const on = (name, act) => video.addEventListener(name, () => { if (!this.#ended) act(); });
    for (const name of ["play", "pause", "ratechange", "volumechange", "ended"]) on(name, changed);
    on("error", failed);
    on("loadedmetadata", () => { if (!video.videoWidth) failed(); }); // sound alone can be played
    on("loadeddata", () => this.#wait());
    on("seeked", () => this.#settle());
    this.#follow();
    if (video.error) queueMicrotask(failed);
    else if (video.readyState >= 2) this.#wait();
  }

  get size() { return { width: this.#video.videoWidth, height: this.#video.videoHeight }; }
  get playing() { return !this.#video.paused && !this.#video.ended; }
  get muted() { return this.#video.muted; }
  set muted(on) { this.#video.muted = on; }
  get rate() { return this.#video.playbackRate; }
  set rate(rate) { this.#video.playbackRate = rate; }
  /** When the first picture is on the element's own clock, null as long as nobody knows. */
  get offset() { return this.#offset; }
  /** Of the picture on screen, or of the one that was asked for and is on its way. */
  get time() { return this.#wanted ?? Math.max(0, this.#at - (this.#offset ?? 0)); }
  get length() { return Number.isFinite(this.#video.duration) ? this.#video.duration - (this.#offset ?? 0) : 0; }

  play() { this.#video.play().catch(() => {}); } // a browser that refuses says so by staying paused
  pause() { this.#video.pause(); }

  /** Shows the picture that is on screen at a time. */
  seek(time) {
    this.#wanted = Math.max(0, time);
    if (this.#offset !== null && !this.#video.seeking) this.#go();
  }

  /** Shows the next picture, or the one before. */
  step(direction) {
    this.pause();
    // half a picture further than the edge, so that rounding cannot lead to its neighbour
    this.seek(this.#at - (this.#offset ?? 0) + this.#frame * (direction > 0 ? 1.5 : -0.5));
  }

  /** Loads it once more and goes on where it was. */
  again() {
    const { time, playing } = this;
    this.#offset = null;
    this.#wanted = time;
    this.#video.load();
    if (playing) this.play();
  }

  /** Has no more to do with the element. */
  end() {
    this.#ended = true;
    this.#video.pause();
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #go() {
    this.#sent = this.#wanted;
    this.#told = false;
    this.#sentAt = performance.now();
    // a thousandth into the picture: its time is rounded on the way
    this.#video.currentTime = this.#wanted + this.#offset + 0.001;
  }

  #settle() {
    if (this.#wanted === null || this.#offset === null) return;
    if (this.#wanted !== this.#sent) {
      this.#go();
      return;
    }
    this.#wanted = null;
    if (!this.#told) this.#at = this.#video.currentTime; // until the picture itself tells
    if (!("requestVideoFrameCallback" in this.#video)) this.#show(this.#at);
  }

  /** A page that is not looked at is not told of pictures. */
  #wait() {
    setTimeout(() => this.#begin(this.#start), OFFSET_MS);
  }

  #begin(offset) {
    if (this.#offset !== null || this.#ended) return;
    this.#offset = offset;
    if (this.#wanted !== null) this.#go();
    else this.#show(offset);
  }

  #show(at) {
    this.#at = at;
    this.#told = true;
    this.#shown(Math.max(0, at - (this.#offset ?? 0)));
  }

  #follow() {
    const video = this.#video;
    if ("requestVideoFrameCallback" in video) {
      const next = (_, picture) => {
        if (this.#ended) return;
        this.#begin(picture.mediaTime);
        // one that was on its way when another was asked for comes late, and would be told in its place
        if (picture.presentationTime >= this.#sentAt) this.#show(picture.mediaTime);
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
      return;
    }
    const next = () => {
      if (this.#ended) return;
      if (this.playing && video.currentTime !== this.#at) this.#show(video.currentTime);
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }
}

/* Sampled frames in the place of a video that cannot be played: the same controls, a picture every now and then. */

const AHEAD = 3;

export class FramePictures {
  #image;
  #frames;
  #address;
  #told;
  #time = 0;
  #playing = false;
  #rate = 1;
  #before = 0;
  #index = -1;
  #ahead = [];

  /** `frames` are `[sequence, seconds]` in the order of time, `address(sequence)` is where one lies. `shown(time, of)` is
      called as time goes by, `of` being that of the picture or null while there is none; `changed()` when it plays or
      pauses, `found(isThere)` when a picture has come, or is not to be had. */
  constructor(image, frames, { address, length, shown, changed, found }) {
    this.#image = image;
    this.#frames = frames;
    this.#address = address;
    this.#told = { shown, changed };
    this.length = Math.max(length, frames.at(-1)?.[1] ?? 0);
    this.muted = true;
    image.addEventListener("load", () => {
      found(true);
      this.#tell();
    });
    image.addEventListener("error", () => {
      found(false);
      this.#tell();
    });
    this.seek(0);
  }

  get size() { return { width: this.#image.naturalWidth, height: this.#image.naturalHeight }; }
  get playing() { return this.#playing; }
  get time() { return this.#time; }
  get rate() { return this.#rate; }
  set rate(rate) {
    this.#rate = rate;
    this.#told.changed();
  }

  play() {
    if (this.#playing) return;
    if (this.#time >= this.length) this.#time = 0;
    this.#playing = true;
    this.#before = performance.now();
    requestAnimationFrame((now) => this.#tick(now));
    this.#told.changed();
  }

  pause() {
    if (!this.#playing) return;
    this.#playing = false;
    this.#told.changed();
  }

  seek(time) {
    this.#time = Math.min(this.length, Math.max(0, time));
    this.#turn();
    this.#tell();
  }

  /** The next sampled frame, or the one before. */
  step(direction) {
    this.pause();
    const index = Math.min(this.#frames.length - 1, Math.max(0, this.#index + direction));
    if (this.#frames[index]) this.seek(this.#frames[index][1]);
  }

  #tick(now) {
    if (!this.#playing) return;
    this.#time = Math.min(this.length, this.#time + ((now - this.#before) / 1000) * this.#rate);
    this.#before = now;
    this.#turn();
    this.#tell();
    if (this.#time >= this.length) this.pause();
    else requestAnimationFrame((later) => this.#tick(later));
  }

  /** Puts up the frame that was on screen last. */
  #turn() {
    const index = Math.max(0, lastBefore(this.#frames, this.#time));
    if (index === this.#index || !this.#frames.length) return;
    this.#index = index;
    this.#image.src = this.#address(this.#frames[index][0]);
    this.#ahead = this.#frames.slice(index + 1, index + 1 + AHEAD).map(([sequence]) => {
      const coming = new Image();
      coming.src = this.#address(sequence);
      return coming;
    });
  }

  #tell() {
    // until it has come, the picture before is still on screen
    const shown = this.#image.complete && this.#image.naturalWidth ? this.#frames[this.#index]?.[1] : undefined;
    this.#told.shown(this.#time, shown ?? null);
  }
}

/** Place of the last frame that is not later than a time; -1 where all are. */
function lastBefore(frames, time) {
  let low = 0, high = frames.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle][1] <= time + 0.0005) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

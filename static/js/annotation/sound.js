/* A file of sound alone: it tells its time and is told where to go as the player of videos is, by the same keys. */

const STEP = 5, LONG_STEP = 10;

export function playSound(audio, note) {
  const duration = () => (Number.isFinite(audio.duration) ? audio.duration : 0);
  const tell = () => {
    const detail = { time: audio.currentTime, duration: duration(), playing: !audio.paused };
    document.dispatchEvent(new CustomEvent("player:time", { detail }));
  };
  const seek = (time) => { audio.currentTime = Math.max(0, duration() ? Math.min(time, duration()) : time); };
  const follow = () => {
    tell();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  for (const name of ["play", "seeked", "pause", "loadedmetadata"]) audio.addEventListener(name, follow);
  audio.addEventListener("error", () => { note.textContent = "The sound cannot be played here, or is not there any more."; });
  if (audio.error) note.textContent = "The sound cannot be played here, or is not there any more.";
  document.addEventListener("player:seek", ({ detail }) => {
    seek(Number(detail.time) || 0);
    if (detail.play === true) audio.play().catch(() => {}); // a browser that refuses says so by staying paused
  });
  const keys = {
    " ": () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()),
    ArrowLeft: () => seek(audio.currentTime - STEP),
    ArrowRight: () => seek(audio.currentTime + STEP),
    j: () => seek(audio.currentTime - LONG_STEP),
    l: () => seek(audio.currentTime + LONG_STEP),
    Home: () => seek(0),
    End: () => seek(duration()),
  };
  keys.k = keys[" "];
  audio.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}

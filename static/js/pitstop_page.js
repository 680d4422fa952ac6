/* A pit stop's times lead to their moment in the video, and the video's moment is shown in the timeline. */

const lanes = document.getElementById("lanes");
const player = document.getElementById("player");
const ask = (time) => document.dispatchEvent(new CustomEvent("player:seek", { detail: { time, play: false } }));

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-seek]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.replaceState(null, "", link.hash);
  ask(Number(link.dataset.seek));
  player?.scrollIntoView({ block: "nearest" });
});

if (lanes) {
  const duration = Number(lanes.dataset.duration);
  const marks = [...lanes.querySelectorAll(".lane-now")];
  document.addEventListener("player:time", ({ detail }) => {
    const at = `${Math.min(100, (100 * detail.time) / duration)}%`;
    for (const mark of marks) {
      mark.setAttribute("x1", at);
      mark.setAttribute("x2", at);
    }
  });
  const seek = (event) => {
    const lane = event.target.closest(".lane svg");
    if (!lane) return;
    const { left, width } = lane.getBoundingClientRect();
    ask(Math.min(duration, Math.max(0, ((event.clientX - left) / width) * duration)));
  };
  lanes.addEventListener("pointerdown", seek);
  lanes.addEventListener("pointermove", (event) => { if (event.buttons === 1) seek(event); });
}

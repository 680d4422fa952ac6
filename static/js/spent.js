/* How long something has been running, on its page: a clock that stands still looks broken. */

const two = (number) => String(number).padStart(2, "0");

function words(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(Math.floor(seconds % 60))} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
}

/* `page` carries when it began; its parts may be replaced at any time. */
export function keepTime(page, isRunning) {
  setInterval(() => {
    const place = page.querySelector("[data-figure=spent] dd");
    if (isRunning() && place && page.dataset.started) {
      place.textContent = words(Math.max(0, (Date.now() - Date.parse(page.dataset.started)) / 1000));
    }
  }, 1000);
}

/* Batches as they run, over Server-Sent Events: `/api/v0/events/stream`. The browser comes again by itself from the
   number last seen; where the server refused, so does this, less and less often. A page that nobody looks at lets go of
   its connection, of which a browser has six for all its pages. */

const ADDRESS = "/api/v0/events/stream";
const FIRST_PAUSE = 1000, LONGEST_PAUSE = 15000;
const KINDS = ["job.update", "job.log"];

/* Follows one batch from the event after number `after` on, or with no `job` all of them from now on. `onEvent(kind, data)`
   has each event once; `onState(word)` is open or waiting. Gives {close}. */
export function followBatches({ job = "", after = 0, onEvent, onState = () => {} }) {
  let last = after, source = null, timer = null, pause = FIRST_PAUSE;
  const connect = () => {
    const query = new URLSearchParams(job ? { job, after: last } : last ? { after: last } : {});
    source = new EventSource(`${ADDRESS}?${query}`);
    source.onopen = () => onState("open");
    source.onerror = () => {
      onState("waiting");
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(connect, pause);
      pause = Math.min(LONGEST_PAUSE, 2 * pause);
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        const number = Number(event.lastEventId);
        if (number <= last) return;
        last = number;
        pause = FIRST_PAUSE;
        onEvent(kind, JSON.parse(event.data));
      });
    }
  };
  const hangUp = () => {
    clearTimeout(timer);
    source?.close();
    source = timer = null;
  };
  const look = () => {
    if (document.hidden) hangUp();
    else if (!source) connect();
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", hangUp);
  addEventListener("pageshow", look);
  look();
  return {
    close() {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("pageshow", look);
      hangUp();
    },
  };
}

export const ENDED = new Set(["succeeded", "failed", "canceled"]);

/* Calls `work`, which gives a promise, soon after it is asked for, but not more often than people can see. */
export function seldom(work, milliseconds) {
  let due = null, asked = 0, busy = false, again = false;
  async function run() {
    due = null;
    busy = true;
    asked = Date.now();
    await work();
    busy = false;
    if (again) {
      again = false;
      soon();
    }
  }
  function soon() {
    if (busy) again = true;
    else due ??= setTimeout(run, Math.max(0, asked + milliseconds - Date.now()));
  }
  return soon;
}

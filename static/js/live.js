/* Following a job, or all jobs, as they run. No dependencies, no build: <script src="/static/js/live.js"></script>

   const following = live.follow(jobId, {
     after: 17,                          // the number last seen; 0 for everything. Nothing is told twice
     onEvent(event) {},                  // {number, kind, data}: each once, in the order of their numbers
     onState(state, detail) {},          // connecting | open | waiting | ended | refused
   });
   following.last;                       // the number last seen, to go on from another time
   following.close();

   live.followAll({onEvent, onState})    // {job_id, number, kind, data}: the latest job.update of each job that changes
   live.followReview({after, onMessage, onState})   // decisions behind a number: {id, by, sentence, …}, or {results}

   It speaks over a websocket and, where none can be opened, over Server-Sent Events (one job only), and comes again by
   itself from the number last seen: after .5 s, then twice as long each time up to 15 s, each time a little at random so
   that a server that was restarted is not met by all at once.

   States: "waiting" has {seconds} until the next try. "ended" has {status, last}: the job has ended and all was told;
   the status is `deleted` where it is gone. "refused" has {code, reason}: no session or key (4401), a role that may not
   (4403), no such job (4404). After the last two nothing more comes. What each kind carries is in docs/events.md. */

"use strict";

(function (root) {
  const KINDS = ["job.update", "job.log", "job.stage", "job.brand"];
  const END = "job.end";
  const FIRST_PAUSE = 0.5;
  const LONGEST_PAUSE = 15;
  const LASTED = 5000; // milliseconds
  const FAILURES_BEFORE_CHANGE = 2;

  function follow(jobId, { after = 0, onEvent = () => {}, onState = () => {} } = {}) {
    const id = encodeURIComponent(jobId);
    let last = after;
    const line = connection({
      onState,
      ways: [
        (hear) => overWebSocket(`/ws/jobs/${id}?after=${last}`, hear),
        (hear) => overEventSource(`/detect/jobs/${id}/events?after=${last}`, hear),
      ],
      onMessage(message) {
        if (message.kind === END) return line.finish("ended", message.data);
        if (message.number <= last) return;
        last = message.number;
        onEvent(message);
      },
    });
    return {
      get last() {
        return last;
      },
      close: line.close,
    };
  }

  function followAll({ onEvent = () => {}, onState = () => {} } = {}) {
    const last = new Map();
    const line = connection({
      onState,
      ways: [(hear) => overWebSocket("/ws/jobs", hear)],
      onMessage(message) {
        if (message.number <= (last.get(message.job_id) || 0)) return;
        last.set(message.job_id, message.number);
        onEvent(message);
      },
    });
    return { close: line.close };
  }

  function followReview({ after = 0, onMessage = () => {}, onState = () => {} } = {}) {
    let last = after;
    const line = connection({
      onState,
      ways: [(hear) => overWebSocket(`/ws/review?after=${last}`, hear)],
      onMessage(message) {
        if (!message.results) {
          if (message.id <= last) return;
          last = message.id;
        }
        onMessage(message);
      },
    });
    return { close: line.close };
  }

  /* One connection at a time, over the first of `ways` or, where that does not open, the next. A way is called with
     {open, message, lost} and returns how to hang up; lost(code, reason) may tell that coming again is of no use. */
  function connection({ ways, onMessage, onState }) {
    let way = 0;
    let failures = 0;
    let hangUp = () => {};
    let timer = null;
    let finished = false;

    function connect() {
      let opened = 0;
      let current = true;
      onState("connecting", {});
      if (finished) return;
      const hang = ways[way]({
        open() {
          if (!current) return;
          opened = Date.now();
          onState("open", {});
        },
        message(message) {
          if (!current) return;
          failures = 0; // being let in is not enough: a server that then falls over is not met at full speed
          onMessage(message);
        },
        lost(code, reason) {
          if (!current) return;
          hangUp();
          if (code >= 4400 && code < 4500) return finish("refused", { code, reason });
          if (opened && Date.now() - opened > LASTED) failures = 0;
          failures += 1;
          if (!opened && failures % FAILURES_BEFORE_CHANGE === 0) way = (way + 1) % ways.length;
          const longest = Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE);
          const seconds = longest * (0.75 + Math.random() / 4);
          timer = setTimeout(connect, seconds * 1000);
          onState("waiting", { seconds });
        },
      });
      hangUp = () => {
        current = false;
        hang();
      };
      if (finished) hangUp();
    }

    function close() {
      finished = true;
      clearTimeout(timer);
      hangUp();
    }

    function finish(state, detail) {
      if (finished) return;
      close();
      onState(state, detail);
    }

    timer = setTimeout(connect, 0);
    return { close, finish };
  }

  function overWebSocket(path, { open, message, lost }) {
    const address = new URL(path, root.location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new root.WebSocket(address);
    socket.onopen = open;
    socket.onmessage = (frame) => message(JSON.parse(frame.data));
    socket.onclose = (event) => lost(event.code, event.reason);
    return () => socket.close();
  }

  function overEventSource(path, { open, message, lost }) {
    const source = new root.EventSource(new URL(path, root.location.href));
    source.onopen = open;
    // it would come again by itself, but always with the same address and without growing pauses
    source.onerror = () => lost(0, "");
    for (const kind of [...KINDS, END]) {
      source.addEventListener(kind, (event) => {
        const number = kind === END ? null : Number(event.lastEventId);
        message({ number, kind, data: JSON.parse(event.data) });
      });
    }
    return () => source.close();
  }

  root.live = { follow, followAll, followReview };
})(typeof window === "undefined" ? globalThis : window);

/* What others decide meanwhile, and this reader in other tabs. */

const TOGETHER = 120;

/* `decided(messages)` and `results()` are told of what may change the queue. A message of this reader's own is of
   interest where it was not made here: that is known when nothing is on its way any more (`idle`). */
export function followOthers(review, { idle, decided, results }) {
  const { by: me, last } = review.dataset, own = new Set(), line = document.getElementById("others");
  let waiting = [], held = [], timer = null;

  function show({ who, sentence }) {
    if (!line) return;
    line.textContent = `${who}: ${sentence}`;
    line.hidden = false;
  }

  function pass() {
    timer = null;
    const messages = waiting;
    waiting = [];
    if (messages.length) decided(messages);
  }

  function take(message) {
    waiting.push(message);
    if (message.by !== me) show(message);
    timer ??= setTimeout(pass, TOGETHER);
  }

  function release() {
    if (!idle()) return;
    for (const message of held) if (!own.has(message.id)) take({ ...message, who: "You, elsewhere," });
    held = [];
  }

  window.live.followReview({
    after: Number(last),
    onMessage(message) {
      if (message.results) return results();
      if (message.by !== me) return take({ ...message, who: message.by.replace(/^user:/, "") });
      held.push(message);
      return setTimeout(release, TOGETHER);
    },
  });
  return { own(id) { own.add(id); setTimeout(release, TOGETHER); } };
}

/* What the page says: what was decided and comes next, what was refused, what is on its way. */

const part = (id) => document.getElementById(id);

export const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

/* The line below the buttons: the last decision, and what it settled once that is known. */
export function say(sentence, settled = "") {
  part("said").querySelector("[data-said]").textContent = sentence;
  part("said").querySelector("[data-settled]").textContent = settled;
}

/* Instead of a decision that was not made after all. */
export function unsay(sentence) {
  if (part("said").querySelector("[data-said]").textContent === sentence) say(`Not made: ${sentence}`);
}

/* For those who hear the page: what was decided, and the card that comes next. */
export function tell(sentence, next) {
  const words = next ? `Next: ${next.dataset.name}, settles ${next.dataset.settles}` : "Nothing comes next";
  part("told").textContent = `${sentence}. ${words}.`;
}

/* A sentence that stays until it is read and put away. */
export function problem(sentence, { address, closed }) {
  const note = Object.assign(document.createElement("p"), { className: "note warning", dir: "auto", textContent: `${sentence}. ` });
  if (address) note.append(Object.assign(document.createElement("a"), { href: address, textContent: "See that decision" }));
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Close" });
  button.addEventListener("click", () => { note.remove(); closed(); });
  note.append(button);
  part("problems").append(note);
  while (part("problems").children.length > 4) part("problems").firstElementChild.remove();
}

/* How much is on its way, and what keeps it. */
export function drawSaving({ waiting, problem, stopped }, retry) {
  const saving = part("saving");
  saving.hidden = waiting === 0;
  saving.classList.toggle("problem", Boolean(problem));
  if (!waiting) return;
  const unsaved = `${plural(waiting, "decision")} not saved yet`;
  saving.textContent = problem ? `${problem}: ${unsaved}${stopped ? "" : ", trying again …"}` : `Saving ${waiting} …`;
  if (!problem) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Try now" });
  button.addEventListener("click", retry);
  saving.append(" ", button);
}

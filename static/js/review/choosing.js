/* The two questions: what a new brand is called, and which known brand it is. Both say what the answer would settle. */

const ASK_AFTER = 150;

/* `effect(fields)` resolves with what a decision would settle, or why it cannot be made, as {text, refused}. */
function teller(line, button, effect) {
  let timer = null, asked = 0;
  return function tell(fields) {
    clearTimeout(timer);
    const number = asked += 1;
    line.classList.remove("refused");
    if (!fields) {
      line.textContent = "";
      button.disabled = true;
      return;
    }
    button.disabled = false;
    timer = setTimeout(async () => {
      const told = await effect(fields);
      if (number !== asked || !told) return;
      line.textContent = told.text;
      line.classList.toggle("refused", told.refused);
      button.disabled = told.refused;
    }, ASK_AFTER);
  };
}

function closing(dialog) {
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
}

/* `open({title, word, name})` asks; `chosen(name)` hears the answer. */
export function nameAsker(dialog, { effect, chosen }) {
  const field = dialog.querySelector("input"), button = dialog.querySelector("[value=yes]");
  const tell = teller(dialog.querySelector("[data-effect]"), button, effect);
  const look = () => tell(field.value.trim() ? [["action", "new"], ["name", field.value.trim()]] : null);
  closing(dialog);
  field.addEventListener("input", look);
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (!name || button.disabled) return;
    dialog.close();
    chosen(name);
  });
  return function open({ title, word, name }) {
    dialog.querySelector("h2").textContent = title;
    button.textContent = word;
    field.value = name;
    dialog.showModal();
    field.select();
    look();
  };
}

/* `open(guesses)` asks, with the present card's guesses until something is typed; `chosen({id, name})` hears the answer,
   `make(name)` that it is to be a new brand. */
export function brandAsker(dialog, { address, effect, chosen, make }) {
  const field = dialog.querySelector("input"), list = dialog.querySelector("ul"), none = dialog.querySelector(".rv-none");
  const button = dialog.querySelector("[value=yes]"), tell = teller(dialog.querySelector("[data-effect]"), button, effect);
  let guesses = [], timer = null, asked = 0;
  const choices = () => [...list.children];
  const marked = () => list.querySelector("[aria-selected=true]");

  function mark(choice) {
    marked()?.setAttribute("aria-selected", "false");
    choice?.setAttribute("aria-selected", "true");
    choice?.scrollIntoView({ block: "nearest" });
    if (choice) field.setAttribute("aria-activedescendant", choice.id);
    else field.removeAttribute("aria-activedescendant");
    tell(choice ? [["action", `alias:${choice.dataset.brand}`]] : null);
  }

  function fill(items) {
    list.replaceChildren(...items);
    none.hidden = items.length > 0 || !field.value.trim();
    mark(list.firstElementChild);
  }

  async function search() {
    const text = field.value.trim(), number = asked += 1;
    if (!text) return fill(guesses);
    try {
      const response = await fetch(`${address}?q=${encodeURIComponent(text)}`, { credentials: "same-origin" });
      if (number !== asked || !response.ok) return;
      const holder = document.createElement("template");
      holder.innerHTML = await response.text();
      if (number === asked) fill([...document.importNode(holder.content, true).children]);
    } catch {
      if (number === asked) fill([]);
    }
  }

  function answer(choice) {
    if (!choice) return;
    dialog.close();
    chosen({ id: choice.dataset.brand, name: choice.dataset.brandName });
  }

  closing(dialog);
  field.addEventListener("input", () => {
    clearTimeout(timer);
    asked += 1; // what was asked before is of no interest now
    timer = setTimeout(search, ASK_AFTER);
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = choices(), at = all.indexOf(marked());
    mark(all[(at + step + all.length) % all.length]);
  });
  list.addEventListener("click", ({ target }) => answer(target.closest("[role=option]")));
  dialog.querySelector("[data-make]").addEventListener("click", () => { dialog.close(); make(field.value.trim()); });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!button.disabled) answer(marked());
  });
  return function open(known) {
    guesses = known;
    field.value = "";
    fill(guesses);
    dialog.showModal();
    field.focus();
  };
}

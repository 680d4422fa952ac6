/* Fields of stages' options: which are changed, back to what they were, sliders beside numbers, what is wrong with one. */

const fieldOf = (option) => option.querySelector("input:not([type=range], [type=hidden]), select");

export const textOf = (option) => {
  const field = fieldOf(option);
  return field.type === "checkbox" ? String(field.checked) : field.value.trim();
};
const same = (one, other) => one === other || (one !== "" && other !== "" && Number(one) === Number(other));

export function mark(option) {
  const changed = !same(textOf(option), option.dataset.default), reset = option.querySelector("[data-reset]");
  option.classList.toggle("changed", changed);
  reset.hidden = !changed;
  reset.querySelector(".own").textContent = option.dataset.default || "empty";
  const slider = option.querySelector("input[type=range]");
  if (slider) slider.value = textOf(option);
  return changed;
}

export function set(option, text) {
  const field = fieldOf(option);
  if (field.type === "checkbox") field.checked = text === "true";
  else field.value = text;
}

/* says beside an option what is wrong with it; nothing is wrong without a text */
export function complain(option, text = "") {
  const place = option.querySelector(".field-error"), field = fieldOf(option);
  option.classList.toggle("wrong", Boolean(text));
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

export function count(within) {
  let all = 0;
  for (const group of within.querySelectorAll(".option-group")) {
    const changed = group.querySelectorAll(".option.changed").length, tag = group.querySelector(".option-count");
    all += changed;
    if (tag) {
      tag.hidden = !changed;
      tag.textContent = `${changed} changed`;
    }
  }
  return all;
}

export function watch(within, onChange = () => {}) {
  const changed = (event) => {
    const option = event.target.closest?.(".option");
    if (!option) return;
    if (event.target.type === "range") set(option, event.target.value);
    mark(option);
    onChange(option, count(within));
  };
  within.addEventListener("input", changed);
  within.addEventListener("change", changed);
  within.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reset]");
    if (!button) return;
    const option = button.closest(".option");
    set(option, option.dataset.default);
    mark(option);
    onChange(option, count(within));
    fieldOf(option).focus();
  });
  within.querySelectorAll(".option").forEach(mark);
  return count(within);
}

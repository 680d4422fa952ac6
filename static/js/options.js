/* Fields of stages' options: which are changed, back to what they were, sliders beside numbers. */

export const textOf = (option) => {
  const box = option.querySelector("input[type=checkbox]");
  return box ? String(box.checked) : option.querySelector("input:not([type=range], [type=hidden]), select").value.trim();
};
const same = (one, other) => one === other || (one !== "" && other !== "" && Number(one) === Number(other));

export function mark(option) {
  const changed = !same(textOf(option), option.dataset.default);
  option.classList.toggle("changed", changed);
  const slider = option.querySelector("input[type=range]");
  if (slider) slider.value = textOf(option);
  return changed;
}

export function set(option, text) {
  const box = option.querySelector("input[type=checkbox]");
  if (box) box.checked = text === "true";
  else option.querySelector("input:not([type=range], [type=hidden]), select").value = text;
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

/* {stage: {option: value}} of what is changed, as JSON knows it */
export function overrides(within) {
  const found = {};
  for (const option of within.querySelectorAll(".option.changed")) {
    const field = option.querySelector("[name]"), [, stage, name] = field.name.split("."), text = textOf(option);
    const box = option.querySelector("input[type=checkbox]"), number = option.querySelector("input[type=number]");
    const list = option.querySelector("input[placeholder^='names']");
    let value = text;
    if (box) value = box.checked;
    else if (number) value = Number(text);
    else if (list) value = text.split(",").map((part) => part.trim()).filter(Boolean);
    (found[stage] ||= {})[name] = value;
  }
  return found;
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
    option.querySelector("input:not([type=hidden], [type=range]), select").focus();
  });
  within.querySelectorAll(".option").forEach(mark);
  return count(within);
}

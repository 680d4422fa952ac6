/* Asks before what cannot be taken back, in place: the server would ask on a page of its own. */

const dialog = document.getElementById("ask");
const yes = dialog?.querySelector("[value=yes]");

if (dialog?.showModal) {
  let pending = null;
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    const asks = button?.dataset.confirm || form.dataset.confirm;
    if (!asks || form.elements.confirmed) return;
    event.preventDefault();
    pending = { form, button };
    dialog.querySelector("#ask-text").textContent = asks;
    yes.textContent = button?.dataset.confirmWord || form.dataset.confirmWord || "Yes";
    dialog.showModal();
    dialog.querySelector("[value=no]").focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === yes) {
      const { form, button } = pending;
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "yes" }));
      dialog.close();
      form.requestSubmit(button);
    } else if (event.target === dialog || event.target.value === "no") {
      dialog.close();
    }
  });
}

/* menus close when one clicks elsewhere or presses Escape */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

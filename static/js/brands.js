/* Lists and forms that follow a choice at once; without this each has a button. */

for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

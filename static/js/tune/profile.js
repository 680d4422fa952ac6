/* Saving what was changed as a profile, without leaving the page. */

export function watchProfile(form) {
  const button = document.getElementById("save-button"), label = document.getElementById("profile-label");
  const place = () => document.getElementById("profile-answer");
  form.addEventListener("submit", async (event) => {
    if (event.submitter !== button) return;
    event.preventDefault();
    button.disabled = true;
    try {
      const response = await fetch(button.formAction, { method: "POST", body: new FormData(form), headers: { "X-Part": "profile" }, credentials: "same-origin" });
      const answer = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("profile-answer");
      if (!answer) throw new Error(`The server answered ${response.status}.`);
      place().replaceChildren(...answer.childNodes);
      if (response.ok) form.querySelectorAll("#save-profile input, #save-profile textarea").forEach((field) => { field.value = ""; });
    } catch (error) {
      place().replaceChildren(Object.assign(document.createElement("p"), { className: "field-error", textContent: `It was not saved: ${error.message}` }));
    }
    button.disabled = false;
  });
  form.addEventListener("click", (event) => {
    const proposed = event.target.closest("[data-use-label]");
    if (!proposed) return;
    label.value = proposed.dataset.useLabel;
    button.click();
    label.focus();
  });
}

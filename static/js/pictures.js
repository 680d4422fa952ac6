/* Pictures whose frames are gone: those with data-optional leave their place empty, those with data-missing say its text. */

function missing(image) {
  if (image.hasAttribute("data-optional")) image.classList.add("gone");
  if (image.dataset.missing) {
    const said = Object.assign(document.createElement("span"), { className: "no-picture", textContent: image.dataset.missing });
    (image.closest("a") || image).replaceWith(said);
  }
}

document.addEventListener("error", (event) => { if (event.target.matches?.("img")) missing(event.target); }, true);
for (const image of document.querySelectorAll("img[data-optional], img[data-missing]")) {
  if (image.complete && !image.naturalWidth) missing(image);
}

/* The page for paper: its button, and pictures that are gone leave their place to their words. */
(() => {
  "use strict";
  const button = document.querySelector("[data-print]");
  button.hidden = false;
  button.addEventListener("click", () => window.print());
  const gone = (image) => image.replaceWith(Object.assign(document.createElement("span"), { className: "r-gone", textContent: "Picture no longer stored" }));
  document.addEventListener("error", ({ target }) => { if (target.tagName === "IMG") gone(target); }, true);
  for (const image of document.images) if (image.complete && !image.naturalWidth) gone(image);
})();

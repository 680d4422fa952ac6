/* Pictures: a crop opens its whole frame with the box on it; one that is no longer stored says so. */

const svg = (tag, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

export function watchPictures(review) {
  const gone = (image) => {
    const place = document.createElement("span");
    place.className = "rv-gone";
    if (image.closest(".rv-thumb")) place.setAttribute("aria-hidden", "true");
    else place.textContent = "Picture no longer stored";
    image.replaceWith(place);
  };
  review.addEventListener("error", ({ target }) => { if (target.tagName === "IMG") gone(target); }, true);
  for (const image of review.querySelectorAll("img")) if (image.complete && image.currentSrc && !image.naturalWidth) gone(image);
}

export function frameViewer(dialog) {
  const stage = dialog.querySelector(".rv-frame-stage"), caption = dialog.querySelector("[data-caption]");
  const page = dialog.querySelector("[data-page]"), steps = [...dialog.querySelectorAll("[data-step]")];
  let links = [], at = 0;

  function draw(place) {
    at = (place + links.length) % links.length;
    const link = links[at], { box, size } = link.dataset;
    const holder = document.createElement("div");
    const image = Object.assign(new Image(), { src: link.href, alt: link.querySelector("img")?.alt || "" });
    image.addEventListener("error", () => { holder.textContent = "This frame is no longer stored."; });
    image.addEventListener("load", () => {
      const [width, height] = size ? size.split(" ").map(Number) : [image.naturalWidth, image.naturalHeight];
      const [x, y, w, h] = box.split(" ").map(Number);
      const over = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
      over.append(svg("path", { class: "shade", "fill-rule": "evenodd", d: `M0 0H${width}V${height}H0ZM${x} ${y}V${y + h}H${x + w}V${y}Z` }));
      over.append(svg("rect", { x, y, width: w, height: h }));
      holder.append(over);
    });
    holder.append(image);
    stage.replaceChildren(holder);
    caption.textContent = image.alt;
    page.href = link.dataset.page;
    steps.forEach((step) => { step.hidden = links.length < 2; });
  }

  steps.forEach((step) => step.addEventListener("click", () => draw(at + Number(step.dataset.step))));
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) draw(at + step);
    if (event.key === "f") dialog.close();
    event.stopPropagation(); // these keys mean something else on the page
  });
  return function open(link) {
    links = [...link.closest(".rv-pictures").querySelectorAll(".rv-picture")];
    draw(links.indexOf(link));
    dialog.showModal();
  };
}

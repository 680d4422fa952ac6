/* One pair large: fitted, or at full size with both sides moving as one. */

import { change, drawSide, light, listSide, pictureOf, tell } from "./pictures.js";

export class Enlarged {
  /* `on.go(sequence, by)`: another frame is wanted */
  constructor(setup, on) {
    this.setup = setup;
    this.dialog = document.getElementById("enlarged");
    this.sequence = null;
    this.result = null;
    const pair = document.getElementById("pair").content.querySelector(".pair-sides").cloneNode(true);
    this.figures = [...pair.querySelectorAll("figure")];
    this.lists = this.figures.map((figure) => {
      const list = Object.assign(document.createElement("ol"), { className: "found" });
      light(list, figure);
      figure.append(list);
      return list;
    });
    this.dialog.querySelector(".enlarged-sides").append(...this.figures);
    this.full = document.getElementById("full-size");
    this.full.addEventListener("click", () => this.size(this.full.getAttribute("aria-pressed") !== "true"));
    document.getElementById("enlarged-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => { this.sequence = null; });
    for (const button of this.dialog.querySelectorAll("[data-go]")) {
      button.addEventListener("click", () => on.go(this.sequence, Number(button.dataset.go)));
    }
    this.dialog.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || this.full.getAttribute("aria-pressed") === "true" || event.target.closest(".picture")) return;
      event.preventDefault();
      on.go(this.sequence, by);
    });
    const pictures = this.figures.map((figure) => figure.querySelector(".picture"));
    pictures.forEach((picture, side) => {
      const other = pictures[1 - side];
      picture.tabIndex = 0;
      picture.setAttribute("role", "group");
      picture.setAttribute("aria-label", this.figures[side].querySelector("figcaption").firstChild.textContent);
      picture.addEventListener("scroll", () => {
        if (other.scrollLeft !== picture.scrollLeft) other.scrollLeft = picture.scrollLeft;
        if (other.scrollTop !== picture.scrollTop) other.scrollTop = picture.scrollTop;
      });
      picture.addEventListener("click", (event) => this.closer(picture, event));
      for (const image of picture.querySelectorAll("img")) [image.width, image.height] = [setup.width, setup.height];
      picture.style.setProperty("--width", `${setup.width}px`);
    });
    tell(this.dialog, () => this.result);
    // above everything else there is only what is inside the dialog
    this.dialog.append(document.getElementById("region-tip"));
  }

  open(frame, result, view, place) {
    const fresh = this.sequence !== frame.sequence;
    this.sequence = frame.sequence;
    document.getElementById("enlarged-head").textContent = `${frame.time} · ${place}`;
    if (!this.dialog.open) {
      this.size(false);
      this.dialog.showModal();
    }
    if (fresh) {
      for (const figure of this.figures) {
        figure.querySelector(".photo").src = pictureOf(this.setup, frame.sequence);
        figure.querySelector("svg").replaceChildren();
        figure.querySelector(".overlay").hidden = true;
      }
    }
    this.draw(result, view);
  }

  draw(result, view) {
    this.result = result;
    this.view = view;
    document.getElementById("enlarged-change").textContent = result ? change(result) || (result.tried ? "no difference" : "") : "";
    if (!result) return;
    this.figures.forEach((figure, at) => {
      drawSide(figure, result, figure.dataset.side, view, this.setup);
      listSide(this.lists[at], result, figure.dataset.side);
    });
  }

  /* the place that was clicked stays under the pointer */
  closer(picture, event) {
    const box = picture.querySelector(".photo").getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
    this.size(this.full.getAttribute("aria-pressed") !== "true");
    picture.scrollLeft = across * picture.scrollWidth - picture.clientWidth / 2;
    picture.scrollTop = down * picture.scrollHeight - picture.clientHeight / 2;
  }

  size(full) {
    this.full.setAttribute("aria-pressed", String(full));
    this.dialog.classList.toggle("full", full);
    if (this.result) this.draw(this.result, this.view);
  }
}

/* The list of pit stops: rows that move with their jobs, and a video that is sent while the rest is filled in. */

import "./pictures.js";
import { followRows } from "./rows.js";
import { UploadBox } from "./upload_box.js";

const rows = document.getElementById("pitstop-rows");
if (rows) followRows({ parts: ["pitstop-rows"], takesNew: () => rows.dataset.page === "1" });

const form = document.getElementById("send");
if (form) {
  const part = (id) => document.getElementById(id);
  const file = part("file"), go = part("go"), why = part("go-why"), asset = form.elements.asset;
  let wanted = false; // Start was pressed while the video is on its way
  part("wrong")?.focus();

  const upload = new UploadBox({ file, drop: part("drop"), box: part("upload"), asset }, {
    begun() { wanted = false; },
    told(kind) {
      if (kind === "failed" || kind === "") wanted = false;
      why.textContent = wanted ? "It starts as soon as the video has arrived." : "";
    },
    done() { if (wanted) form.requestSubmit(); },
  });
  form.addEventListener("submit", (event) => {
    if (asset.value) { go.disabled = true; return; }
    event.preventDefault();
    if (!upload.busy || upload.kind === "failed") { why.textContent = "Choose a video first."; file.focus(); return; }
    wanted = true;
    why.textContent = "It starts as soon as the video has arrived.";
  });
  addEventListener("pageshow", () => { go.disabled = false; });
  addEventListener("beforeunload", (event) => { if (["sending", "waiting", "checking"].includes(upload.kind)) event.preventDefault(); });
}

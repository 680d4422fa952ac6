/* The first page: jobs move, what waits follows decisions and jobs that end, videos are dropped in and sent. */

import { refresh } from "./morph.js";
import "./pictures.js";
import { followRows } from "./rows.js";
import { sendVideos } from "./sends.js";

const home = document.getElementById("home");
const SAMPLE_EVERY = 700;
const LOOK_EVERY = 60000;

const { soon } = followRows({ parts: ["home-head", "home"], after: () => watchSample() });

/* others decide; where nothing can be heard of that it is looked at now and then */
const decided = () => window.live?.followReview?.({ after: Number(home.dataset.decision || 0), onMessage: soon });
if (home.dataset.reviews === "yes") {
  if (window.live) decided();
  else addEventListener("DOMContentLoaded", decided);
}
setInterval(() => { if (!document.hidden) soon(); }, LOOK_EVERY);

/* the sample is rendered before there is a job to follow */
let watching = null;
function watchSample() {
  const making = document.querySelector("#home-sample progress");
  if (making && !watching) {
    watching = setInterval(async () => {
      await refresh(["home-head", "home"]);
      if (!document.querySelector("#home-sample progress")) {
        clearInterval(watching);
        watching = null;
        if (!document.getElementById("home-sample")) location.reload(); // its job is there: the page is another one
      }
    }, SAMPLE_EVERY);
  }
}
watchSample();

const quick = document.getElementById("quick");
if (quick) sendVideos({ form: quick, list: document.getElementById("sends"), file: document.getElementById("videos"), over: document.getElementById("drop-over"), started: soon });

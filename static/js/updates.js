/* Results that can be brought up to date: their replays move, and what they change is shown when they are done. */

import "./pictures.js";
import { followRows } from "./rows.js";

followRows({ parts: ["updates"], takesNew: () => false });

"""The page of a finished job: how long it takes to open a two-hour match, and how smoothly it moves, in a browser."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.installation import SET_UP_WITHIN, installation
from bench.process import measure
from bench.results import Headline
from bench.site import browser, site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

FRAMES = 150
_WINDOW: ViewportSize = {"width": 1280, "height": 900}
_SETTLED = 1500  # milliseconds: pictures and boxes that were asked for after the page was there have come

#: How long each frame's own work takes: what is done in callbacks of the browser's clock.
_WATCH = """
(() => {
  const request = window.requestAnimationFrame.bind(window);
  window.frameWork = [];
  window.requestAnimationFrame = (callback) => request((now) => {
    const began = performance.now();
    callback(now);
    window.frameWork.push(performance.now() - began);
  });
})();
"""
_OPENED = """
() => {
  const page = performance.getEntriesByType("navigation")[0];
  const mark = (name) => performance.getEntriesByName(name)[0]?.startTime ?? NaN;
  return {
    load: page.loadEventEnd, answer: page.responseStart - page.requestStart, bytes: page.decodedBodySize,
    first: mark("first-contentful-paint"), timeline: mark("timeline-painted"),
    elements: document.getElementsByTagName("*").length,
  };
}
"""
#: Does one small step a frame, and tells how far frames were apart and how long drawing took in each.
_MOVE = """
async ([kind, frames]) => {
  const area = document.querySelector(".r-canvas"), lanes = document.querySelector(".r-lanes");
  const section = document.querySelector(".r-time");
  section.scrollIntoView();
  const box = area.getBoundingClientRect();
  const wheel = (detail) => area.dispatchEvent(new WheelEvent("wheel", {
    bubbles: true, cancelable: true, clientX: box.left + box.width / 3, clientY: box.top + 200, ...detail,
  }));
  const steps = {
    zoom: (n) => wheel({ ctrlKey: true, deltaY: n % 75 < 38 ? -12 : 12 }),
    pan: () => wheel({ deltaX: 40 }),
    lanes: (n) => { lanes.scrollTop += n % 75 < 38 ? 16 : -16; },
    page: (n) => window.scrollBy(0, n % 75 < 38 ? 60 : -60),
  };
  if (kind === "pan") for (let n = 0; n < 8; n += 1) wheel({ ctrlKey: true, deltaY: -60 });
  const next = () => new Promise((done) => setTimeout(() => requestAnimationFrame(done)));
  await next();
  window.frameWork.length = 0;
  const apart = [];
  let before = await next();
  for (let n = 0; n < frames; n += 1) {
    steps[kind](n);
    const now = await new Promise((done) => requestAnimationFrame(done));
    apart.push(now - before);
    before = now;
  }
  return { apart, work: window.frameWork.filter((took) => took > 0.05) };
}
"""


class Spread(msgspec.Struct, frozen=True):
    """Milliseconds: in the middle, and what all but a twentieth stay below."""

    median: float
    p95: float


class JobPageFigures(msgspec.Struct, frozen=True):
    """The page, opened by a browser that has nothing of it; times are from asking for it. Milliseconds.

    ``frames`` are from one frame to the next while it moves, ``work`` what the timeline's drawing took in each.
    """

    exposures: int
    brands: int
    opened: int
    load: Spread
    first_paint: Spread
    timeline: Spread
    answer: Spread
    page_bytes: int
    elements: int
    frames: dict[str, Spread]
    work: dict[str, Spread]

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        return {
            "opens, median": Headline(self.load.median, "ms", "lower"),
            "opens, 95 %": Headline(self.load.p95, "ms", "lower"),
            "timeline painted, median": Headline(self.timeline.median, "ms", "lower"),
            "elements": Headline(self.elements, "", "lower"),
            **{f"{kind}, a frame, median": Headline(one.median, "ms", "lower") for kind, one in self.frames.items()},
            **{f"{kind}, drawing a frame, 95 %": Headline(one.p95, "ms", "lower") for kind, one in self.work.items()},
        }


def measure_jobpage(*, quick: bool, progress: Callable[[str], None]) -> JobPageFigures:
    """Fill an installation with one match, serve it, and look at it. Raises ``BenchError``."""
    rounds = 3 if quick else 12
    progress("job page: a match of two hours is made up")
    with installation() as here, here.database_up():
        command = [sys.executable, "-m", "bench.jobpage_data"]
        told = json.loads(measure(command, timeout=SET_UP_WITHIN, environment=here.environment).output)
        with site(here) as address, browser() as chromium:
            progress(f"job page: opened {rounds} times, then moved")
            opened = [_open(chromium, address, told) for _ in range(rounds + 1)][1:]  # the first warms the site up
            moves = _move(chromium, address, told)
    return JobPageFigures(
        exposures=told["exposures"],
        brands=told["brands"],
        opened=rounds,
        load=_spread([one["load"] for one in opened]),
        first_paint=_spread([one["first"] for one in opened]),
        timeline=_spread([one["timeline"] for one in opened]),
        answer=_spread([one["answer"] for one in opened]),
        page_bytes=opened[-1]["bytes"],
        elements=opened[-1]["elements"],
        frames={kind: _spread(found["apart"]) for kind, found in moves.items()},
        work={kind: _spread(found["work"]) for kind, found in moves.items() if found["work"]},
    )


def _open(chromium: Browser, address: str, told: dict[str, Any]) -> dict[str, Any]:
    """In a browser that has kept nothing."""
    context = chromium.new_context(viewport=_WINDOW)
    try:
        page = _page(context.new_page(), address, told)
        opened: dict[str, Any] = page.evaluate(_OPENED)
        return opened
    finally:
        context.close()


def _move(chromium: Browser, address: str, told: dict[str, Any]) -> dict[str, dict[str, list[float]]]:
    context = chromium.new_context(viewport=_WINDOW)
    try:
        context.add_init_script(_WATCH)
        page = _page(context.new_page(), address, told)
        page.wait_for_timeout(_SETTLED)
        return {kind: page.evaluate(_MOVE, [kind, FRAMES]) for kind in ("zoom", "pan", "lanes", "page")}
    finally:
        context.close()


def _page(page: Page, address: str, told: dict[str, Any]) -> Page:
    page.context.add_cookies([{"name": told["cookie"], "value": told["value"], "url": address}])
    page.goto(address + told["path"])
    page.wait_for_function("() => performance.getEntriesByName('timeline-painted').length > 0")
    return page


def _spread(times: list[float]) -> Spread:
    ordered = sorted(times)
    return Spread(round(median(ordered), 2), round(ordered[int(0.95 * (len(ordered) - 1))], 2))


def jobpage_tables(figures: JobPageFigures) -> RenderableType:
    """The figures for people."""
    title = f"A job's page, {figures.exposures:,} exposures of {figures.brands} brands, milliseconds"
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in ("", "median", "95 %"):
        table.add_column(heading, justify="right" if heading else "left")
    rows = {
        "opened: the load event": figures.load,
        "first paint": figures.first_paint,
        "timeline painted": figures.timeline,
        "the page's first byte": figures.answer,
        **{f"{kind}: from frame to frame": one for kind, one in figures.frames.items()},
        **{f"{kind}: drawing a frame": one for kind, one in figures.work.items()},
    }
    for name, one in rows.items():
        table.add_row(name, f"{one.median:.1f}", f"{one.p95:.1f}")
    return Group(table, Text(f"{figures.page_bytes / 1024:.0f} KiB of HTML, {figures.elements:,} elements."))

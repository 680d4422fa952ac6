"""Review: how fast somebody can decide by keyboard in a browser, on a queue that is long."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import RenderableType
from rich.table import Table

from bench.installation import SET_UP_WITHIN, Installation, installation
from bench.process import BenchError, measure
from bench.results import Headline
from bench.site import site

if TYPE_CHECKING:
    from playwright.sync_api import Page

USER, PASSWORD = "bench", "a long enough phrase"
GROUPS, VIDEOS = 10_000, 200
PACED_EVERY = 0.4
_KEYS = ("Enter", "x", "c", "Delete")
_WITHIN = 120_000  # milliseconds

#: Notes when a key goes down, and when the card it brought has been painted: two frames after the page changed.
_WATCH = """
addEventListener("DOMContentLoaded", () => {
  performance.setResourceTimingBufferSize(20000);
  const cards = document.getElementById("cards");
  if (!cards) return;
  const present = () => cards.querySelector(":scope > article:not([hidden])");
  const seen = window.seen = { times: [], pictures: 0, waiting: null };
  addEventListener("keydown", () => { seen.waiting = { at: performance.now(), before: present() }; }, true);
  new MutationObserver(() => {
    const { waiting } = seen, card = present();
    if (!waiting || waiting.changed || !card || card === waiting.before) return;
    waiting.changed = true;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const image = card.querySelector(".rv-picture img");
      seen.times.push(performance.now() - waiting.at);
      if (image && image.complete && image.naturalWidth) seen.pictures += 1;
      seen.waiting = null;
    }));
  }).observe(cards, { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden"] });
});
"""
_ANSWERS = """
() => performance.getEntriesByType("resource").filter((entry) => entry.name.endsWith("/review/decide"))
  .map((entry) => entry.responseEnd - entry.requestStart)
"""


class Served(msgspec.Struct, frozen=True):
    """Milliseconds of one decision on the server, with nothing else to do: its answer, and its processor time."""

    median: float
    p95: float
    cpu: float


class ReviewFigures(msgspec.Struct, frozen=True):
    """Milliseconds from a key to the next card painted, at a steady pace and as fast as cards come.

    ``answer`` is how long a decision's answer takes in the browser, behind the pictures of the cards that come.
    ``with_picture`` is the share of cards whose first picture was there when they were painted. ``per_minute`` is of
    those decided as fast as cards come, until the last of them is saved.
    """

    groups: int
    decisions: int
    paced_median: float
    paced_p95: float
    fast_median: float
    fast_p95: float
    with_picture: float
    per_minute: float
    answer: float
    page: float
    served: Served

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        return {
            "key to next card painted, median": Headline(self.paced_median, "ms", "lower"),
            "key to next card painted, 95 %": Headline(self.paced_p95, "ms", "lower"),
            "decisions a minute": Headline(self.per_minute, "", "higher"),
            "a decision on the server, median": Headline(self.served.median, "ms", "lower"),
            "a decision on the server, processor": Headline(self.served.cpu, "ms", "lower"),
        }


def measure_review(*, quick: bool, progress: Callable[[str], None]) -> ReviewFigures:
    """Fill an installation with a queue, open it in a browser and press keys. Raises ``BenchError``."""
    decisions = 30 if quick else 90
    with installation() as here, here.database_up():
        progress(f"review: a queue of {GROUPS:,} groups over {VIDEOS} videos")
        command = [sys.executable, "-m", "bench.review_data", str(GROUPS), str(VIDEOS)]
        measure(command, timeout=SET_UP_WITHIN, environment=here.environment)
        asked = _ask(here, decisions)
        with _page(here) as (page, address):
            opened = _open(page, address)
            progress(f"review: {decisions} decisions by keyboard, one every {PACED_EVERY:g} s")
            paced = _press(page, decisions, every=PACED_EVERY)
            progress(f"review: {decisions} decisions as fast as cards come")
            began = time.perf_counter()
            fast = _press(page, decisions, every=0.0)
            page.wait_for_function("() => document.getElementById('saving').hidden", timeout=_WITHIN)
            took = time.perf_counter() - began
            answers: list[float] = page.evaluate(_ANSWERS)
            pictures = page.evaluate("seen.pictures")
    return ReviewFigures(
        groups=GROUPS,
        decisions=len(answers),
        paced_median=round(median(paced), 1),
        paced_p95=_p95(paced),
        fast_median=round(median(fast), 1),
        fast_p95=_p95(fast),
        with_picture=round(pictures / len([*paced, *fast]), 3),
        per_minute=round(60 * decisions / took, 1),
        answer=round(median(answers), 1),
        page=round(opened, 1),
        served=asked,
    )


def _ask(here: Installation, count: int) -> Served:
    command = [sys.executable, "-m", "bench.review_asks", str(count)]
    told = measure(command, timeout=SET_UP_WITHIN, environment=here.environment).output
    return msgspec.convert(json.loads(told), Served)


@contextmanager
def _page(here: Installation) -> Iterator[tuple[Page, str]]:
    """A page in a browser without a window, logged in to the site of an installation; and the site's address."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import ARGUMENTS, find_chromium

    chromium = find_chromium()
    if chromium is None:
        raise BenchError("there is no Chromium here: install it, or set CHROMIUM to one")
    with site(here) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}/login")
        page.get_by_label("User").fill(USER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        yield page, address
        browser.close()


def _open(page: Page, address: str) -> float:
    """Open the queue; milliseconds until the page had all it asked for."""
    page.add_init_script(_WATCH)
    page.goto(f"{address}/review")
    page.wait_for_load_state("networkidle")
    entry: dict[str, Any] = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    return float(entry["loadEventEnd"])


def _press(page: Page, count: int, *, every: float) -> list[float]:
    """Press a key when the card before is painted, ``every`` so many seconds or at once; milliseconds each took."""
    before: int = page.evaluate("seen.times.length")
    for number in range(count):
        began = time.perf_counter()
        page.keyboard.press(_KEYS[number % len(_KEYS)])
        page.wait_for_function("wanted => seen.times.length === wanted", arg=before + number + 1, timeout=_WITHIN)
        time.sleep(max(0.0, every - (time.perf_counter() - began)))
    times: list[float] = page.evaluate("seen.times")
    return times[before:]


def _p95(times: list[float]) -> float:
    return round(sorted(times)[int(0.95 * (len(times) - 1))], 1)


def review_table(figures: ReviewFigures) -> RenderableType:
    """The figures for people."""
    table = Table(title=f"Review by keyboard, {figures.groups:,} groups", title_justify="left")
    for heading in ("", "median ms", "95 % ms"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("key to next card painted", f"{figures.paced_median:.0f}", f"{figures.paced_p95:.0f}")
    table.add_row("the same, as fast as cards come", f"{figures.fast_median:.0f}", f"{figures.fast_p95:.0f}")
    table.add_row("a decision on the server", f"{figures.served.median:.0f}", f"{figures.served.p95:.0f}")
    table.add_row("of that, processor time", f"{figures.served.cpu:.0f}", "")
    table.add_row("its answer in the browser", f"{figures.answer:.0f}", "")
    table.add_row("the page opened", f"{figures.page:.0f}", "")
    table.caption = f"{figures.per_minute:.0f} decisions a minute; first picture there: {figures.with_picture:.0%}"
    return table

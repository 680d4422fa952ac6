"""From a video to a stop's time, as somebody does it in a browser, with a real worker and a small model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Response, expect

from mediaproc.roles import Role
from tests.browser.audit import Troubles
from tests.browser.conftest import PageAs, Screenshot
from tests.browser.site import Site, running_site
from tests.media.clips import read_number, write_clip
from tests.pitstop.plant import tiny_weights

_RATE, _FRAMES = 25, 200
_RUN = re.compile(r"/pitstop/[0-9a-f-]{36}(#.*)?$")
#: A run on two slow cores, with its model still to be loaded.
_A_RUN = 120_000
#: Tells the test how far the bar of the whole run is, as it is painted after each change.
_WATCH = """
new MutationObserver(() => {
    const bar = document.querySelector("progress.whole");
    if (bar) requestAnimationFrame(() => window.moved(bar.value));
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ["value"]});
"""
#: Goes to each of the times and tells what the video shows there: position, readiness, grey values of the picture.
_SEEK = """
async (times) => {
    const video = document.querySelector("video"), found = [];
    const [width, height] = [video.videoWidth, video.videoHeight];
    const canvas = Object.assign(document.createElement("canvas"), {width, height});
    const context = canvas.getContext("2d", {willReadFrequently: true});
    for (const time of times) {
        const arrived = new Promise((done) => video.addEventListener("seeked", done, {once: true}));
        video.currentTime = time;
        await arrived;
        context.drawImage(video, 0, 0);
        const {data} = context.getImageData(0, 0, width, height);
        const grey = Array.from({length: width * height}, (_, place) => data[4 * place + 1]);
        found.push({at: video.currentTime, ready: video.readyState, width, height, grey});
    }
    return found;
}
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site("pitstop-story", workers=1) as started:
        yield started


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds whose frames say which one they are, with sound."""
    path = tmp_path_factory.mktemp("clip") / "box stop.mp4"
    return write_clip(path, _FRAMES, rate=_RATE, size=(480, 360), audio=True)


def test_from_a_video_to_a_stops_time(
    page_as: PageAs, site: Site, clip: Path, screenshot: Screenshot, troubles: Troubles
) -> None:
    page = page_as(Role.OPERATOR, on=site)
    is_told_what_is_missing(page, clip, screenshot)
    put_weights(site)
    run = is_followed_to_its_end(page, screenshot)
    plays_and_seeks(page)
    zone_is_drawn_and_timed(page, screenshot)
    value_is_set_and_taken_back(page)
    all_of_it_is_deleted(page, run, site)


def is_told_what_is_missing(page: Page, clip: Path, screenshot: Screenshot) -> None:
    """Without weights the list says so, and a run that is begun all the same fails with what to do."""
    page.goto("/pitstop")
    expect(page.get_by_text("A model is needed first.")).to_be_visible()
    page.locator("#file").set_input_files(clip)
    page.get_by_label("Series").fill("Endurance")
    page.get_by_label("Race").fill("Six hours")
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(_RUN)
    expect(page.get_by_role("alert")).to_contain_text("There are no weights", timeout=_A_RUN)
    screenshot(page, "pitstop-story-1-failed")


def put_weights(site: Site) -> None:
    """They find a car in the middle and a person at the left edge of every picture."""
    weights = tiny_weights(site.installation.folder / "tiny.onnx")
    catalog = {"models": {"pitstop": {"path": str(weights)}}}
    (site.installation.data.root / "models.yaml").write_text(json.dumps(catalog))


def is_followed_to_its_end(page: Page, screenshot: Screenshot) -> str:
    """The bar moves, stages and log with it, and the page of the times comes by itself; returns its address."""
    moves: list[float] = []
    page.expose_function("moved", lambda value: moves.append(value))
    page.add_init_script(_WATCH)
    page.get_by_role("button", name="Resume").click()
    done = page.locator(".stage.done .stage-name")
    expect(done.filter(has_text="Extract frames")).to_be_visible(timeout=_A_RUN)
    screenshot(page, "pitstop-story-2-running")
    expect(page.locator(".pitstop-stood b")).to_have_text("8.00 s", timeout=_A_RUN)
    assert len(set(moves)) > 3
    assert moves == sorted(moves)
    screenshot(page, "pitstop-story-3-complete")
    return page.url


def plays_and_seeks(page: Page) -> None:
    """The frame on screen is the one of its time, fetched by ranges; sound and picture play."""
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response) if response.url.endswith("/output") else None)
    page.reload()
    page.wait_for_function("() => document.querySelector('video').readyState > 0")
    assert page.evaluate("() => document.querySelector('video').duration") == pytest.approx(_FRAMES / _RATE, abs=0.05)
    frames = [187, 30, 121, 0, 199]
    found: list[dict[str, Any]] = page.evaluate(_SEEK, [(frame + 0.5) / _RATE for frame in frames])
    assert [shown_number(one) for one in found] == frames
    assert all(one["ready"] >= 2 for one in found)
    assert {response.status for response in answers} == {206}
    page.get_by_role("button", name="One frame back").click()
    page.get_by_role("link", name="From 0:00.00").click()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.3")
    page.get_by_role("button", name="Pause", exact=True).click()


def shown_number(seen: dict[str, Any]) -> int:
    grey = np.array(seen["grey"], np.uint8).reshape(seen["height"], seen["width"])
    return read_number(np.repeat(grey[..., None], 3, axis=2))


def zone_is_drawn_and_timed(page: Page, screenshot: Screenshot) -> None:
    """Four clicks around the person, a name, and a new run whose times are those of the zone."""
    page.get_by_role("link", name="Draw zones").click()
    page.wait_for_function("() => document.querySelector('.zones-stage img').naturalWidth > 0")
    page.get_by_role("button", name="Draw a zone").click()
    picture = page.locator("svg.zones-picture").bounding_box()
    assert picture is not None
    for x, y in ((0.01, 0.1), (0.25, 0.1), (0.25, 0.95), (0.01, 0.95), (0.01, 0.1)):
        page.mouse.click(picture["x"] + x * picture["width"], picture["y"] + y * picture["height"])
    page.get_by_label("Name").fill("Fuel rig")
    page.get_by_label("Its time stands for").select_option("fuel")
    screenshot(page, "pitstop-story-4-zones")
    page.get_by_role("button", name="Save and time anew").click()
    expect(page).to_have_url(_RUN)
    zone = page.locator(".zone-row").filter(has_text="Fuel rig")
    expect(zone).to_contain_text("8.00 s", timeout=_A_RUN)
    expect(zone).to_contain_text("person")
    expect(page.locator("#metric-fuel_time_s .metric-value")).to_have_text("8.00 s")
    expect(page.locator(".runs tbody tr")).to_have_count(2)
    screenshot(page, "pitstop-story-5-timed")


def value_is_set_and_taken_back(page: Page) -> None:
    stop, stood = page.locator("#metric-stop_time_s"), page.locator(".pitstop-stood")
    stop.get_by_text("Set by hand").click()
    stop.get_by_label("Seconds").fill("3.9")
    stop.get_by_role("button", name="Save").click()
    expect(stood).to_contain_text("3.90 s set by hand")
    expect(stop).to_contain_text("Set by operator")
    stop.get_by_role("button", name="Undo").click()
    expect(stood).to_contain_text("8.00 s")
    expect(stop).not_to_contain_text("Set by operator")


def all_of_it_is_deleted(page: Page, run: str, site: Site) -> None:
    """The run goes with the one that was timed anew from it, and with both annotated videos."""
    made = list(films(site))
    assert len(made) >= 2
    page.goto(run)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("with 1 run that took the times anew from it")
    dialog.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/pitstop$"))
    expect(page.get_by_text("box stop.mp4 is deleted.")).to_be_visible()
    expect(page.get_by_text("None yet.")).to_be_visible()
    assert not list(films(site))


def films(site: Site) -> Iterator[Path]:
    return site.installation.data.storage.joinpath("output").rglob("*.mp4")

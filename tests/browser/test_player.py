"""The video of a job's page: boxes on the lettering, in step; keys; and what there is when it cannot be played."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, Route, expect

from mediaproc.roles import Role
from tests.browser.audit import Troubles
from tests.browser.conftest import Filled, PageAs
from tests.media.clips import read_number, write_clip

_LISTEN = """
window.told = [];
document.addEventListener("player:time", (event) => window.told.push(event.detail));
"""

# whether each edge of a box, in shares of the picture, is drawn in its middle, and a spot is left free
_EDGES = """
([[x, y, width, height], free]) => {
    const stage = document.querySelector(".player-stage"), canvas = stage.querySelector("canvas");
    const video = stage.querySelector("video"), image = stage.querySelector("img");
    const size = video.hidden ? [image.naturalWidth, image.naturalHeight] : [video.videoWidth, video.videoHeight];
    const ratio = canvas.width / canvas.clientWidth;
    const scale = Math.min(canvas.clientWidth / size[0], canvas.clientHeight / size[1]);
    const left = (canvas.clientWidth - size[0] * scale) / 2, top = (canvas.clientHeight - size[1] * scale) / 2;
    const drawn = (across, down, wide = 2, high = 2) => {
        const at = [(left + across * size[0] * scale) * ratio, (top + down * size[1] * scale) * ratio].map(Math.round);
        const near = [at[0] - wide, at[1] - high, 2 * wide + 1, 2 * high + 1];
        const around = canvas.getContext("2d").getImageData(...near).data;
        return around.some((value, place) => place % 4 === 3 && value > 200);
    };
    // along an edge far enough to see past the gaps of a dashed one
    const edges = [
        [x + width / 2, y, 6, 2], [x + width / 2, y + height, 6, 2],
        [x, y + height / 2, 2, 6], [x + width, y + height / 2, 2, 6],
    ];
    return [edges.filter(([a]) => a > 0.01 && a < 0.99).every((edge) => drawn(...edge)), drawn(...free)];
}
"""


@pytest.fixture
def watch(page_as: PageAs, filled: Filled) -> Iterator[Any]:
    """Opens a job's page, listening to what its player tells."""

    def open_page(job: str, place: str = "") -> Page:
        page = page_as(Role.VIEWER)
        page.add_init_script(_LISTEN)
        page.goto(reverse("job-page", args=[filled.ids[job]]) + place)
        return page

    yield open_page


def ask(page: Page, time: float, **how: bool) -> None:
    """As the timeline does."""
    detail = {"time": time, **how}
    page.evaluate("detail => document.dispatchEvent(new CustomEvent('player:seek', {detail}))", detail)


def seek(page: Page, time: float) -> None:
    """Ask for a moment and wait for its picture."""
    ask(page, time)
    shown(page, time)


def shown(page: Page, time: float) -> None:
    """Wait until a picture of that time, and nothing later, is on screen."""
    page.wait_for_function("time => Math.abs(told.at(-1)?.time - time) < 0.06", arg=time)
    page.wait_for_function("() => !document.querySelector('video').seeking")
    page.wait_for_timeout(150)


def time_of(page: Page) -> float:
    return float(page.evaluate("told.at(-1).time"))


def evidence(page: Page, filled: Filled, job: str) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    report = page.request.get(reverse("job-report-json", args=[filled.ids[job]])).json()
    found = [(brand["name"], one) for brand in report["brands"] for at in brand["exposures"] for one in at["evidence"]]
    return report["source"], found


def assert_boxes(page: Page, filled: Filled, job: str) -> None:
    """At several moments of the report's evidence there is a box around it, and none in the sky."""
    source, found = evidence(page, filled, job)
    assert len(found) > 5
    for name, one in found[:: max(1, len(found) // 6)]:
        seek(page, one["time"])
        x, y, width, height = one["box"]
        box = [x / source["width"], y / source["height"], width / source["width"], height / source["height"]]
        page.wait_for_function(f"args => ({_EDGES.strip()})(args)[0]", arg=[box, [0.5, 0.02]])
        assert page.evaluate(_EDGES, [box, [0.5, 0.02]]) == [True, False], (name, one["time"])
        expect(page.locator(".player-now li", has_text=name).first).to_be_visible()


def test_boxes_are_where_the_report_saw_the_brands(watch: Any, filled: Filled) -> None:
    page = watch("report")
    expect(page.locator(".player-controls")).to_be_visible()
    assert_boxes(page, filled, "report")
    page.get_by_role("button", name="Boxes").click()
    canvas = "document.querySelector('.player canvas')"
    pixels = f"{canvas}.getContext('2d').getImageData(0, 0, {canvas}.width, {canvas}.height).data"
    assert not page.evaluate(f"{pixels}.some(Boolean)")
    page.reload()
    expect(page.get_by_role("button", name="Boxes")).to_have_attribute("aria-pressed", "false")


def test_it_begins_where_the_address_says(watch: Any) -> None:
    page = watch("report", "#t=3.2")
    shown(page, 3.2)
    page.evaluate("location.hash = '#t=1.5'")
    shown(page, 1.5)
    assert page.evaluate("told.at(-1)") == {"time": pytest.approx(1.5, abs=0.06), "duration": 6, "playing": False}


def test_times_count_from_the_first_picture(page_as: PageAs, filled: Filled, tmp_path: Path) -> None:
    """Of a file whose sound begins 0.4 s before its pictures, which say their numbers."""
    late = write_clip(tmp_path / "late.mp4", 75, pts=range(10, 85), audio=True, size=(320, 240))
    page = page_as(Role.VIEWER)
    page.add_init_script(_LISTEN)
    content = late.read_bytes()

    def send(route: Route) -> None:
        first = int(route.request.headers["range"].removeprefix("bytes=").partition("-")[0])
        told = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}", "Content-Type": "video/mp4"}
        route.fulfill(status=206, headers=told, body=content[first:])

    def say(route: Route) -> None:  # what the page knows of the file counts where nothing is painted for a second
        answer = route.fetch()
        assert '"start": 0.0' in answer.text()
        route.fulfill(response=answer, body=answer.text().replace('"start": 0.0', '"start": 0.4'))

    page.route("**/video", send)
    page.route(re.compile(r"/jobs/[0-9a-f-]+$"), say)
    page.goto(reverse("job-page", args=[filled.ids["report"]]) + "#t=1")
    page.get_by_role("button", name="Boxes").click()
    for time, number in [(1.0, 25), (0.0, 0), (2.0, 50)]:
        seek(page, time)
        for _ in range(20):  # a busy machine paints a picture some time after the element has told of it
            if number_on_stage(page) == number:
                break
            page.wait_for_timeout(250)
        assert number_on_stage(page) == number


def number_on_stage(page: Page) -> int:
    """What a picture of :func:`write_clip` with sides 4 to 3 says."""
    with Image.open(BytesIO(page.locator(".player-stage").screenshot())) as stage:
        width = stage.height * 4 // 3
        left = (stage.width - width) // 2
        picture = stage.convert("RGB").crop((left, 0, left + width, stage.height))
    return read_number(np.asarray(picture)[:, :, ::-1])


def test_it_tells_of_every_picture_while_it_plays(watch: Any) -> None:
    page = watch("report")
    seek(page, 1.0)
    ask(page, 1.0, play=True)
    page.wait_for_function("() => told.at(-1).playing && told.at(-1).time > 2")
    ask(page, 4.0, play=False)
    page.wait_for_function("() => !told.at(-1).playing")
    times = page.evaluate("told.filter((one) => one.playing).map((one) => one.time)")
    assert len(times) > 15
    assert times == sorted(times)


def test_keys(watch: Any) -> None:
    page = watch("report")
    seek(page, 0.5)
    page.locator(".player-stage").focus()
    for key, time in [("ArrowRight", 5.5), ("ArrowLeft", 0.5), ("l", 6.0), ("j", 0.0), ("End", 6.0), ("Home", 0.0)]:
        page.keyboard.press(key)
        shown(page, time)
    seek(page, 2.0)
    first = time_of(page)
    page.keyboard.press(".")
    page.wait_for_function("first => told.at(-1).time > first", arg=first)
    page.wait_for_timeout(150)
    frame = time_of(page) - first
    assert 0.02 < frame < 0.05
    page.keyboard.press(",")
    shown(page, first)
    assert time_of(page) == pytest.approx(first, abs=0.001)
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Speed")).to_have_value("1.5")
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_keys_are_left_alone_outside_of_it(watch: Any) -> None:
    page = watch("report")
    seek(page, 2.0)
    page.locator("h1").click()
    for key in ("k", "l", " ", "End"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert page.evaluate("told.at(-1)") == {"time": pytest.approx(2.0, abs=0.06), "duration": 6, "playing": False}


def test_the_sampled_frames_stand_for_a_video_that_is_gone(watch: Any, filled: Filled, troubles: Troubles) -> None:
    with troubles.allowed("/video: 404$"):
        page = watch("gone")
        frames = page.request.get(reverse("job-frame-times", args=[filled.ids["gone"]])).json()["frames"]
        note = f"The video file is not there any more: showing the {len(frames)} sampled frames."
        expect(page.locator(".player-note")).to_have_text(note, timeout=20_000)
    assert_boxes(page, filled, "gone")
    seek(page, frames[2][1] + 0.1)
    page.locator(".player-stage").focus()
    page.keyboard.press(".")
    shown(page, frames[3][1])
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.wait_for_function("time => told.at(-1).time > time", arg=frames[1][1])
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.get_by_role("button", name="Mute")).to_be_hidden()


def test_when_the_frames_are_gone_too(watch: Any, page_as: PageAs, filled: Filled, troubles: Troubles) -> None:
    page = page_as(Role.VIEWER)
    page.add_init_script(_LISTEN)
    page.route("**/frames/*.jpg", lambda route: route.fulfill(status=404))
    with troubles.allowed("/video: 404$", r"/frames/\d+\.jpg: 404$"):
        page.goto(reverse("job-page", args=[filled.ids["gone"]]))
        expect(page.get_by_text("and the sampled frames are gone too.")).to_be_visible()
        expect(page.locator(".player-stage")).to_be_hidden()
        _, found = evidence(page, filled, "gone")
        name, one = found[0]
        seek(page, one["time"])
        expect(page.locator(".player-now li", has_text=name).first).to_be_visible()


def test_a_connection_that_is_lost_comes_back(page_as: PageAs, filled: Filled, troubles: Troubles) -> None:
    page = page_as(Role.VIEWER)
    page.add_init_script(_LISTEN)
    page.route("**/video", lambda route: route.abort())
    with troubles.allowed("/video: net::ERR_FAILED"):
        page.goto(reverse("job-page", args=[filled.ids["report"]]))
        note = page.get_by_text("The connection was lost: trying again.")
        expect(note).to_be_visible()
        page.unroute("**/video")
        expect(note).to_be_hidden(timeout=20_000)
    seek(page, 2.0)

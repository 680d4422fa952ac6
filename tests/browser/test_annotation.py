"""Batches as people use them: asking for one, boxes over the video, lanes and transcript that follow and lead."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from mediaproc.roles import Role
from tests.browser.addresses import BATCHES, Shown
from tests.browser.audit import Troubles
from tests.browser.conftest import WINDOWS, Filled, Look, PageAs
from tests.browser.site import running_site
from tests.pages.annotation_made import HEIGHT, SECONDS, WIDTH, square_at

# whether the edges of a box, in shares of the picture, are drawn in their middles, and its middle is left free
_DRAWN = """
([x, y, width, height]) => {
    const canvas = document.querySelector(".player-stage canvas"), video = document.querySelector("video");
    const ratio = canvas.width / canvas.clientWidth;
    const scale = Math.min(canvas.clientWidth / video.videoWidth, canvas.clientHeight / video.videoHeight);
    const left = (canvas.clientWidth - video.videoWidth * scale) / 2;
    const top = (canvas.clientHeight - video.videoHeight * scale) / 2;
    const opaque = (across, down) => {
        const x = Math.round((left + across * video.videoWidth * scale) * ratio);
        const y = Math.round((top + down * video.videoHeight * scale) * ratio);
        const around = canvas.getContext("2d").getImageData(x - 1, y - 1, 3, 3).data;
        return around.some((value, place) => place % 4 === 3 && value > 200);
    };
    return [opaque(x, y + height / 2), opaque(x + width, y + height / 2), opaque(x + width / 2, y + height),
            opaque(x + width / 4, y + height / 4)];
}
"""


@pytest.fixture(scope="package")
def batches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A site with a dataset and batches alone."""
    folder = tmp_path_factory.mktemp("videos")
    with running_site("batches", MEDIAPROC_ROOTS=str(folder)) as site:
        yield Filled(site, site.fill("batches"))


@pytest.fixture
def opened(page_as: PageAs, batches: Filled) -> Page:
    return page_as(Role.OPERATOR, on=batches.site)


@pytest.fixture
def viewer(opened: Page, batches: Filled) -> Page:
    """The viewer of a video with everything, at its first picture."""
    opened.goto(reverse("batch-video", args=[batches.ids["batch"], 0]))
    expect(opened.locator("#lanes:not([aria-busy]) .lane").first).to_be_visible()
    expect(opened.locator("#layers-state")).to_be_empty()
    expect(opened.locator("[data-time]")).to_have_text("0:00.0")
    return opened


@pytest.mark.parametrize("shown", BATCHES, ids=lambda shown: shown.name)
def test_page(page_as: PageAs, batches: Filled, look: Look, troubles: Troubles, shown: Shown) -> None:
    page = page_as(shown.role, on=batches.site)
    with troubles.allowed(*shown.troubles):
        for width, height in WINDOWS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(shown.address(batches.ids))
            look(page, f"{shown.name}-{width}", exempt=shown.exempt)


def test_batch_is_asked_for(opened: Page, batches: Filled, troubles: Troubles) -> None:
    opened.goto(reverse("batch-dataset", args=[batches.ids["dataset"]]))
    start = opened.locator("#go")
    expect(start).to_be_disabled()
    opened.get_by_role("checkbox", name="talk.mp4").check()
    opened.get_by_role("checkbox", name="Scenes").check()
    expect(start).to_have_text("Start: 1 video × 1 pipeline")
    opened.locator("[data-pipeline=scenes] summary").click()
    opened.get_by_label("Min content", exact=True).fill("999")
    with troubles.allowed(r"/annotation/datasets/[^/]*: 400$"):
        start.click()
        field = opened.locator(".option", has_text="Min content")
        expect(field).to_contain_text("Must be a number from 1 to 255.")
    expect(opened.get_by_role("checkbox", name="talk.mp4")).to_be_checked()
    opened.get_by_label("Min content", exact=True).fill("30")
    opened.get_by_label("Tags").fill("cup")
    start.click()
    expect(opened).to_have_url(re.compile(r"/annotation/jobs/[0-9a-f-]{36}$"))
    expect(opened.locator("#batch .now-line")).to_contain_text("Waiting")
    expect(opened.locator(".live-state")).to_have_text("live")
    opened.get_by_text("What it runs with").click()
    expect(opened.locator(".batch-settings dl div", has_text="min content")).to_contain_text("30")
    opened.get_by_role("button", name="Cancel").click()
    opened.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(opened.locator("#batch .now-line")).to_contain_text("Cancelled")


def test_presets_tick_and_shift_ticks_what_lies_between(opened: Page, batches: Filled) -> None:
    opened.goto(reverse("batch-dataset", args=[batches.ids["dataset"]]))
    boxes = opened.locator("input[name=videos]")
    boxes.first.check()
    boxes.nth(3).click(modifiers=["Shift"])
    assert boxes.evaluate_all("all => all.map((one) => one.checked)") == [True] * 4 + [False] * (boxes.count() - 4)
    opened.get_by_label("Tick all videos shown").check()
    assert all(boxes.evaluate_all("all => all.map((one) => one.checked)"))
    opened.get_by_label("From a preset").select_option("speech_only")
    ticked = "all => all.filter((one) => one.checked).map((one) => one.value)"
    assert set(opened.locator("input[name=pipelines]").evaluate_all(ticked)) <= {"speech"}


def layer(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Over the video").get_by_role("checkbox", name=name)


def square(second: float) -> list[float]:
    left, top, right, bottom = square_at(second)
    return [left / WIDTH, top / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT]


def test_boxes_lie_on_what_they_are_about(viewer: Page) -> None:
    layer(viewer, "Captions").uncheck()
    layer(viewer, "People and tracks").uncheck()
    for second in (1.0, 2.48):  # the second lies between two pictures that faces were looked for in
        viewer.evaluate(f"document.dispatchEvent(new CustomEvent('player:seek', {{detail: {{time: {second}}}}}))")
        expect(viewer.locator("[data-time]")).to_have_text(f"0:0{int(second * 10) / 10}")
        viewer.wait_for_function(f"(box) => ({_DRAWN})(box).join() === 'true,true,true,false'", arg=square(second))
    layer(viewer, "Faces").uncheck()
    assert viewer.evaluate(_DRAWN, square(2.48)) == [False, False, False, False]
    layer(viewer, "People and tracks").check()
    assert viewer.evaluate(_DRAWN, square(2.48))[:3] == [True, True, True]


def test_transcript_follows_and_leads(viewer: Page) -> None:
    said = viewer.locator("#transcript")
    expect(said.locator("[aria-current]")).to_have_count(0)
    said.get_by_role("button", name="& goes <out> again").click()
    expect(said.locator("[aria-current]")).to_contain_text("Speaker 2")
    expect(viewer.locator("[data-time]")).to_have_text("0:02.0")
    viewer.wait_for_function(
        "() => document.querySelector('video').textTracks[0].activeCues[0]?.text.endsWith('again</v>')"
    )
    viewer.locator(".player-stage").focus()
    viewer.keyboard.press("Home")
    expect(said.locator("[aria-current]")).to_have_count(0)


def test_lanes_lead_to_their_moment(viewer: Page) -> None:
    lanes = viewer.locator(".lane svg")
    names = viewer.locator(".lane-name").all_inner_texts()
    assert names == ["Speaker 1", "Speaker 2", "Scenes", "Oltra Vesk", "<i>Fenn</i>"]
    scenes = lanes.nth(names.index("Scenes"))
    box = scenes.bounding_box()
    assert box is not None
    place = 0.75 * box["width"]
    scenes.hover(position={"x": place, "y": 5})
    expect(viewer.locator("#peek")).to_contain_text("Scene 2, 0:01.6 – 0:04.0")
    viewer.wait_for_function("() => document.querySelector('#peek img').naturalWidth > 0")
    scenes.click(position={"x": place, "y": 5})
    expect(viewer.locator("[data-time]")).to_have_text(re.compile("0:0[23].[09]"))
    for mark in viewer.locator(".lane-now").all():
        assert abs(float((mark.get_attribute("x1") or "").rstrip("%")) - 75) < 100 / SECONDS / 20


def test_sound_alone_is_followed_too(opened: Page, batches: Filled) -> None:
    opened.goto(reverse("batch-video", args=[batches.ids["batch"], 1]))
    opened.locator("#transcript").get_by_role("button", name="goes <out>").click()
    expect(opened.locator("#transcript [aria-current]")).to_contain_text("Speaker 2")
    opened.locator("audio").focus()
    opened.keyboard.press("ArrowLeft")
    expect(opened.locator("#transcript [aria-current]")).to_have_count(0)

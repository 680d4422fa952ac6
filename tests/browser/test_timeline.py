"""The timeline of a job's page and the evidence it leads to, as somebody uses them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from jobs.exports import write_report
from mediaproc.roles import Role
from tests.browser.audit import Troubles, audit
from tests.browser.conftest import Filled, PageAs
from tests.report.sample import DrawnFrames, sample_report

#: Keeps what the timeline asks the player for.
_LISTEN = "() => { window.asked = []; document.addEventListener('player:seek', (event) => asked.push(event.detail)); }"
#: Where the middle of an exposure's bar is in the window.
_MIDDLE = """
([brand, place]) => {
  const timeline = window.reportTimeline, lane = timeline.lanes[brand], box = timeline.area.getBoundingClientRect();
  const at = timeline.x((lane.start[place] + lane.end[place]) / 2);
  return [box.left + at, box.top + timeline.rowTop(lane, lane.kind[place]) + 4, lane.start[place], lane.end[place]];
}
"""
_VIEW = "() => [window.reportTimeline.view.from, window.reportTimeline.view.to]"


@pytest.fixture
def page(page_as: PageAs, filled: Filled) -> Page:
    opened = page_as(Role.VIEWER)
    opened.goto(f"/jobs/{filled.ids['report']}")
    painted(opened)
    return opened


def painted(page: Page) -> None:
    page.wait_for_function("() => performance.getEntriesByName('timeline-painted').length > 0")
    page.locator("#r-timeline").scroll_into_view_if_needed()


def canvas(page: Page) -> Locator:
    return page.get_by_role("application", name="Exposures of")


def said(page: Page) -> Locator:
    return page.locator("#r-timeline-said")


def inspector(page: Page) -> Locator:
    return page.get_by_role("group", name="Evidence of the chosen exposure")


def click_on(page: Page, brand: int, place: int) -> list[float]:
    x, y, start, end = page.evaluate(_MIDDLE, [brand, place])
    page.mouse.click(x, y)
    return [start, end]


def test_a_click_shows_the_evidence_and_moves_the_video(page: Page) -> None:
    page.evaluate(_LISTEN)
    start, end = click_on(page, 0, 0)
    expect(inspector(page)).to_be_visible()
    expect(inspector(page).locator("figure").first).to_be_visible()
    expect(inspector(page).locator("b").first).to_contain_text(page.locator(".r-names b").first.inner_text())
    (asked,) = page.evaluate("asked")
    assert asked["play"] is False
    assert start <= asked["time"] <= end
    audit(page)


def test_beside_a_bar_only_the_video_moves(page: Page) -> None:
    page.evaluate(_LISTEN)
    empty = page.evaluate("""() => {
        const t = window.reportTimeline, box = t.area.getBoundingClientRect();
        for (const lane of t.lanes) for (let at = 0.1; at < t.duration; at += 0.05) {
            const far = [...lane.start].every((start, n) => at < start - 0.4 || at > lane.end[n] + 0.4);
            if (far) return [box.left + t.x(at), box.top + lane.top + lane.height / 2, at];
        }
        return null;
    }""")
    assert empty is not None, "every brand is on screen all the time"
    page.mouse.click(empty[0], empty[1])
    (asked,) = page.evaluate("asked")
    assert asked["time"] == pytest.approx(empty[2], abs=0.05)
    expect(inspector(page)).to_be_hidden()


def test_by_keyboard(page: Page) -> None:
    canvas(page).focus()
    page.keyboard.press("ArrowRight")
    expect(said(page)).to_contain_text("Exposure 1 of")
    first = said(page).inner_text()
    page.keyboard.press("ArrowDown")
    expect(said(page)).not_to_have_text(first)
    page.keyboard.press("Enter")
    expect(inspector(page)).to_be_visible()
    expect(inspector(page).locator("b").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(inspector(page)).to_be_hidden()
    expect(canvas(page)).to_be_focused()


def test_zoom_by_buttons_keys_and_wheel(page: Page) -> None:
    zoom = page.get_by_role("group", name="Zoom")
    zoom.get_by_role("button", name="Zoom in").click()
    expect(zoom.locator("output")).to_have_text("2×")
    zoom.get_by_role("button", name="Whole video").click()
    expect(zoom.locator("output")).to_have_text("1×")
    expect(zoom.get_by_role("button", name="Zoom out")).to_be_disabled()
    canvas(page).focus()
    page.keyboard.press("+")
    expect(zoom.locator("output")).to_have_text("2×")
    page.keyboard.press("0")
    expect(zoom.locator("output")).to_have_text("1×")

    box = canvas(page).bounding_box()
    assert box is not None
    before = page.evaluate("scrollY")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    expect(zoom.locator("output")).not_to_have_text("1×")
    assert page.evaluate("scrollY") == before


def test_what_is_zoomed_is_dragged_along(page: Page) -> None:
    page.get_by_role("button", name="Zoom in").click()
    start, end = page.evaluate(_VIEW)
    box = canvas(page).bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(middle + 100, box["y"] + 20, steps=4)
    page.mouse.up()
    moved = page.evaluate(_VIEW)
    assert moved[0] == pytest.approx(start - 100 / box["width"] * (end - start), abs=0.02)
    assert moved[1] - moved[0] == pytest.approx(end - start)
    expect(inspector(page)).to_be_hidden()


def test_it_follows_the_player(page: Page) -> None:
    tell = "(time) => document.dispatchEvent(new CustomEvent('player:time', { detail: { time, playing: false } }))"
    heads = page.locator(".r-stage .r-playhead")
    page.evaluate(tell, 1.0)
    first = heads.first.bounding_box()
    page.evaluate(tell, 3.0)
    second = heads.first.bounding_box()
    assert first is not None
    assert second is not None
    assert second["x"] > first["x"]


def test_kinds_of_place_can_be_left_out(page: Page) -> None:
    chip = page.locator(".r-chip").first
    word = chip.inner_text()
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    canvas(page).focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        assert f", {word}." not in said(page).inner_text()


def test_a_list_comes_when_it_is_opened_and_a_link_opens_it(page: Page, filled: Filled) -> None:
    brand = page.locator("#b-1")
    expect(brand.locator(".r-exposure")).to_have_count(0)
    page.evaluate("() => document.querySelectorAll('.r-brand').forEach((brand) => { brand.open = true; })")
    for one in page.locator(".r-brand").all():
        expect(one.locator(".r-exposure").first).to_be_visible()
    page.goto(f"/jobs/{filled.ids['report']}#e-0-0")
    page.reload()
    expect(page.locator("#e-0-0")).to_be_in_viewport()


def test_the_table_sorts(page: Page) -> None:
    names = page.locator("#r-brands tbody tr")
    before = [row.get_attribute("data-name") for row in names.all()]
    page.locator("#r-brands").get_by_role("button", name="Brand").click()
    after = [row.get_attribute("data-name") for row in names.all()]
    assert after == sorted(after, key=lambda name: (name or "").lower())
    assert sorted(map(str, before)) == sorted(map(str, after))


def test_a_picture_that_is_gone_says_so(page_as: PageAs, filled: Filled, troubles: Troubles) -> None:
    with troubles.allowed(r"/crops/.*: 404$", r"/frames/.*: 404$"):
        page = page_as(Role.VIEWER)
        page.route(re.compile(r"/(crops|frames)/.*\.jpg"), lambda route: route.fulfill(status=404))
        page.goto(f"/jobs/{filled.ids['report']}")
        painted(page)
        click_on(page, 0, 0)
        expect(inspector(page).get_by_text("Picture no longer stored").first).to_be_visible()
        audit(page)


def test_a_replay_shows_what_changed(page_as: PageAs, filled: Filled) -> None:
    page = page_as(Role.VIEWER)
    page.goto(f"/jobs/{filled.ids['replay']}")
    changes = page.locator("#r-changes")
    expect(changes.get_by_role("link", name="Side by side, with pictures")).to_be_visible()
    expect(changes.get_by_role("link", name="Show what changed")).to_have_count(0)


def test_the_workbook_is_a_click_away(page: Page, tmp_path: Path) -> None:
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Workbook, XLSX").click()
    target = tmp_path / "report.xlsx"
    download.value.save_as(target)
    assert openpyxl.load_workbook(target).sheetnames == ["Brands", "Exposures", "Undecided", "About"]


def test_the_written_file_works_from_a_disk(browser: Browser, tmp_path: Path) -> None:
    write_report(sample_report(name="<script>alert(1)</script>"), tmp_path, DrawnFrames())
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    troubles, asked = Troubles(), list[Any]()
    troubles.watch(context)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    painted(page)
    click_on(page, 2, 0)
    expect(inspector(page).locator("figure img").first).to_be_visible()
    inspector(page).get_by_role("button", name="Later").click()
    page.get_by_role("link", name="In the list").click()
    expect(page.locator("#e-2-1")).to_be_in_viewport()
    page.locator("#e-2-1 .r-crop").first.click()
    expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    audit(page)
    context.close()
    assert all(url.startswith(("file:", "data:")) for url in asked)
    troubles.assert_none()

"""Pit stops as people use them: the video beside its times, values set by hand, zones drawn with mouse and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from mediaproc.roles import Role
from tests.browser.addresses import PITSTOPS, Shown
from tests.browser.audit import Troubles
from tests.browser.conftest import WINDOWS, Filled, Look, PageAs
from tests.browser.site import running_site


@pytest.fixture(scope="package")
def pits() -> Iterator[Filled]:
    """A site with pit stops alone."""
    with running_site("pitstops") as site:
        yield Filled(site, site.fill("pitstops"))


@pytest.fixture
def opened(page_as: PageAs, pits: Filled) -> Iterator[Page]:
    yield page_as(Role.OPERATOR, on=pits.site)


@pytest.mark.parametrize("shown", PITSTOPS, ids=lambda shown: shown.name)
def test_page(page_as: PageAs, pits: Filled, look: Look, troubles: Troubles, shown: Shown) -> None:
    page = page_as(shown.role, on=pits.site)
    with troubles.allowed(*shown.troubles):
        for width, height in WINDOWS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(shown.address(pits.ids))
            look(page, f"{shown.name}-{width}", exempt=shown.exempt)


def test_times_lead_to_their_moment(opened: Page, pits: Filled) -> None:
    opened.goto(reverse("pitstop-page", args=[pits.ids["pitstop"]]))
    opened.get_by_role("link", name="0:02.25 – 0:05.50").click()
    expect(opened.locator("[data-time]")).to_have_text("0:02.2")
    mark = opened.locator(".lane-now").first
    expect(mark).to_have_attribute("x1", re.compile(r"^28\.\d*%$"))  # 2.24 of 8 s: the frame on screen then


def test_value_is_set_in_place_and_taken_back(opened: Page, pits: Filled) -> None:
    opened.goto(reverse("pitstop-page", args=[pits.ids["pitstop_again"]]))
    row = opened.locator("#metric-stop_time_s")
    row.get_by_text("Set by hand").click()
    row.get_by_label("Seconds").fill("3.9")
    row.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Set by operator")
    expect(row).to_contain_text("Measured: 4.00 s ± 0.03 s")
    row.get_by_role("button", name="Undo").click()
    expect(row).not_to_contain_text("Set by operator")


def zones_page(page: Page, pits: Filled, run: str = "pitstop_bare") -> None:
    page.goto(reverse("pitstop-zones", args=[pits.ids[run]]))
    page.wait_for_function("() => document.querySelector('.zones-stage img').naturalWidth > 0")


def click_at(page: Page, x: float, y: float) -> None:
    """In shares of the picture."""
    box = page.locator("svg.zones-picture").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_zone_is_drawn_named_and_saved(opened: Page, pits: Filled) -> None:
    zones_page(opened, pits)
    save = opened.get_by_role("button", name="Save and time anew")
    expect(save).to_be_disabled()
    opened.get_by_role("button", name="Draw a zone").click()
    for x, y in ((0.2, 0.2), (0.6, 0.2), (0.6, 0.7), (0.2, 0.2)):
        click_at(opened, x, y)
    name = opened.get_by_label("Name")
    expect(name).to_be_focused()
    name.fill("Jack <b>front</b>")
    expect(save).to_be_enabled()
    save.click()
    expect(opened).to_have_url(re.compile(r"/pitstop/[0-9a-f-]{36}$"))
    expect(opened.locator("h1")).to_have_text("box-17.mp4")


def test_lines_that_cross_cannot_be_saved(opened: Page, pits: Filled) -> None:
    zones_page(opened, pits)
    opened.get_by_role("button", name="Draw a zone").click()
    for x, y in ((0.2, 0.2), (0.7, 0.7), (0.7, 0.2), (0.2, 0.7), (0.2, 0.2)):
        click_at(opened, x, y)
    expect(opened.locator(".zone-item .field-error")).to_have_text(re.compile("Its lines cross"))
    expect(opened.get_by_role("button", name="Save and time anew")).to_be_disabled()
    opened.get_by_role("button", name="Undo").click()
    expect(opened.locator(".zone-item")).to_have_count(0)


def test_points_go_by_keys(opened: Page, pits: Filled) -> None:
    zones_page(opened, pits)
    opened.get_by_role("button", name="Add a rectangle").click()
    opened.get_by_role("button", name=re.compile("^Point 1 of 4 of Zone 1")).focus()
    opened.keyboard.press("Shift+ArrowRight")
    expect(opened.locator(".zone-point:focus")).to_have_attribute("aria-label", re.compile("37 % across, 35 % down"))
    opened.keyboard.press("+")
    expect(opened.locator(".zone-point")).to_have_count(5)
    opened.keyboard.press("Delete")
    expect(opened.locator(".zone-point")).to_have_count(4)
    for _ in range(3):
        opened.keyboard.press("Control+z")
    expect(opened.get_by_role("button", name=re.compile("^Point 1 of 4"))).to_have_attribute(
        "aria-label", re.compile("35 % across")
    )


def test_point_is_dragged(opened: Page, pits: Filled) -> None:
    zones_page(opened, pits, "pitstop")
    point = opened.get_by_role("button", name=re.compile("^Point 2 of 4 of Fuel side"))
    at, box = point.bounding_box(), opened.locator("svg.zones-picture").bounding_box()
    assert at is not None and box is not None
    opened.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    opened.mouse.down()
    opened.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.1 * box["height"], steps=4)
    opened.mouse.up()
    expect(point).to_have_attribute("aria-label", re.compile("45 % across, 10 % down"))
    expect(opened.get_by_role("button", name="Save and time anew")).to_be_enabled()

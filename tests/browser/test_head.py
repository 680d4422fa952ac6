"""The head of every page: what it leads to, by keyboard, and as a menu on a narrow window."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from mediaproc.navigation import PLACES, Place
from mediaproc.roles import Role
from tests.browser.audit import Troubles, assert_fits, audit
from tests.browser.conftest import Filled, PageAs, Screenshot, log_in


def links_of(page: Page) -> list[str]:
    return page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()


def test_the_first_key_leads_past_the_head(page_as: PageAs) -> None:
    page = page_as(Role.VIEWER)
    page.goto(reverse("page-scenarios"))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('main') !== null")


def test_each_sees_what_they_may_open(page_as: PageAs) -> None:
    page = page_as(Role.VIEWER)
    page.goto(reverse("page-scenarios"))
    words = [place.word for place in PLACES if place.name != "submit"]
    found = links_of(page)
    assert len(found) == len(words)
    assert all(text.startswith(word) for text, word in zip(found, words, strict=True)), found
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)
    page = page_as(Role.ADMINISTRATOR)
    page.goto(reverse("page-scenarios"))
    assert links_of(page)[-1] == "New analysis"
    expect(page.get_by_role("link", name="Admin")).to_be_visible()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_each_link_leads_to_a_page_that_says_so(page_as: PageAs, place: Place) -> None:
    page = page_as(Role.OPERATOR)
    page.goto(reverse("page-scenarios"))
    main = page.get_by_role("navigation", name="Main")
    main.get_by_role("link", name=place.word).click()
    expect(main.locator("[aria-current=page]")).to_contain_text(place.word)
    expect(main.locator("[aria-current=page]")).to_have_count(1)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_menu_of_a_narrow_window(page_as: PageAs, screenshot: Screenshot, dark: bool) -> None:
    page = page_as(Role.ADMINISTRATOR, width=390, dark=dark)
    page.goto(reverse("page-scenarios"))
    opener, link = page.get_by_role("button", name="Menu"), page.get_by_role("link", name="New analysis")
    expect(link).to_be_hidden()
    opener.focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert_fits(page)
    audit(page)
    screenshot(page, f"menu-390-{'dark' if dark else 'light'}", whole=False)
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    link.click()
    expect(page.get_by_role("heading", name="New analysis")).to_be_visible()


@pytest.mark.parametrize("width", [1221, 1280])  # from where the links are no menu any more
def test_between_narrow_and_wide_all_is_in_one_line(page_as: PageAs, width: int) -> None:
    page = page_as(Role.ADMINISTRATOR, width=width)
    page.goto(reverse("page-scenarios"))
    assert_fits(page)
    box = page.get_by_role("banner").bounding_box()
    assert box is not None
    assert box["height"] < 70


def test_log_out(page_as: PageAs, filled: Filled, troubles: Troubles) -> None:
    page = page_as(None)
    log_in(page, Role.REVIEWER)  # the session that page_as keeps is for other tests too
    with troubles.allowed(r"\.jpg: 401$"):  # pictures that were on their way
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto(reverse("page-scenarios"))
    expect(page).to_have_url(filled.site.address("/login?next=/scenarios"))

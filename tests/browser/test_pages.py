"""Every page, wide and narrow, light and dark: whether people can use it, and a picture of it to be looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import resolve
from playwright.sync_api import Page, expect
from rest_framework.views import APIView

from mediaproc.access import RULES
from mediaproc.roles import Role
from tests.access.routes import site_routes
from tests.browser.addresses import BATCHES, DOCUMENTS, EMPTY, NO_PAGES, PAGES, PITSTOPS, Shown
from tests.browser.audit import Troubles, audit
from tests.browser.conftest import WINDOWS, Filled, Look, PageAs, Screenshot
from tests.browser.site import Site


def named(shown: Shown) -> str:
    return shown.name


def test_every_page_has_an_address_here() -> None:
    looked_at = {shown.route for shown in (*PAGES, *PITSTOPS, *BATCHES, *DOCUMENTS)}
    routes = {route.name: route.path for route in site_routes() if "GET" in RULES.get(route.name, ())}
    rest = {name for name, path in routes.items() if _is_rest(path)}
    missing = set(routes) - looked_at - set(NO_PAGES) - rest
    assert not missing, f"add {sorted(missing)} to PAGES, or to NO_PAGES, in tests/browser/addresses.py"
    assert looked_at | set(NO_PAGES) <= set(routes)


def _is_rest(path: str) -> bool:
    view = resolve(path).func
    view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return isinstance(view_class, type) and issubclass(view_class, APIView)


def through_windows(page: Page) -> Iterator[int]:
    """Makes the window wide, then narrow; the page is to be opened each time, for scripts measure as they start."""
    for width, height in WINDOWS.items():
        page.set_viewport_size({"width": width, "height": height})
        yield width


@pytest.mark.parametrize("shown", EMPTY, ids=named)
def test_page_when_there_is_nothing_yet(page_as: PageAs, empty_site: Site, look: Look, shown: Shown) -> None:
    page = page_as(shown.role, on=empty_site)
    for width in through_windows(page):
        page.goto(shown.address({}))
        look(page, f"empty-{shown.name}-{width}", exempt=shown.exempt)


@pytest.mark.parametrize("shown", PAGES, ids=named)
def test_page(page_as: PageAs, filled: Filled, look: Look, troubles: Troubles, shown: Shown) -> None:
    page = page_as(shown.role)
    with troubles.allowed(*shown.troubles):
        for width in through_windows(page):
            page.goto(shown.address(filled.ids))
            look(page, f"{shown.name}-{width}", exempt=shown.exempt)


@pytest.mark.parametrize("shown", DOCUMENTS, ids=named)
def test_document_of_the_interfaces(
    page_as: PageAs, filled: Filled, screenshot: Screenshot, troubles: Troubles, shown: Shown
) -> None:
    page = page_as(shown.role)
    with troubles.allowed(*shown.troubles):
        page.goto(shown.address(filled.ids))
        page.get_by_text("/detect/replay", exact=True).first.wait_for()
    screenshot(page, f"{shown.name}-1280", whole=False)
    audit(page, exempt=shown.exempt)


@pytest.mark.parametrize(("address", "status"), [("/nothing/here", 404), ("/submit", 403)])
def test_error_page(page_as: PageAs, look: Look, troubles: Troubles, address: str, status: int) -> None:
    page = page_as(Role.VIEWER)
    with troubles.allowed(f"{address}: {status}$"):
        for width in through_windows(page):
            page.goto(address)
            look(page, f"error-{status}-{width}")


def test_login_that_is_refused(page_as: PageAs, look: Look) -> None:
    page = page_as(None, width=390)
    page.goto("/login")
    page.get_by_label("User").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    look(page, "login-refused-390")

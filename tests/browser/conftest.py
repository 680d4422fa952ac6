"""A browser, the site it looks at, and the people who sit before it. Run by ``make e2e``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from mediaproc.roles import Role
from tests.browser.audit import Exempt, Troubles, assert_fits, audit
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.site import PASSWORD, Site, kept, running_site

#: Width and height of what people look through, wide and narrow.
WINDOWS = {1280: 900, 390: 844}

# of this folder alone: playwright's loop would be in the way of tests that are coroutines
_SCOPE: Final = "package"


class PageAs(Protocol):
    def __call__(self, role: Role | None, *, width: int = 1280, dark: bool = False, on: Site | None = None) -> Page: ...


class Screenshot(Protocol):
    def __call__(self, page: Page, name: str, *, whole: bool = True) -> Path: ...


class Look(Protocol):
    def __call__(self, page: Page, name: str, *, exempt: Iterable[Exempt] = ()) -> None: ...


@dataclass(frozen=True)
class Filled:
    """A site with analyses in it. ``ids`` has the job ``report`` and the others of ``tests/browser/contents.py``."""

    site: Site
    ids: dict[str, Any]


@pytest.fixture(scope=_SCOPE)
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each has contexts, and so cookies, of its own."""
    found = find_chromium()
    assert found is not None, "There is no Chromium here: run `make e2e`, which installs it, or set CHROMIUM to one."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(found), args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope=_SCOPE)
def empty_site(worker_id: str) -> Iterator[Site]:
    """A site with its people and nothing else, for tests that leave it so."""
    with running_site(f"empty-{worker_id}") as site:
        yield site


@pytest.fixture(scope=_SCOPE)
def filled(worker_id: str) -> Iterator[Filled]:
    """A site with analyses, for tests that only look."""
    with running_site(f"filled-{worker_id}") as site:
        yield Filled(site, site.fill("analyses"))


@pytest.fixture
def troubles() -> Iterator[Troubles]:
    """What goes wrong in the pages that ``page_as`` opens fails the test; see :class:`Troubles`."""
    found = Troubles()
    yield found
    found.assert_none()


@pytest.fixture(scope=_SCOPE)
def _sessions() -> dict[tuple[str, Role], Any]:
    """Cookies of those who have logged in: nobody types a password twice."""
    return {}


@pytest.fixture
def page_as(
    browser: Browser, troubles: Troubles, request: pytest.FixtureRequest, _sessions: dict[tuple[str, Role], Any]
) -> Iterator[PageAs]:
    """Opens a page in a browser of somebody's own: of a role, or of nobody known for None.

    Addresses that begin with a slash are those of ``on``, the filled site by default.
    """
    opened: list[BrowserContext] = []

    def open_page(role: Role | None, *, width: int = 1280, dark: bool = False, on: Site | None = None) -> Page:
        site = on or request.getfixturevalue("filled").site
        context = browser.new_context(
            base_url=site.address("/"),
            viewport={"width": width, "height": WINDOWS.get(width, WINDOWS[1280])},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # what is still on its way has no colour to judge
            storage_state=_sessions.get((site.address("/"), role)) if role else None,
        )
        opened.append(context)
        troubles.watch(context)
        page = context.new_page()
        if role and (site.address("/"), role) not in _sessions:
            log_in(page, role)
            _sessions[site.address("/"), role] = context.storage_state()
        return page

    yield open_page
    for context in opened:
        context.close()


def log_in(page: Page, role: Role) -> None:
    """As people do."""
    page.goto("/login")
    page.get_by_label("User").fill(role.value)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile(r"/(?!login)"))


@pytest.fixture(scope=_SCOPE)
def screenshot() -> Screenshot:
    """Keeps a picture of a page, ``whole`` or what the window shows, to be looked at.

    They lie in the folder :func:`tests.browser.site.kept`.
    """

    def take(page: Page, name: str, *, whole: bool = True) -> Path:
        page.evaluate(_PICTURES_THERE)
        path = kept() / f"{name}.png"
        page.screenshot(path=path, full_page=whole, style="[data-sticky] { position: static !important; }")
        return path

    return take


@pytest.fixture(scope=_SCOPE)
def look(screenshot: Screenshot) -> Look:
    """Judges the page that is open, in light and dark, and keeps pictures of it."""

    def judge(page: Page, name: str, *, exempt: Iterable[Exempt] = ()) -> None:
        expect(page.locator("h1").first).to_be_visible()
        assert_fits(page)
        page.emulate_media(color_scheme="light")
        screenshot(page, f"{name}-light")
        audit(page, exempt=exempt)
        page.emulate_media(color_scheme="dark")
        screenshot(page, f"{name}-dark")
        audit(page, exempt=exempt, only=["color-contrast"])

    return judge


# what sticks to the window's edge would lie across the middle of a picture that is longer than the window
_PICTURES_THERE = """
() => {
    for (const one of document.querySelectorAll("body *"))
        if (getComputedStyle(one).position === "sticky") one.dataset.sticky = "";
    return Promise.all([...document.images].map((image) => {
        image.loading = "eager";
        return image.decode().catch(() => {});  // one that is not to be had shows its text
    }));
}
"""

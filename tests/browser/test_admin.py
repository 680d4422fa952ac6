"""The admin: every list of it, and its forms, judged as the other pages are."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page, expect

from mediaproc.roles import Role
from tests.browser.audit import Exempt, assert_fits, audit
from tests.browser.conftest import Filled, PageAs, Screenshot

#: What unfold draws, and no setting or template block of it changes.
EXEMPT = (
    Exempt(
        "aria-input-field-name",
        ".select2-container",
        "Select2 names its box by the text in it, also when that is empty",
    ),
)

admin.autodiscover()
LISTS = sorted(f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)

#: Judged in every way, a route with a key of ``Filled.ids`` or a query; other lists are drawn by the same templates.
PAGES = {
    "index": ("admin:index", ""),
    "brands": ("admin:brands_knownbrand_changelist", ""),
    "brand": ("admin:brands_knownbrand_change", "brand"),
    "brand-new": ("admin:brands_knownbrand_add", ""),
    "brands-import": ("admin:brands_knownbrand_import", ""),
    "brands-export": ("admin:brands_knownbrand_export", ""),
    "brands-duplicates": ("admin:brands_knownbrand_duplicates", ""),
    "brands-merge": ("admin:brands_knownbrand_merge", "?ids={brand}&ids={brand_long}"),
    "brands-try": ("admin:brands_knownbrand_try", "logo"),
    "jobs": ("admin:jobs_detectjob_changelist", ""),
    "job": ("admin:jobs_detectjob_change", "report"),
    "user": ("admin:auth_user_change", "administrator"),
    "key-new": ("admin:jobs_apikey_add", ""),
    "checkpoint": ("admin:detect_checkpoint_change", "checkpoint"),
    "providers": ("admin:providers", ""),
}


def judge(page: Page) -> None:
    expect(page.locator("h1").first).to_be_visible()
    assert_fits(page)
    audit(page, exempt=EXEMPT)


@pytest.mark.parametrize("name", LISTS)
def test_list_and_what_is_in_it(page_as: PageAs, name: str) -> None:
    page = page_as(Role.ADMINISTRATOR)
    page.goto(reverse(f"admin:{name}_changelist"))
    judge(page)
    first = page.locator("#result_list tbody tr").first.get_by_role("link")
    if first.count():
        page.goto(first.first.get_attribute("href") or "")
        judge(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["wide-light", "narrow-dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page(page_as: PageAs, filled: Filled, screenshot: Screenshot, name: str, dark: bool, width: int) -> None:
    route, more = PAGES[name]
    page = page_as(Role.ADMINISTRATOR, width=width, dark=dark)
    if more.startswith("?"):
        page.goto(reverse(route) + more.format_map(filled.ids))
    else:
        page.goto(reverse(route, args=[filled.ids[more]] if more else []))
    screenshot(page, f"admin-{name}-{width}-{'dark' if dark else 'light'}")
    judge(page)

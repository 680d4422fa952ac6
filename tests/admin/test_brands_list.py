"""The list of brands in the admin: sorted, filtered and searched in few queries, whatever brands are called."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from brands.actions import AddLogo, ConfirmBrands, Merge, RejectBrands, decide
from brands.models import KnownBrand
from tests.admin.brandpages import LIST, names_in, page, text_of
from tests.brands.known import HOSTILE, known, waiting
from tests.brands.test_logos import picture
from tests.review.material import CLEO, proposed, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


@pytest.fixture
def stock() -> dict[str, KnownBrand]:
    """One brand of each state, seen for different times."""
    record("one", brands=[proposed("Hankook", 10.0), proposed("Velmora", 12.0), proposed("HEAD", 20.0)])
    record("two", brands=[proposed("Hankoak", 4.0)])
    brands = {brand.canonical_name: brand for brand in KnownBrand.objects.all()}
    decide(Merge((brands["Hankoak"].id,), brands["Hankook"].id), by=CLEO)
    decide(ConfirmBrands((brands["Hankook"].id,)), by=CLEO)
    decide(RejectBrands((brands["HEAD"].id,)), by=CLEO)
    return {**brands, "Zephyria": known("Zephyria", "ZPG")}


def test_most_seconds_first_with_what_was_merged(curator: Client, stock):
    content = page(curator, LIST)
    assert names_in(content) == ["HEAD", "Hankook", "Velmora", "Zephyria"]
    shown = text_of(content)
    for part in ("14.0 s", "confirmed", "unconfirmed", "rejected", "ZPG"):
        assert part in shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=confirmed", ["Hankook", "Zephyria"]),
        ("state=unconfirmed", ["Velmora"]),
        ("state=rejected", ["HEAD"]),
        ("state=merged", ["Hankoak"]),
        ("state=odd", ["HEAD", "Hankook", "Velmora", "Zephyria"]),
        ("pictures=yes", ["Zephyria"]),
        ("pictures=no", ["HEAD", "Hankook", "Velmora"]),
        ("first_source__exact=manual", ["Zephyria"]),
        ("q=h a n k o a k", ["Hankook"]),
        ("q=zpg", ["Zephyria"]),
        ("q=nobody", []),
        ("q=!!", []),
        ("o=2", ["HEAD", "Hankook", "Velmora", "Zephyria"]),
        ("o=-2", ["Zephyria", "Velmora", "Hankook", "HEAD"]),
        ("o=4", ["Zephyria", "Velmora", "Hankook", "HEAD"]),
        ("o=-5.2", ["Hankook", "HEAD", "Velmora", "Zephyria"]),
        ("o=-6.2", ["Hankook", "HEAD", "Velmora", "Zephyria"]),
        ("o=99", ["HEAD", "Hankook", "Velmora", "Zephyria"]),
    ],
)
def test_filters_search_and_order(curator: Client, stock, query, names):
    decide(AddLogo(stock["Zephyria"].id, picture(), ".png"), by=CLEO)
    assert names_in(page(curator, f"{LIST}?{query}")) == names


def test_by_last_seen(curator: Client, stock):
    assert len(names_in(page(curator, f"{LIST}?o=-8"))) == 4


def test_it_says_by_what_it_is_sorted_before_anybody_chose(curator: Client, stock):
    sorted_by = re.findall(r"column-(\w+) sorted (\w+)", page(curator, LIST))
    assert sorted_by == [("seconds", "descending")]
    assert re.findall(r"column-(\w+) sorted (\w+)", page(curator, f"{LIST}?o=2")) == [("name", "ascending")]


def test_a_brand_is_shown_by_where_it_was_seen_else_by_its_picture(curator: Client, stock):
    decide(AddLogo(stock["Zephyria"].id, picture(), ".png"), by=CLEO)
    content = page(curator, LIST)
    assert content.count("/crops/") == 3
    assert content.count("/brands/pictures/") == 1


def test_many_cost_no_more_queries_than_few(curator: Client, stock):
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            page(curator, f"{LIST}?{query}")
        return len(asked)

    few = {query: queries(query) for query in ("", "state=merged", "q=a", "o=-5", "o=8")}
    record("three", brands=[proposed(f"Brand {number}a") for number in range(60)])
    for number in range(20):
        decide(Merge((known(f"Part {number}a", f"P{number}a").id,), stock["Velmora"].id), by=CLEO)
    assert {query: queries(query) for query in few} == few
    assert max(few.values()) <= 14


def test_figures_are_worked_out_for_the_page_alone(curator: Client, stock):
    with CaptureQueriesContext(connection) as asked:
        page(curator, LIST)
    told = [query["sql"] for query in asked if "brands_brandappearance seen" in query["sql"]]
    sorting = [sql for sql in told if "count(DISTINCT" not in sql]
    assert len(told) == 2
    assert len(sorting) == 1, "sorting works out what it sorts by, and no more"
    assert all('"brands_knownbrand"."id" IN (' in sql for sql in told if sql not in sorting)


def test_hostile_names_are_only_names(curator: Client):
    for name in HOSTILE.values():
        known(name, f"{name[:290]} alias")
    content = page(curator, LIST)
    assert "<script>alert" not in content
    assert set(HOSTILE.values()) <= set(names_in(content))


def test_brands_are_never_deleted_by_the_dozen(curator: Client, stock):
    assert "delete_selected" not in page(curator, LIST)
    waiting("Omega")
    ids = [str(brand.id) for brand in KnownBrand.objects.all()]
    curator.post(LIST, {"action": "delete_selected", "_selected_action": ids, "post": "yes"})
    assert KnownBrand.objects.count() == len(ids)

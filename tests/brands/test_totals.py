"""Figures over all videos, merged brands with the one they are; states and search."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from brands.actions import ConfirmBrands, Merge, RejectBrands, Unmerge, decide
from brands.catalog import State, brands_listed, brands_matching, count_by_state, in_state, page_of, state_of
from brands.models import BrandAppearance, KnownBrand
from brands.selectors import brand_parts
from brands.services import sightings_record
from brands.totals import figures_of, last_seen, seconds_by_brand, videos_with, with_totals
from tests.brands.factories import report_brand
from tests.brands.known import known, waiting
from tests.review.material import CLEO, asset_of, proposed, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def merged() -> dict[str, KnownBrand]:
    """Hankook with two merged into it, one through another, over three videos; and another brand."""
    record("one", brands=[proposed("Hankook", 10.0), proposed("Hankoak", 4.0), proposed("Velmora", 6.0)])
    record("two", brands=[proposed("Hankoak", 3.0), proposed("HNK", 2.0)])
    record("three", brands=[proposed("HNK", 1.0)])
    brands = {brand.canonical_name: brand for brand in KnownBrand.objects.all()}
    decide(Merge((brands["HNK"].id,), brands["Hankoak"].id), by=CLEO)
    decide(Merge((brands["Hankoak"].id,), brands["Hankook"].id), by=CLEO)
    return brands


def totals() -> dict[str, tuple[float, int, int]]:
    rows: Any = with_totals(KnownBrand.objects.all())
    return {row.canonical_name: (row.total_seconds, row.total_videos, row.total_sightings) for row in rows}


class TestTotals:
    def test_a_brand_has_all_that_was_merged_into_it_however_many_merges_lead_there(self, merged):
        assert totals() == {
            "Hankook": (20.0, 3, 5),
            "Hankoak": (10.0, 3, 4),
            "HNK": (3.0, 2, 2),
            "Velmora": (6.0, 1, 1),
        }

    def test_apart_again_each_has_its_own(self, merged):
        decide(Unmerge(merged["Hankoak"].id), by=CLEO)
        assert totals()["Hankook"] == (10.0, 1, 1)

    def test_a_brand_that_nobody_saw(self):
        known("Hexalon")
        assert totals() == {"Hexalon": (0, 0, 0)}

    def test_of_one_brand(self, merged):
        parts = brand_parts([merged["Hankook"].id])[merged["Hankook"].id]
        assert parts[0] == merged["Hankook"].id
        BrandAppearance.objects.filter(seconds=10.0).update(seconds_uncertainty=0.3, quality_score=80.0)
        BrandAppearance.objects.exclude(seconds=10.0).update(seconds_uncertainty=0.2, quality_score=40.0)
        figures = figures_of(parts)
        assert (figures.seconds, figures.videos, figures.sightings) == (20.0, 3, 5)
        assert figures.uncertainty == pytest.approx((0.3**2 + 4 * 0.2**2) ** 0.5)
        assert figures.share == pytest.approx(20 / 26)
        assert figures.quality == pytest.approx(60.0)
        assert [seen.seconds for seen in videos_with(parts)] == [10.0, 4.0, 3.0, 2.0, 1.0]

    def test_of_none(self):
        brand = known("Hexalon")
        assert (figures_of([brand.id]).share, figures_of([brand.id]).quality, last_seen([brand.id])) == (0.0, 0.0, None)
        assert seconds_by_brand() == {}

    def test_last_seen_is_of_the_newest_video(self, merged):
        for name in ("HNK", "Velmora"):
            sightings_record(asset=asset_of("one"), found=[report_brand(name, spans=[(0.0, 1.0)])])
        rows: Any = with_totals(KnownBrand.objects.all())
        seen = {row.canonical_name: row.last_seen for row in rows}
        assert seen["Hankook"] == seen["HNK"] == last_seen([merged["HNK"].id])
        assert seen["Hankook"] is not None

    def test_sorted_by_any_of_them(self, merged):
        brands = with_totals(in_state(brands_listed(), None))
        for figure in ("total_seconds", "total_videos", "total_sightings"):
            assert [one.canonical_name for one in page_of(brands.order_by(f"-{figure}"), 0, 1)] == ["Hankook"]


class TestStates:
    def test_each(self, merged):
        decide(ConfirmBrands((merged["Hankook"].id,)), by=CLEO)
        decide(RejectBrands((known("HEAD").id,)), by=CLEO)
        states = {brand.canonical_name: state_of(brand) for brand in brands_listed()}
        assert states == {
            "Hankook": State.CONFIRMED,
            "Velmora": State.UNCONFIRMED,
            "HEAD": State.REJECTED,
            "Hankoak": State.MERGED,
            "HNK": State.MERGED,
        }
        counts = {State.CONFIRMED: 1, State.UNCONFIRMED: 1, State.REJECTED: 1, State.MERGED: 2}
        assert count_by_state(brands_listed()) == counts
        for state, count in counts.items():
            found = in_state(brands_listed(), state)
            assert {state_of(brand) for brand in found} == {state}
            assert found.count() == count


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("HANK", {"Hankook"}),
            ("hnk", {"Hankook"}),
            ("v-e l·m", {"Velmora"}),
            ("tyre", {"Velmora"}),
            ("Café", {"Cafe Noir"}),
            ("اتص", {"شركة الاتصالات"}),
            ("nobody", set()),
            ("%", set()),
            ("!", {"Yahoo!"}),
            ("", {"Hankook", "Velmora", "Cafe Noir", "شركة الاتصالات", "Yahoo!"}),
        ],
    )
    def test_names_and_aliases_in_any_spelling_of_what_was_merged_too(self, merged, text, found):
        known("Velmora", "The Tyre Company")
        for name in ("Cafe Noir", "شركة الاتصالات", "Yahoo!"):
            waiting(name)
        brands = brands_matching(in_state(brands_listed(), None), text)
        assert {brand.canonical_name for brand in brands} == found


def test_a_page_asks_as_little_for_many_brands_as_for_few():
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            page = page_of(with_totals(brands_listed()).order_by("-total_seconds"), 0, 50)
        assert all(brand.alias_texts for brand in page)
        return len(asked)

    known("Brand", "Alias")
    few = queries()
    for number in range(40):
        known(f"Brand {number}", f"Alias {number}")
    assert queries() == few == 3

"""One decision settles what people would decide alike, and nothing else."""

from __future__ import annotations

import pytest

from brands.models import ItemState, ReviewGroup, ReviewItem
from brands.review.items import pictures_of, result_record
from brands.services import brands_ensure
from detect.types import KnownBrandRecord
from tests.review.material import asset_of, group, proposed, record, report_of, undecided

pytestmark = pytest.mark.django_db


def groups() -> list[set[str]]:
    """The texts of each group."""
    texts: dict[int, set[str]] = {}
    for number, text in ReviewItem.objects.values_list("group_id", "text"):
        texts.setdefault(number, set()).add(text)
    return sorted(texts.values(), key=sorted)


def test_the_same_text_is_one_group_over_all_videos_whatever_its_case_and_confused_letters():
    record("one", "Fly Better", seconds=3.0)
    record("two", "FLY-BETTER", seconds=4.0)
    record("three", "F1Y BETTER", seconds=5.0)
    assert groups() == [{"Fly Better", "FLY-BETTER", "F1Y BETTER"}]
    only = ReviewGroup.objects.get()
    assert (only.open_items, only.open_sources, only.open_seconds) == (3, 3, 12.0)


def test_misreadings_join_and_short_words_do_not():
    record("one", "MOTORWERK", "M0TORWERX", "BKT", "BKI", "QUANTA", "ORBITAL")
    assert groups() == [{"BKI"}, {"BKT"}, {"MOTORWERK", "M0TORWERX"}, {"ORBITAL"}, {"QUANTA"}]


def test_a_proposed_brand_and_an_undecided_text_of_that_name_are_decided_together():
    record("one", "Velmora", brands=[proposed("VELMORA")])
    assert groups() == [{"Velmora", "VELMORA"}]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("00000000ffffffff", "00000000fffffff0", True),
        ("00000000ffffffff", "ffffffff00000000", False),
        ("00000000ffffffff", "", False),
        ("", "", False),
    ],
    ids=["alike", "different", "one gone", "both gone"],
)
def test_pictures_that_look_the_same_are_one_group_though_they_were_read_differently(first, second, together):
    asset = asset_of("one")
    report = report_of(unresolved=[undecided("ADI", sequence=1), undecided("WXYZ", sequence=2)])
    hashes = dict(zip(pictures_of(report), (first, second), strict=True))
    result_record(asset=asset, report=report, hashes={picture: value for picture, value in hashes.items() if value})
    assert (ReviewGroup.objects.count() == 1) is together


def test_another_result_of_a_video_takes_the_place_of_the_one_before():
    record("one", "FLY BETTER", "ORBITAL")
    record("two", "ORBITAL")
    record("one", "QUANTA")
    assert groups() == [{"ORBITAL"}, {"QUANTA"}]
    assert group("ORBITAL").open_items == 1


def test_what_is_known_already_does_not_wait():
    brands_ensure(listed=[KnownBrandRecord("Velmora", ("VLM Air",))])
    record("one", "VLM AIR", "ORBITAL")
    assert dict(ReviewItem.objects.values_list("text", "state")) == {
        "VLM AIR": ItemState.BRAND,
        "ORBITAL": ItemState.OPEN,
    }


def test_a_brand_that_somebody_lists_for_a_run_does_not_wait_any_more():
    record("one", brands=[proposed("Velmora")])
    brands_ensure(listed=[KnownBrandRecord("VELMORA")])
    assert group("Velmora").open_items == 0

"""The queue as it is read: its order, what fits, what is shown of each group."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from brands.actions import Confirm, Merge, Reject, decide
from brands.models import KnownBrand, ReviewItem
from brands.review.queue import Place, brands_search, groups_show, queue, waiting
from brands.services import brands_ensure
from detect.types import KnownBrandRecord
from tests.review.material import ANA, CLEO, proposed, record, ref

pytestmark = pytest.mark.django_db

WORDS = ("MOTORWERK", "QUANTA", "ORBITAL", "ZEPHYRIA", "HALVORD", "CRAVANT", "KALDERO", "LUGARDE", "VELMORA", "SOLVENT")


def texts(**asked: object) -> list[str]:
    return [one.text for one in queue(**asked)]  # type: ignore[arg-type]


class TestOrder:
    def test_most_seconds_first_and_what_is_decided_is_gone(self):
        record("one", "QUANTA", seconds=3)
        record("two", "ORBITAL", "ZEPHYRIA", seconds=9)
        assert texts() == ["ORBITAL", "ZEPHYRIA", "QUANTA"]
        decide(Reject((ref("ORBITAL"),)), by=ANA)
        assert texts() == ["ZEPHYRIA", "QUANTA"]
        assert waiting() == waiting(queue())
        assert (waiting().groups, waiting().seconds) == (2, 12.0)

    def test_place_by_place_each_group_comes_once(self):
        record("one", *WORDS[:6], seconds=5)
        record("two", *WORDS[6:], seconds=0.1 + 0.2)
        found: list[str] = []
        place: Place | None = None
        while page := list(queue(after=place)[:3]):
            found += [one.text for one in page]
            place = Place(page[-1].open_seconds, page[-1].id)
        assert found == texts()
        assert len(found) == 10


class TestFilters:
    @pytest.mark.parametrize(
        ("text", "fits"),
        [("quan", ["QUANTA"]), ("0rbit", ["ORBITAL"]), ("q u a", ["QUANTA"]), ("!!!", []), ("%", []), ("nothing", [])],
    )
    def test_a_part_of_a_text_however_it_is_typed(self, text, fits):
        record("one", "QUANTA", "ORBITAL")
        assert texts(text=text) == fits

    def test_one_video_one_job_one_kind(self):
        one = record("one", "QUANTA", brands=[proposed("Velmora Air")])
        record("two", "ORBITAL", "QUANTA")
        job = ReviewItem.objects.get(text="ORBITAL").job_id
        assert set(texts(asset=one.id)) == {"QUANTA", "Velmora Air"}
        assert set(texts(job=job)) == {"ORBITAL", "QUANTA"}
        assert texts(kind="proposed") == ["Velmora Air"]
        assert texts(kind="undecided", asset=one.id) == ["QUANTA"]

    def test_a_video_whose_own_items_are_decided_fits_no_more(self):
        """Though others of the group still wait."""
        one = record("one", "QUANTA BANK")
        record("two", "QUANTA 8ANK")
        item = ReviewItem.objects.get(source_asset=one)
        ReviewItem.objects.filter(id=item.id).update(state="rejected")
        assert texts(asset=one.id) == []


class TestShown:
    def test_the_longest_pictures_and_all_spellings(self):
        for number in range(15):
            record(f"video {number}", "QUANTA BANK" if number % 3 else "QUANTA 8ANK", seconds=1 + number)
        (shown,) = groups_show(list(queue()))
        assert [item.seconds for item in shown.items] == [15.0 - place for place in range(12)]
        assert {shown.group.text, *shown.spellings} == {"QUANTA BANK", "QUANTA 8ANK"}
        assert len(shown.spellings) == 1

    def test_it_may_be_a_brand_by_its_name_its_alias_or_what_was_merged_into_it(self):
        quanta, orbital, other = brands_ensure(
            listed=[
                KnownBrandRecord("Quanta Bank", ()),
                KnownBrandRecord("Orbital", ("QUANTA BANC",)),
                KnownBrandRecord("Kuanta Bank", ()),
            ]
        )
        decide(Merge((other.id,), orbital.id), by=CLEO)
        record("one", "QVANTA BANKS")
        (shown,) = groups_show(list(queue()))
        assert {guess.brand for guess in shown.guesses} == {quanta, orbital}
        assert [guess.similarity for guess in shown.guesses] == sorted(
            (guess.similarity for guess in shown.guesses), reverse=True
        )

    def test_a_guess_shows_where_the_brand_or_what_was_merged_into_it_was_seen_longest(self):
        record("one", brands=[proposed("Quanta Bank", 3.0)])
        record("two", brands=[proposed("Kuantum", 9.0)])
        decide(Confirm((ref("Quanta Bank"),)), by=ANA)
        decide(Confirm((ref("Kuantum"),)), by=ANA)
        quanta, other = (KnownBrand.objects.get(canonical_name=name) for name in ("Quanta Bank", "Kuantum"))
        decide(Merge((other.id,), quanta.id), by=CLEO)
        record("three", "QVANTA BANKS")
        (shown,) = groups_show(list(queue()))
        assert [(guess.brand, guess.seen and guess.seen.seconds) for guess in shown.guesses] == [(quanta, 9.0)]

    def test_the_number_of_queries_is_the_same_for_ten(self):
        brands_ensure(listed=[KnownBrandRecord(f"{word} GROUP", ()) for word in WORDS])
        record("one", *WORDS)
        groups = list(queue())

        def queries(count: int) -> int:
            with CaptureQueriesContext(connection) as seen:
                assert len(groups_show(groups[:count])) == count
            return len(seen)

        queries(1)
        assert queries(1) == queries(10) <= 9


class TestSearch:
    def test_those_that_begin_with_it_come_first_however_many_contain_it(self):
        brands_ensure(listed=[KnownBrandRecord(f"A{number:03d} Zen", ()) for number in range(120)])
        brands_ensure(listed=[KnownBrandRecord("Zenith", ()), KnownBrandRecord("Velmora", ("Zeno",))])
        found = [brand.canonical_name for brand in brands_search("zen")]
        assert found[0] == "Zenith"
        assert len(found) == 8

    def test_aliases_merged_brands_and_nothing(self):
        velmora, old = brands_ensure(
            listed=[KnownBrandRecord("Velmora", ("FLY BETTER",)), KnownBrandRecord("Volmera", ())]
        )
        decide(Merge((old.id,), velmora.id), by=CLEO)
        assert brands_search("fly-b") == [velmora]
        assert brands_search("volm") == [velmora]
        assert brands_search("!") == []

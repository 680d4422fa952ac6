"""Brands that may be one: found by their names, led by the one seen longest, less what people said is not the same."""

from __future__ import annotations

import uuid

import pytest

from brands.actions import KeepApart, Merge, RejectBrands, Rename, Unmerge, decide
from brands.clusters import alike_to, clusters, pairs_alike
from brands.models import KnownBrand
from tests.brands.known import known, waiting
from tests.review.material import CLEO, proposed, record


def alike(*names: str, aliases: tuple[tuple[int, str], ...] = ()) -> set[tuple[str, str]]:
    """Pairs of names found alike."""
    ids = [uuid.UUID(int=number) for number in range(len(names))]
    named = dict(zip(ids, names, strict=True))
    found = pairs_alike(named, [(ids[number], text) for number, text in aliases])
    return {(named[one], named[other]) for one, other in found}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Velmora", "VELM0RA"),
        ("Café Noir", "cafe-noir"),
        ("Red Bull", "Bull Red"),
        ("Emirates", "Emirates FLY BETTER"),
        ("Racing Velmora", "Velmora"),
        ("EmiratesFLYBETTER", "Emirates"),
        ("Hankook", "Hankoak"),
        ("سيارات الخليج", "سيارات الخلبج"),
    ],
)
def test_alike(one, other):
    assert alike(one, other) == {(one, other)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BKT", "BKI"),
        ("Nike", "Mike"),
        ("Velmora", "Hexalon"),
        ("AB", "ABCD Bank"),
        ("Visa", "Advisable"),
        ("🏏", "🔥"),
    ],
)
def test_not_alike(one, other):
    assert alike(one, other) == set()


def test_a_word_of_many_names_says_nothing():
    towns = ("Oslo", "Rome", "Minsk", "Quito", "Accra", "Delhi", "Hanoi", "Tunis", "Lagos")
    assert alike("Bank", *(f"{town} Bank" for town in towns)) == set()
    assert alike("Bank", *(f"{town} Bank" for town in towns[:2])) == {("Bank", "Oslo Bank"), ("Bank", "Rome Bank")}


def test_aliases_count_where_they_are_the_same():
    assert alike("Velmora", "Hexalon", aliases=((1, "VELMORA"),)) == {("Velmora", "Hexalon")}


def test_many_names_are_compared_in_blocks_as_all_at_once_would_be():
    names = [f"{chr(97 + number % 26) * 3}{number:04d}x{'yz' * (number % 9)}" for number in range(900)]
    found = alike(*names, "qqqqqwwwwwe", "qqqqqwwwwwr")
    assert ("qqqqqwwwwwe", "qqqqqwwwwwr") in found


def names_of(found) -> list[list[str]]:
    named = dict(KnownBrand.objects.values_list("id", "canonical_name"))
    return [[named[brand] for brand in cluster.brands] for cluster in found]


@pytest.mark.django_db
class TestClusters:
    def test_the_one_seen_longest_leads_and_those_that_move_most_come_first(self):
        record("one", brands=[proposed("Hankook", 3.0), proposed("Hankoak", 9.0), proposed("HANKOOK", 1.0)])
        record("two", brands=[proposed("Emirates", 50.0), proposed("Emirates FLY BETTER", 20.0), proposed("BKT", 5.0)])
        found = clusters()
        assert names_of(found) == [["Emirates", "Emirates FLY BETTER"], ["Hankoak", "Hankook"]]
        assert [cluster.seconds for cluster in found] == [20.0, 3.0]
        assert set(found[0].why.values()) == {"one name is in the other"}

    def test_what_is_like_what_is_like_it_is_not_drawn_in(self):
        for name in ("Velmora", "Velmara", "Vilmara", "Vilmari"):
            known(name)
        assert all(len(cluster.brands) == 2 for cluster in clusters())

    def test_seconds_of_merged_brands_are_those_of_what_they_are(self):
        record("one", brands=[proposed("Hankook", 3.0), proposed("Hankoak", 4.0), proposed("Tyres", 9.0)])
        named = {brand.canonical_name: brand.id for brand in KnownBrand.objects.all()}
        decide(Merge((named["Tyres"],), named["Hankook"]), by=CLEO)
        assert names_of(clusters()) == [["Hankook", "Hankoak"]]

    def test_merged_they_are_gone_and_apart_again_they_are_back(self):
        one, other = known("Velmora"), known("Velmara")
        decide(Merge((one.id,), other.id), by=CLEO)
        assert clusters() == []
        decide(Unmerge(one.id), by=CLEO)
        assert len(clusters()) == 1

    def test_what_people_kept_apart_is_not_asked_again(self):
        ids = {name: known(name).id for name in ("Velmora", "Velmara", "Velmera")}
        decide(KeepApart((ids["Velmora"], ids["Velmara"])), by=CLEO)
        pairs = {frozenset((cluster.brands[0], other)) for cluster in clusters() for other in cluster.brands[1:]}
        assert frozenset((ids["Velmora"], ids["Velmara"])) not in pairs
        assert set(alike_to(ids["Velmora"])) == {ids["Velmera"]}

    def test_kept_apart_holds_for_what_a_brand_is_merged_into(self):
        one, other, third = known("Velmora"), known("Velmara"), known("Hexalon")
        decide(KeepApart((one.id, other.id)), by=CLEO)
        decide(Merge((other.id,), third.id), by=CLEO)
        decide(Rename(third.id, "Velmora Two"), by=CLEO)
        assert clusters() == []

    def test_rejected_brands_are_in_none(self):
        waiting("Velmora")
        decide(RejectBrands((waiting("Velmara").id,)), by=CLEO)
        assert clusters() == []

    def test_a_new_name_is_seen_at_once(self):
        known("Velmora")
        assert clusters() == []
        other = known("Hexalon")
        decide(Rename(other.id, "Velmara"), by=CLEO)
        assert [set(names) for names in names_of(clusters())] == [{"Velmara", "Velmora"}]

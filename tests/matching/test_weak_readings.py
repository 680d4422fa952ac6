"""What readings that recognition was unsure of say for known names."""

from __future__ import annotations

import pytest

from detect.matching import NameIndex
from detect.types import Box, KnownBrandRecord, LatticeStep, Reading, TextTrack
from detect.weak_readings import WeakNames, Weighed, certain_steps

NAMES = NameIndex(
    [
        KnownBrandRecord("Velmora"),
        KnownBrandRecord("Jio"),
        KnownBrandRecord("Hexalune"),
        KnownBrandRecord("Arun"),
        KnownBrandRecord("Phillips"),
    ]
)
WEAK = WeakNames(NAMES.spellings)
LEAST = 11.0
GAP = LatticeStep(1000, "", ())


def lattice(*steps: str) -> tuple[LatticeStep, ...]:
    """Steps written as likely characters, best first: ``"MN"`` is an M that was nearly read as an N."""
    shares = {1: (1000,), 2: (500, 400), 3: (400, 300, 200)}
    return (GAP, *(part for step in steps for part in (LatticeStep(0, step, shares[len(step)]), GAP)))


def reading(text: str, steps: tuple[LatticeStep, ...], votes: int = 1) -> Reading:
    return Reading(text, 0.7, votes, 0, Box(0, 0, 100, 30), steps)


def brand_of(*readings: Reading, least: float = LEAST) -> str | None:
    found = WEAK.likely(TextTrack(0, list(readings), []), least)
    return None if found is None else found[0].brand


def weighed(text: str, steps: tuple[LatticeStep, ...]) -> dict[str, Weighed]:
    return {one.brand: one for one in WEAK.weigh(reading(text, steps))}


def test_a_name_that_recognition_nearly_read_is_found():
    assert brand_of(reading("Arum", lattice("A", "r", "u", "mn"))) == "Arun"
    assert brand_of(reading("WELNDRA", lattice("WV", "E", "L", "NM", "DO", "R", "A"))) == "Velmora"


def test_a_letter_surely_read_as_another_speaks_against_the_name():
    assert brand_of(reading("Arum", lattice("A", "r", "u", "m"))) is None
    assert brand_of(reading("VELOURA", lattice("VW", "E", "L", "O", "U", "R", "A"))) is None


def test_short_names_need_more_than_a_likeness():
    assert brand_of(reading("Jlp", lattice("J", "l", "po"))) is None


def test_a_name_is_a_run_of_words_and_not_the_middle_of_one():
    words = weighed("TO VELNORA GO", lattice("T", "O", " ", "V", "E", "L", "NM", "O", "R", "A", " ", "G", "O"))
    inside = weighed("TOVELNORAGO", lattice("T", "O", "V", "E", "L", "NM", "O", "R", "A", "G", "O"))
    assert words["Velmora"].evidence > inside["Velmora"].evidence + 6


def test_letters_that_fold_together_may_stand_side_by_side():
    assert weighed("PHILLIPS", certain_steps("PHILLIPS"))["Phillips"].cost < 0.7


def test_a_sure_text_that_is_a_name_costs_nothing():
    assert weighed("Hexalune", certain_steps("Hexalune"))["Hexalune"].cost == pytest.approx(0, abs=0.05)


def test_readings_that_agree_are_stronger_than_one():
    one = reading("VEIMCPA", lattice("V", "EF", "IT", "M", "CO", "PR", "AR"))
    other = reading("YEIMDRA", lattice("YV", "E", "IT", "MN", "DO", "R", "A"))
    strongest = max(weighed(each.text, each.lattice)["Velmora"].evidence for each in (one, other))
    assert brand_of(one, least=strongest + 1) is None
    assert brand_of(one, other, least=strongest + 1) == "Velmora"


def test_two_names_about_as_likely_are_neither():
    names = WeakNames(NameIndex([KnownBrandRecord("Velmora"), KnownBrandRecord("Velnora")]).spellings)
    unsure = reading("VELMORA", lattice("VW", "E", "L", "MN", "O", "R", "A"))
    assert names.likely(TextTrack(0, [unsure], []), LEAST) is None

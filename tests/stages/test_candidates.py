"""What is proposed as a brand without a list, and what is left for people to decide."""

from __future__ import annotations

import pytest

from detect.candidates import CandidateRules, group_candidates
from detect.matching import NameIndex
from detect.text_rules import is_brand_like
from detect.types import Box, Candidate, Observation, Placement, Reading, TextTrack

RULES = CandidateRules(3, 0.75, 0.5, 2.0, 0.5, 100)
PLACE = Box(100, 100, 220, 130)


def text(
    words: str, first: int, count: int = 6, *, confidence: float = 0.95, box: Box = PLACE, votes: int = 2
) -> TextTrack:
    sequences = range(first, first + count)
    return TextTrack(
        track_id=0,
        readings=[Reading(words, confidence, votes, first, box)],
        observations=[Observation(sequence, box, 0.9) for sequence in sequences],
    )


def grown(*tracks: TextTrack, placement: Placement = "board") -> list[Candidate]:
    return group_candidates([(track, placement) for track in tracks], NameIndex(()), RULES, grow=True)


def proposed(*tracks: TextTrack) -> list[str]:
    return [one.text for one in grown(*tracks) if one.brand_like]


@pytest.mark.parametrize(
    "words",
    [
        "LIVE",
        "Replay",
        "GOAL!",
        "HALF TIME",
        "NORTH STAND",
        "FAIR PLAY",
        "ENJOY THE GAN",
        "TOSS",
        "Lap",
        "v",
        "12:04",
        "国AGOL",
        "ric",
        "#KALvOSM",
        "www.club.com",
        "a sentence of far too many words",
    ],
)
def test_words_of_every_broadcast_and_misreadings_are_no_brands(words):
    assert not is_brand_like(words, min_letters=3)


@pytest.mark.parametrize(
    "words",
    [
        "VELMORA",
        "Fair Isle Wool",
        "BKT",
        "quorzen",
        "Brimvolt 9",
        "写真館",
        "AGFA写真",
        "Goalmaster",
        "Penalty Shoes",
        "Jio",
    ],
)
def test_names_that_have_such_words_in_them_are(words):
    assert is_brand_like(words, min_letters=3)


def test_misspellings_and_pieces_are_one_proposal():
    spellings = (
        text("Fennbrook Dairy", 0, 4),
        text("Ferook Dairy", 10, 8),
        text("Fennb", 20, 5),
        text("brook Dai", 30, 3),
    )
    (found,) = grown(*spellings)
    assert (found.text, found.members) == ("Fennbrook Dairy", 4)


def test_a_longer_misreading_does_not_lead_a_name():
    (found,) = grown(text("Brimvolt 9", 0, 12, votes=9), text("RBimvolt 9g", 20, 1), text("Bmvolt", 30, 2))
    assert (found.text, found.members) == ("Brimvolt 9", 3)


def test_two_names_that_share_a_word_stay_two():
    both = proposed(text("cantabria labs", 0, 20), text("cantabria", 30, 4), text("HELIOCARE cantabria", 40, 9))
    assert sorted(both) == ["HELIOCARE cantabria", "cantabria labs"]


def test_a_short_name_inside_a_word_is_not_a_piece_of_it():
    assert sorted(proposed(text("RIQ", 0, 20), text("TARIQ STRIQUE", 30))) == ["RIQ", "TARIQ STRIQUE"]


def test_what_was_read_unsurely_is_left_to_people():
    (found,) = grown(text("BOYTESHE", 0, confidence=0.8))
    assert not found.brand_like


def number(first: int, box: Box, count: int = 6) -> TextTrack:
    return text("23", first, count, box=box)


def test_a_name_over_a_shirt_number_is_a_players():
    assert proposed(text("HALVORD", 0), number(0, Box(130, 135, 180, 190))) == []
    (found,) = grown(text("HALVORD", 0), number(0, Box(130, 135, 180, 190)))
    assert found.text == "HALVORD"


@pytest.mark.parametrize(
    "place",
    [Box(230, 100, 260, 130), Box(130, 40, 180, 95), Box(130, 135, 160, 160), Box(130, 300, 180, 360)],
    ids=["beside", "above", "no taller", "far below"],
)
def test_a_number_elsewhere_says_nothing(place):
    assert proposed(text("HALVORD", 0), number(0, place)) == ["HALVORD"]


def test_a_sponsor_is_seen_without_numbers_too():
    worn = (text("VELMORA", 0), number(0, Box(130, 135, 180, 190)))
    assert proposed(*worn, text("VELMORA", 20), text("VELMORA", 40)) == ["VELMORA"]


def test_graphics_are_not_proposed():
    assert [one.brand_like for one in grown(text("VELMORA", 0), placement="overlay")] == [False]
    assert [one.brand_like for one in grown(text("VELMORA", 0), placement="led")] == [True]

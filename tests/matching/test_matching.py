"""Which texts are names of known brands, and which only look so."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.matching import NameIndex, fold, normalize, words
from detect.types import KnownBrandRecord

NAMES = NameIndex(
    [
        KnownBrandRecord("Velmora"),
        KnownBrandRecord("Cantor Labs", ("Cantor",)),
        KnownBrandRecord("Jio"),
        KnownBrandRecord("Dream10"),
        KnownBrandRecord("Kühl"),
        KnownBrandRecord("Skyways Airline"),
        KnownBrandRecord("Tova Neu"),
        KnownBrandRecord("Tova Go"),
    ]
)


def brand_of(text: str, **options: Any) -> tuple[str, str] | None:
    match = NAMES.match(text, min_similarity=0.8, **options)
    return None if match is None else (match.brand, match.rule)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VELMORA", ("Velmora", "exact")),
        ("V E L M O R A", ("Velmora", "exact")),
        ("© velmora ®", ("Velmora", "exact")),
        ("cantorlabs", ("Cantor Labs", "exact")),
        ("Cantor", ("Cantor Labs", "exact")),
        ("KUHL", ("Kühl", "exact")),
        ("j1o", ("Jio", "exact")),
        ("JlO", ("Jio", "exact")),
        ("DREAMIO", ("Dream10", "exact")),
        ("fly SKYWAYS AIRLINE today", ("Skyways Airline", "exact")),
        ("VelmoraFLYBETTER", ("Velmora", "inside")),
        ("Velnora", ("Velmora", "fuzzy")),
        ("ntorlabs", ("Cantor Labs", "fuzzy")),
        ("torlabs", ("Cantor Labs", "partial")),
        ("elmora", ("Velmora", "fuzzy")),
    ],
)
def test_texts_that_are_a_name(text, expected):
    assert brand_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "RAJIO",  # a short name inside a longer word
        "Jionic",
        "JIMMY",
        "Jim",  # short names take no edits
        "04:44",
        "TOVA",  # a piece that two brands share
        "labs",  # a piece too short to tell
        "Vel",
        "SEVILLA FC",
        "SKYWAYS AJ",  # a piece with a letter misread that is too little of the name
    ],
)
def test_texts_that_are_none(text):
    assert brand_of(text) is None


def test_pieces_can_be_refused():
    assert brand_of("torlabs", allow_partial=False) is None


@pytest.mark.parametrize("text", ["ways Airline", "kyways Airline", "Skyways Airli", "SKYWAYS AI"])
def test_all_but_a_part_of_one_word_tells_a_name(text):
    match = NAMES.match_cut(text)
    assert match is not None
    assert (match.brand, match.rule) == ("Skyways Airline", "partial")


@pytest.mark.parametrize("text", ["Airline", "Skyways", "ways Air", "a Neu", "SKYWAYS AIRLINE", "Skyways Airlines"])
def test_whole_words_and_pieces_cut_twice_tell_none(text):
    assert NAMES.match_cut(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ean10", ("Dream10", "partial")), ("ielmor", ("Velmora", "partial")), ("ielmo", ("Velmora", "partial"))],
)
def test_one_letter_of_a_long_piece_may_be_misread(text, expected):
    assert brand_of(text) == expected


names = st.text(alphabet=string.ascii_letters + "0123456789 éüñ&-.", min_size=1, max_size=20).filter(normalize)


@given(names)
def test_every_name_matches_itself_in_any_case_and_spacing(name):
    index = NameIndex([KnownBrandRecord(name)])
    for text in (name, name.upper(), f"  {name} ", name.replace(" ", "  ")):
        match = index.match(text, min_similarity=0.8)
        assert match is not None
        assert (match.brand, match.rule, match.similarity) == (name, "exact", 1.0)


@given(
    st.text(alphabet=string.ascii_lowercase, min_size=1, max_size=4),
    st.text(string.ascii_lowercase, min_size=2, max_size=8),
)
def test_short_names_never_match_inside_a_longer_word(name, rest):
    index = NameIndex([KnownBrandRecord(name)])
    for text in (name + rest, rest + name):
        if fold(text) != fold(name):
            assert index.match(text, min_similarity=0.5) is None


@given(st.text(max_size=40))
def test_folding_is_stable_and_any_text_can_be_matched(text):
    assert fold(fold(text)) == fold(text)
    assert normalize(normalize(text)) == normalize(text)
    assert all(words(text))
    match = NAMES.match(text, min_similarity=0.8)
    assert match is None or 0 < match.similarity <= 1


@given(st.permutations(["Velmora", "Velmoro", "Velmori"]))
def test_the_order_of_brands_does_not_matter(order):
    index = NameIndex([KnownBrandRecord(name) for name in order])
    match = index.match("Velmorb", min_similarity=0.8)
    assert match is not None
    assert match.brand == "Velmoro"


def test_suggestions_come_best_first_and_each_brand_once():
    suggested = NAMES.suggest("Velmara")
    assert suggested[0][0] == "Velmora"
    assert len({name for name, _ in suggested}) == len(suggested)

"""Finding an answer in what models write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.providers.answers import Answer
from detect.providers.failures import NonsenseError
from detect.providers.parsing import parse_answer

PLAIN = '{"is_brand": true, "brand": "Acme", "confidence": 0.8, "reason": "red lettering"}'
ACME = Answer(is_brand=True, brand="Acme", confidence=0.8, reason="red lettering")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"```json\n{PLAIN}\n```",
        f"Sure! Here it is:\n{PLAIN}\nLet me know {{if}} you need more.",
        f'<think>maybe {{"is_brand": false, "brand": "", "confidence": 1}}</think>{PLAIN}',
        f'First I thought {{"is_brand": false, "brand": "", "confidence": 0.2}}, but then: {PLAIN}',
        '{"is_brand": "true", "brand": "Acme", "confidence": "0.8", "reason": "red lettering", "mood": "good"}',
        '{"is_brand": true, "brand": " Ac\\u0000me", "confidence": 0.8, "reason": "red\\n lettering"}'.replace(
            "Ac\\u0000me", "\\tAcme"
        ),
    ],
)
def test_an_answer_is_found_whatever_is_around_it(text: str) -> None:
    assert parse_answer(text) == ACME


def test_where_there_is_no_brand_no_name_is_needed_or_kept() -> None:
    no_brand = Answer(is_brand=False, brand="", confidence=0.7)
    assert parse_answer('{"is_brand": false, "brand": null, "confidence": 0.7}') == no_brand
    assert parse_answer('{"is_brand": false, "confidence": 0.7}') == no_brand
    assert parse_answer('{"is_brand": false, "brand": "none", "confidence": 0.7}') == no_brand


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "an empty answer"),
        ("I see a red board.", "'I see a red board.'"),
        ('{"is_brand": true, "brand": "Acme", "confidence": 0.8', "no JSON object"),
        ('{"is_brand": true, "brand": "Acme"}', "confidence"),
        ('{"is_brand": true, "brand": "Acme", "confidence": 80}', "<= 1"),
        ('{"is_brand": true, "brand": "Acme", "confidence": -0.1}', ">= 0"),
        ('{"is_brand": true, "brand": "Acme", "confidence": NaN}', "no JSON object"),
        ('{"is_brand": true, "brand": "Acme", "confidence": "high"}', "confidence"),
        ('{"is_brand": "perhaps", "brand": "Acme", "confidence": 0.5}', "is_brand"),
        ('{"is_brand": true, "brand": ["Acme"], "confidence": 0.5}', "brand"),
        ('{"is_brand": true, "brand": " - ", "confidence": 0.9}', "a brand without a name"),
        ('[true, "Acme", 0.9]', "no JSON object"),
        ("<think>{" + PLAIN, "no JSON object"),
    ],
)
def test_nonsense_is_told_as_such(text: str, told: str) -> None:
    with pytest.raises(NonsenseError) as caught:
        parse_answer(text)
    assert told in caught.value.message


def test_names_are_cleaned_and_of_bounded_length() -> None:
    answer = parse_answer(json.dumps({"is_brand": True, "brand": "A\x1b[31m\n b" + "c" * 999, "confidence": 1}))
    assert answer.brand.startswith("A [31m bc")
    assert len(answer.brand) == 120


@given(
    is_brand=st.booleans(),
    brand=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40),
    confidence=st.floats(0, 1),
    before=st.text(st.characters(exclude_characters="{<", exclude_categories=["Cs"])),
    after=st.text(st.characters(exclude_characters="{<", exclude_categories=["Cs"])),
)
def test_any_answer_survives_any_wrapping(
    is_brand: bool, brand: str, confidence: float, before: str, after: str
) -> None:
    written = json.dumps({"is_brand": is_brand, "brand": brand, "confidence": confidence, "reason": ""})
    expected = Answer(is_brand=is_brand, brand=brand if is_brand else "", confidence=confidence)
    assert parse_answer(before + written + after) == expected


@given(st.text(max_size=300))
def test_any_text_is_an_answer_or_nonsense(text: str) -> None:
    try:
        assert 0 <= parse_answer(text).confidence <= 1
    except NonsenseError as error:
        assert error.message.startswith("it answered nonsense")

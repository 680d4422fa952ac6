"""Finding the answer in what a model wrote."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from detect.providers.answers import Answer
from detect.providers.failures import NonsenseError

_THINKING = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
_MAX_BRAND = 120
_MAX_REASON = 300
_SHOWN = 80


def parse_answer(text: str) -> Answer:
    """The last JSON object in ``text`` that is an answer, whatever is written around it.

    Raises ``NonsenseError`` when there is none, telling what is wrong with the last object there is.
    """
    problem = f"no JSON object in {_shown(text)}"
    found: Answer | None = None
    for value in _json_objects(_THINKING.sub("", text)):
        try:
            found = _as_answer(value)
        except ValueError as error:
            problem = str(error)
    if found is None:
        raise NonsenseError(f"it answered nonsense: {problem}")
    return found


def _as_answer(value: dict[str, Any]) -> Answer:
    # Where there is no brand, models leave the name out or write null.
    value = {**value, "brand": "" if value.get("brand") is None else value["brand"]}
    try:
        answer = msgspec.convert(value, Answer, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    brand = _clean(answer.brand, _MAX_BRAND)
    if answer.is_brand and not any(character.isalnum() for character in brand):
        raise ValueError("a brand without a name")
    return Answer(
        is_brand=answer.is_brand,
        brand=brand if answer.is_brand else "",
        confidence=answer.confidence,
        reason=_clean(answer.reason, _MAX_REASON),
    )


def _json_objects(text: str) -> list[dict[str, Any]]:
    """Outermost JSON objects in ``text``, in order."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    found: list[dict[str, Any]] = []
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            found.append(value)
        start = text.find("{", end)
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _clean(text: str, length: int) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:length].strip()


def _shown(text: str) -> str:
    short = _clean(text, _SHOWN)
    return repr(short) if short else "an empty answer"

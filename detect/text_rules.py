"""What kind of text it is, judged by its characters alone: scores and clocks are never brands."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"^\W*\d{1,3}\s*[:.'′]\s*\d{0,2}\W*$")
_SCORE = re.compile(r"^\W*\d{1,4}\s*[-–/:]\s*\d{1,4}\W*$")
_HANDLE = re.compile(r"^\s*[#@]|https?:|www\.", re.IGNORECASE)
_MEASURE = re.compile(r"^\W*[\d.,]+\s*(kph|km/?h|mph|m|s|%|st|nd|rd|th|min|lap|laps|overs?)\W*$", re.IGNORECASE)
_MAX_WORDS = 4


def is_figure(text: str) -> bool:
    """Clocks, scores, speeds, shirt numbers: text whose letters, if any, are only a unit."""
    if not any(char.isalpha() for char in text):
        return True
    return any(pattern.match(text) for pattern in (_CLOCK, _SCORE, _MEASURE))


def is_brand_like(text: str, *, min_letters: int) -> bool:
    """Whether an unknown text could be a brand's lettering: some letters, few digits, few words, no hashtag."""
    letters = sum(char.isalpha() for char in text)
    digits = sum(char.isdigit() for char in text)
    if is_figure(text) or _HANDLE.search(text) or letters < min_letters or digits > letters:
        return False
    return len(text.split()) <= _MAX_WORDS

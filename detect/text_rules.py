"""What kind of text it is, judged by its characters and words alone: scores, clocks and captions are never brands."""

from __future__ import annotations

import re
import unicodedata

_CLOCK = re.compile(r"^\W*\d{1,3}\s*[:.'′]\s*\d{0,2}\W*$")
_SCORE = re.compile(r"^\W*\d{1,4}\s*[-–/:]\s*\d{1,4}\W*$")
_HANDLE = re.compile(r"^\s*[#@]|https?:|www\.", re.IGNORECASE)
_MEASURE = re.compile(r"^\W*[\d.,]+\s*(kph|km/?h|mph|m|s|%|st|nd|rd|th|min|lap|laps|overs?)\W*$", re.IGNORECASE)
_MAX_WORDS = 4
_FEW_LETTERS = 3
# One word of three may be misread, or cut by the picture's edge.
_USUAL_SHARE = 0.65
# What broadcasters and stadiums write in every match. A text of little but these is no brand's lettering.
_OF_BROADCASTS = """
live replay var goal goals offside penalty corner corners foul fouls substitution sub in out half time full extra added
halftime fulltime stoppage first second 1st 2nd score total aggregate agg leg round group final semi quarter toss over
overs ov wicket wickets wkt wkts run runs rr crr rrr fours sixes target need ball balls speed innings powerplay set sets
game games match point points serve ace deuce advantage break challenge lap laps pit gap interval leader sector pole
grid fastest stop stops drs position pos north south east west upper lower stand gate exit entrance block row welcome to
enjoy the fair play respect no racism thank you fans home away team player v vs and of at
"""
_BROADCAST_WORDS = frozenset(_OF_BROADCASTS.split())


def is_figure(text: str) -> bool:
    """Clocks, scores, speeds, shirt numbers: text whose letters, if any, are only a unit."""
    if not any(char.isalpha() for char in text):
        return True
    return any(pattern.match(text) for pattern in (_CLOCK, _SCORE, _MEASURE))


def is_brand_like(text: str, *, min_letters: int) -> bool:
    """Whether an unknown text could be a brand's lettering: some letters, few digits, few words, no hashtag.

    It is more than what every broadcast shows, and no misreading: those mix scripts, or are two or three small letters.
    """
    letters = sum(char.isalpha() for char in text)
    digits = sum(char.isdigit() for char in text)
    if is_figure(text) or _HANDLE.search(text) or letters < min_letters or digits > letters:
        return False
    words = text.split()
    usual = sum(word.strip(".,:;!?-–'\"").casefold() in _BROADCAST_WORDS for word in words)
    if len(words) > _MAX_WORDS or usual >= _USUAL_SHARE * len(words):
        return False
    return not (_mixes_scripts(text) or (letters <= _FEW_LETTERS and text == text.lower() and text != text.upper()))


def _mixes_scripts(text: str) -> bool:
    """One sign of Chinese, Japanese or Korean among Latin letters: recognition fell back on it for want of a better."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" and char.isalpha() for char in text)
    return wide == 1 and any(char.isascii() and char.isalpha() for char in text)

"""A transcript cut into captions that can be read: short ones, cut where people pause or end a sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from detect.formats.webvtt import Cue
from detect.types import Value

LINE = 42
_LINES = 2
_LONGEST = 7.0
# Silence of this length parts captions, as does the end of a sentence.
_PAUSE = 0.7
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "।")
# A caption that is cut because it is full is cut at a comma, if that leaves this share of it.
_CLAUSE_ENDS = (",", ";", ":", "،", "、", "，")
_SHARE = 0.4
# Shorter captions flash by; they last this long where the next leaves them the time.
_SHORTEST = 0.7


class SpokenWord(Value, frozen=True):
    """A word with its seconds and its speaker, 0 where nobody is known to say it.

    ``text`` begins with a space where the language writes one.
    """

    text: str
    start: float
    end: float
    probability: float
    speaker: int = 0


def captions(words: Sequence[SpokenWord]) -> list[Cue]:
    """Captions of at most two lines of 42 characters (wide ones count twice) and 7 s, none of which overlaps another.

    ``words`` are in order and do not overlap. A word that is longer than a line by itself is left whole.
    """
    groups = [piece for group in _groups(words) for piece in _fitting(group)]
    cues: list[Cue] = []
    for index, group in enumerate(groups):
        start = max(_rounded(group[0].start), cues[-1].end if cues else 0.0)
        follows = _rounded(groups[index + 1][0].start) if index + 1 < len(groups) else None
        end = max(_rounded(group[-1].end), _rounded(start + _SHORTEST))
        if follows is not None:
            end = min(end, max(follows, _rounded(group[-1].end)))
        voice = f"Speaker {group[0].speaker}" if group[0].speaker else ""
        cues.append(Cue(start, max(end, _rounded(start + 0.001)), _lines(_text(group)), voice))
    return cues


def _groups(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Words cut at pauses, ends of sentences and changes of speaker."""
    group: list[SpokenWord] = []
    for word in words:
        if group and (
            word.speaker != group[-1].speaker
            or word.start - group[-1].end >= _PAUSE
            or (len(group) > 1 and group[-1].text.rstrip().endswith(_SENTENCE_ENDS))
        ):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _fitting(group: list[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """A group in as many captions as it needs, about equally long, cut after a comma where there is one near."""
    while len(group) > 1 and not _fits(group):
        most = next(count for count in range(1, len(group)) if not _fits(group[: count + 1]))
        clauses = [count for count in range(1, most + 1) if count >= _SHARE * most and _ends_clause(group[count - 1])]
        cut = clauses[-1] if clauses else most
        # A last caption of one or two words reads badly.
        if not clauses and len(group) - cut < len(group) // 3 and _fits(group[(len(group) + 1) // 2 :]):
            cut = (len(group) + 1) // 2
        yield group[:cut]
        group = group[cut:]
    yield group


def _ends_clause(word: SpokenWord) -> bool:
    return word.text.rstrip().endswith(_CLAUSE_ENDS)


def _fits(group: Sequence[SpokenWord]) -> bool:
    if group[-1].end - group[0].start > _LONGEST or len(group) > _LINES * LINE:
        return False
    lines = _lines(_text(group))
    return len(lines) == 1 or all(_width(line) <= LINE for line in lines)


def _text(group: Sequence[SpokenWord]) -> str:
    return "".join(word.text for word in group).strip()


def _lines(text: str) -> tuple[str, ...]:
    """The text in one line, or in two that are as even as can be."""
    if _width(text) <= LINE:
        return (text,)
    breaks = [index for index, sign in enumerate(text) if sign == " "]
    if not breaks and any(unicodedata.east_asian_width(sign) in "WF" for sign in text):
        breaks = list(range(1, len(text)))
    if not breaks:
        return (text,)
    at = min(breaks, key=lambda index: max(_width(text[:index].strip()), _width(text[index:].strip())))
    return (text[:at].strip(), text[at:].strip())


def _width(text: str) -> int:
    """Columns that a text takes: Chinese, Japanese and Korean signs are two wide, marks on letters none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _rounded(seconds: float) -> float:
    return round(seconds, 3)

"""WebVTT, the captions that browsers show (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from detect.timecode import format_timecode
from detect.types import Value


class Cue(Value, frozen=True):
    """A text shown from ``start`` to ``end`` seconds, in lines; ``voice`` is who says it, empty where nobody knows."""

    start: float
    end: float
    lines: tuple[str, ...]
    voice: str = ""


def write_webvtt(cues: Sequence[Cue], *, notes: Iterable[str] = ()) -> str:
    """A WebVTT file of cues in order. ``notes`` are remarks at its top, which no player shows.

    Raises ``ValueError`` for a cue that has no text, does not last a millisecond, or begins before the one before it
    ends: players show such cues on top of each other, or not at all.
    """
    blocks = ["WEBVTT", *(f"NOTE {_one_line(note)}" for note in notes)]
    before = 0
    for number, cue in enumerate(cues, 1):
        start, end = _milliseconds(cue.start), _milliseconds(cue.end)
        lines = [_text(line) for line in cue.lines if line.strip()]
        if not before <= start < end or not lines:
            raise ValueError(
                f"cue {number}, {cue.start} to {cue.end}, is empty or does not follow on the one before it"
            )
        before = end
        if cue.voice:
            lines[0] = f"<v {_text(cue.voice)}>{lines[0]}"
            lines[-1] += "</v>"
        times = " --> ".join(format_timecode(Fraction(tick, 1000)) for tick in (start, end))
        blocks.append("\n".join([str(number), times, *lines]))
    return "\n\n".join(blocks) + "\n"


def _milliseconds(seconds: float) -> int:
    return round(Fraction(seconds) * 1000)


def _text(text: str) -> str:
    """One line of a cue's text, with the characters that mean something to WebVTT escaped."""
    return html.escape(_one_line(text), quote=False)


def _one_line(text: str) -> str:
    """An arrow would make a cue of a remark, and an empty line would end it."""
    return re.sub(r"\s+", " ", text.replace("\0", "")).replace("-->", "->").strip()

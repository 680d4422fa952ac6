"""RTTM, who speaks when, as tools for telling speakers apart read it (NIST's Rich Transcription, appendix A)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from detect.types import Value

_NONE = "<NA>"


class SpeakerTurn(Value, frozen=True):
    """``speaker`` speaks from ``start`` on for ``duration`` seconds."""

    speaker: str
    start: float
    duration: float


def write_rttm(file_id: str, turns: Iterable[SpeakerTurn]) -> str:
    """A line for each turn: type, file, channel, start, duration, and the speaker between fields that are not used.

    Spaces part fields, so those in names become underscores. Raises ``ValueError`` for a turn that begins before 0 or
    has no length.
    """
    lines = []
    for turn in turns:
        if turn.start < 0 or turn.duration <= 0:
            raise ValueError(f"a turn begins at 0 or later and lasts, got {turn}")
        times = f"{turn.start:.3f} {turn.duration:.3f}"
        lines.append(f"SPEAKER {_field(file_id)} 1 {times} {_NONE} {_NONE} {_field(turn.speaker)} {_NONE} {_NONE}\n")
    return "".join(lines)


def _field(text: str) -> str:
    """A name as one field: without spaces and control characters, and not read as a remark."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", "_", text.strip()).lstrip(";") or "unnamed"

"""What is known of a text beyond a reading of it that the picture's edge, or the reading itself, cut off.

``RIQ STRIQUE`` at the left edge is what is left of ``TARIQ STRIQUE``, which another frame shows whole: no word of it is
the name ``RIQ``. Where no frame shows more, a short name that begins or ends at the cut may still be a piece of another
word.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from detect.matching import fold
from detect.types import Reading, TextTrack

_SURE = 0.9
# A line's box as detection draws it ends so far inside the picture where it is cut off, in line heights.
_AT_EDGE = 0.15


class WholeTexts:
    """What was surely read anywhere in one source, whose pictures are ``width`` pixels wide."""

    def __init__(self, tracks: Iterable[TextTrack], width: int) -> None:
        self._width = width
        self._known: dict[str, str] = {}
        for track in tracks:
            for reading in track.readings:
                if reading.confidence >= _SURE:
                    self._known.setdefault(fold(reading.text), reading.text)
        self._forwards = sorted(self._known)
        self._backwards = sorted(folded[::-1] for folded in self._known)

    def cut(self, reading: Reading) -> tuple[bool, bool]:
        """Whether the picture cuts the text off on its left, on its right."""
        near = _AT_EDGE * reading.box.height
        return reading.box.x1 <= near, reading.box.x2 >= self._width - near

    def fuller(self, track: TextTrack, reading: Reading) -> Iterator[str]:
        """Texts of which the reading is the beginning or the end: of the same track, or of others where it is cut."""
        text = fold(reading.text)
        left, right = self.cut(reading)
        yield from self._longer(text, as_beginning=right, as_end=left)
        for other in track.readings:
            folded = fold(other.text)
            surer = other.confidence >= max(_SURE, reading.confidence) and other.votes >= reading.votes
            if surer and len(folded) > len(text) and (folded.endswith(text) or folded.startswith(text)):
                yield other.text

    def with_piece(self, reading: Reading) -> list[str]:
        """Texts that begin or end with what was read, cut off or covered by whatever."""
        return self._longer(fold(reading.text), as_beginning=True, as_end=True)

    def at_cut(self, reading: Reading, name: str) -> bool:
        """Whether a folded name lies at an end of the reading that the picture cuts off."""
        left, right = self.cut(reading)
        text = fold(reading.text)
        return (left and text.startswith(name)) or (right and text.endswith(name))

    def _longer(self, text: str, *, as_beginning: bool, as_end: bool) -> list[str]:
        """Known texts of which a folded one is the beginning, or the end, but not all; by their spelling."""
        if not text:
            return []
        found = set(_starting_with(self._forwards, text)) if as_beginning else set()
        if as_end:
            found |= {folded[::-1] for folded in _starting_with(self._backwards, text[::-1])}
        return [self._known[folded] for folded in sorted(found - {text})]


def _starting_with(texts: Sequence[str], beginning: str) -> Iterator[str]:
    """Those of sorted texts that start so, found without looking at the others: a match has thousands."""
    for place in range(bisect_left(texts, beginning), len(texts)):
        if not texts[place].startswith(beginning):
            return
        yield texts[place]

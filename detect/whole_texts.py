"""What is known of a text beyond a reading of it that the picture's edge, or the reading itself, cut off.

``RIQ STRIQUE`` at the left edge is what is left of ``TARIQ STRIQUE``, which another frame shows whole: no word of it is
the name ``RIQ``. Where no frame shows more, a short name that begins or ends at the cut may still be a piece of another
word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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

    def cut(self, reading: Reading) -> tuple[bool, bool]:
        """Whether the picture cuts the text off on its left, on its right."""
        near = _AT_EDGE * reading.box.height
        return reading.box.x1 <= near, reading.box.x2 >= self._width - near

    def fuller(self, track: TextTrack, reading: Reading) -> Iterator[str]:
        """Texts of which the reading is the beginning or the end: of the same track, or of others where it is cut."""
        text = fold(reading.text)
        left, right = self.cut(reading)
        if left or right:
            for folded, whole in self._known.items():
                if len(folded) > len(text) and (
                    (left and folded.endswith(text)) or (right and folded.startswith(text))
                ):
                    yield whole
        for other in track.readings:
            folded = fold(other.text)
            surer = other.confidence >= max(_SURE, reading.confidence) and other.votes >= reading.votes
            if surer and len(folded) > len(text) and (folded.endswith(text) or folded.startswith(text)):
                yield other.text

    def with_piece(self, reading: Reading) -> list[str]:
        """Texts that begin or end with what was read, cut off or covered by whatever."""
        text = fold(reading.text)
        return [
            whole
            for folded, whole in self._known.items()
            if len(folded) > len(text) and (folded.startswith(text) or folded.endswith(text))
        ]

    def at_cut(self, reading: Reading, name: str) -> bool:
        """Whether a folded name lies at an end of the reading that the picture cuts off."""
        left, right = self.cut(reading)
        text = fold(reading.text)
        return (left and text.startswith(name)) or (right and text.endswith(name))

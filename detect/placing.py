"""Where the texts of a whole video lie: what one shot alone cannot tell.

A graphic outlives cuts, and one that was told from the scene while a camera moved is a graphic in every other shot too.
LED boards that changed in one shot are there in the next, where one page may stay until its end: the same name three
times and more in a row is then theirs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace
from rapidfuzz.distance import Levenshtein

from detect.geometry import iou, iou_matrix
from detect.matching import fold
from detect.types import Box, TextTrack

if TYPE_CHECKING:
    from detect.stages.extract_frames import ExtractFramesOutput
    from detect.stages.filter_scenes import FilterScenesOutput
    from detect.stages.run_ocr import RunOcrOutput

_ALIKE_TEXT = 0.6
_SAME_PLACE, _VERY_PLACE = 0.3, 0.7
# How far a text that is fixed to the screen may seem to move, in parts of its height: boxes tremble.
_TREMBLE = 0.3
_LEAST_IN_ROW = 3
_OFF_ROW, _ROW_HEIGHTS = 0.8, 1.6
_LEAST_LETTERS = 3
_MOST_PLACES = 2000


@dataclass(frozen=True)
class _Place:
    """A text and where on the screen it stood still, from one sequence to another."""

    text: str
    box: Box
    first: int
    last: int


class Placing:
    """What is known of graphics and LED boards, gathered over a video's tracks in the order of time."""

    def __init__(self) -> None:
        self._graphics: dict[tuple[int, ...], _Place] = {}
        # the graphics and their boxes, while none is added
        self._places: list[_Place] = []
        self._boxes: npt.NDArray[np.float64] | None = None
        self._has_led = False
        self._shot = -1
        self._ending: list[TextTrack] = []

    @classmethod
    def of(
        cls,
        extracted: Sequence[ExtractFramesOutput],
        scenes: Sequence[FilterScenesOutput],
        texts: Sequence[RunOcrOutput],
    ) -> Placing:
        """What all chunks tell, in their order."""
        placing = cls()
        cuts = sorted({cut for scene in scenes for cut in scene.cuts})
        for chunk, found in zip(extracted, texts, strict=True):
            times = {sample.sequence: sample.timestamp for sample in chunk.samples}
            placing.learn(
                found.tracks, [bisect_right(cuts, times[track.observations[0].sequence]) for track in found.tracks]
            )
        return placing

    def learn(self, tracks: Iterable[TextTrack], shot_of: Sequence[int]) -> None:
        """Take in the next chunk's tracks; ``shot_of`` gives the number of the shot of each."""
        shots: defaultdict[int, list[TextTrack]] = defaultdict(list)
        for track, number in zip(tracks, shot_of, strict=True):
            shots[number].append(track)
            self._has_led |= track.context == "led"
            if track.context == "overlay":
                self._remember(track)
        for number in sorted(shots):
            seen = shots[number]
            if number == self._shot + 1 and self._ending:
                self._compare(self._ending, seen)
            if number == self._shot:
                seen = [*self._ending, *seen]
            last = max(track.observations[-1].sequence for track in seen)
            self._shot, self._ending = number, [track for track in seen if track.observations[-1].sequence == last]

    def settle(self, tracks: Sequence[TextTrack]) -> list[TextTrack]:
        """The tracks of a chunk, each with what it lies on by all that was learnt."""
        return [
            track if track.context == context else replace(track, context=context)
            for track, context in zip(tracks, self.contexts(tracks), strict=True)
        ]

    def contexts(self, tracks: Sequence[TextTrack]) -> list[str]:
        """What each track of a chunk lies on, with all that was learnt."""
        contexts = ["overlay" if self._is_graphic(track) else track.context for track in tracks]
        if self._has_led:
            beside = [number for number, context in enumerate(contexts) if context in ("board", "")]
            for number in _repeated_in_rows([tracks[number] for number in beside]):
                contexts[beside[number]] = "led"
        return contexts

    def _compare(self, ending: list[TextTrack], after: list[TextTrack]) -> None:
        """Texts that stay at their places over a cut are graphics, if anything else went with the cut."""
        first = min(track.observations[0].sequence for track in after)
        beginning = [track for track in after if track.observations[0].sequence == first and is_steady(track)]
        stayed = {
            number: other
            for number, track in enumerate(ending)
            if is_steady(track)
            for other in beginning
            if _alike(track, other) and iou(track.observations[-1].box, other.observations[0].box) >= _VERY_PLACE
        }
        if len(stayed) < len(ending):
            for number, other in stayed.items():
                self._remember(ending[number])
                self._remember(other)

    def _remember(self, track: TextTrack) -> None:
        box = track.observations[len(track.observations) // 2].box
        key = tuple(edge // 6 for edge in (box.x1, box.y1, box.x2, box.y2))
        if len(self._graphics) < _MOST_PLACES:
            self._boxes = None
            self._graphics.setdefault(key, _Place(_text(track), box, *_span(track)))

    def _is_graphic(self, track: TextTrack) -> bool:
        if track.context in ("overlay", "led") or not is_steady(track):
            return track.context == "overlay"
        if self._boxes is None:
            self._places = list(self._graphics.values())
            self._boxes = np.array([_corners(place.box) for place in self._places], np.float64).reshape(-1, 4)
        shared = iou_matrix([_corners(track.observations[0].box)], self._boxes)[0]
        return any(_is_at(self._places[index], track, shared[index]) for index in np.flatnonzero(shared >= _SAME_PLACE))


def _is_at(place: _Place, track: TextTrack, shared: float) -> bool:
    """Whether the track is the graphic that stood there, or another one at another time."""
    if Levenshtein.normalized_similarity(_text(track), place.text) >= _ALIKE_TEXT:
        return True
    first, last = _span(track)
    return shared >= _VERY_PLACE and last > first and (last < place.first or place.last < first)


def is_steady(track: TextTrack) -> bool:
    """Whether a text keeps its place on the screen."""
    boxes = np.array([(seen.box.x1 + seen.box.x2, seen.box.y1 + seen.box.y2) for seen in track.observations]) / 2
    heights = [seen.box.height for seen in track.observations]
    return float(np.abs(boxes - np.median(boxes, axis=0)).max()) <= _TREMBLE * float(np.median(heights)) + 1


def _repeated_in_rows(tracks: Sequence[TextTrack]) -> set[int]:
    """Indices of texts that stand three times or more in one row of some frame."""
    frames: defaultdict[int, list[tuple[int, Box]]] = defaultdict(list)
    for number, track in enumerate(tracks):
        if len(_text(track)) >= _LEAST_LETTERS:
            for seen in track.observations:
                frames[seen.sequence].append((number, seen.box))
    found: set[int] = set()
    for shown in frames.values():
        for number, box in shown:
            if number not in found:
                row = [other for other, place in shown if _in_row(box, place) and _alike(tracks[number], tracks[other])]
                boxes = [place for other, place in shown if other in row]
                if len(row) >= _LEAST_IN_ROW and _on_a_line(boxes):
                    found.update(row)
    return found


def _in_row(box: Box, other: Box) -> bool:
    """Whether two boxes may be of one row: alike in height, and beside rather than below one another."""
    low, high = sorted((max(1, box.height), max(1, other.height)))
    across = abs((box.y1 + box.y2) - (other.y1 + other.y2)) / 2
    along = abs((box.x1 + box.x2) - (other.x1 + other.x2)) / 2
    return high / low <= _ROW_HEIGHTS and across <= max(0.5 * low, 0.5 * along)


def _on_a_line(boxes: Sequence[Box]) -> bool:
    x = np.array([box.x1 + box.x2 for box in boxes]) / 2
    y = np.array([box.y1 + box.y2 for box in boxes]) / 2
    if np.ptp(x) < max(box.width for box in boxes):
        return False
    off = y - np.polyval(np.polyfit(x, y, 1), x)
    return float(np.abs(off).max()) <= _OFF_ROW * min(box.height for box in boxes)


def _alike(track: TextTrack, other: TextTrack) -> bool:
    text, said = _text(track), _text(other)
    if min(len(text), len(said)) >= _LEAST_LETTERS and (text in said or said in text):
        return True
    return Levenshtein.normalized_similarity(text, said) >= _ALIKE_TEXT


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.x1, box.y1, box.x2, box.y2


def _span(track: TextTrack) -> tuple[int, int]:
    return track.observations[0].sequence, track.observations[-1].sequence


def _text(track: TextTrack) -> str:
    return fold(track.readings[0].text)

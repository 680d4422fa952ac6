"""Names of which only pieces can be read: one text seen as two, and one whose middle is covered.

A text that is half outside the picture, or that someone stands in front of, is read as a text of its own. Where it lies
on the place of a text that named a brand, it is that text; and where two pieces stand as far apart on one line as the
letters between them are wide, they are the two ends of a name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rapidfuzz import fuzz

from detect.geometry import overlap_share
from detect.joining import union
from detect.matching import fold
from detect.types import Box, BrandDetection, Observation, Reading, TextTrack

# A piece lies on the place of its text, and is spelled like a part of the name.
_ON_PLACE, _LIKE_PART = 0.7, 70
_LEAST_LETTERS = 3
# The two ends of a name make up so much of it, and it has so many letters.
_LEAST_SHARE, _LONG_NAME = 0.55, 8
# How far the room between two ends may be from that of the letters that are missing there.
_LEAST_ROOM, _MOST_ROOM = 0.5, 1.7
_SAME_LINE, _SAME_HEIGHT = 0.5, 1.5


class NameEnds(NamedTuple):
    """The two ends of a brand's name on one line: the tracks that show them, the readings, and where they were seen."""

    brand: str
    first: TextTrack
    second: TextTrack
    readings: tuple[Reading, Reading]
    observations: list[Observation]


class _Piece(NamedTuple):
    """A reading that may be the beginning or the end of a name, folded; the track by its number."""

    number: int
    track: TextTrack
    reading: Reading
    text: str


def pieces_of_matched(
    tracks: Iterable[TextTrack], matched: Iterable[BrandDetection], spellings: Mapping[str, str]
) -> Iterator[tuple[TextTrack, Reading, str]]:
    """Tracks that show a part of a text that was matched, with the reading that says so and the brand.

    ``spellings`` are brands by folded name.
    """
    places: defaultdict[int, list[tuple[str, Box]]] = defaultdict(list)
    for detection in matched:
        for seen in detection.observations:
            places[seen.sequence].append((detection.brand, seen.box))
    for track in tracks:
        brands = {
            brand
            for seen in track.observations
            for brand, box in places.get(seen.sequence, ())
            if overlap_share(seen.box, box) >= _ON_PLACE and seen.box.height >= box.height / 2
        }
        reading = track.readings[0]
        text = fold(reading.text)
        like = {
            brand
            for name, brand in spellings.items()
            if brand in brands and len(text) <= len(name) and fuzz.partial_ratio(text, name) >= _LIKE_PART
        }
        if len(like) == 1 and len(text) >= _LEAST_LETTERS:
            yield track, reading, like.pop()


def names_with_covered_middle(
    tracks: Iterable[TextTrack], spellings: Mapping[str, str], least_confidence: float
) -> Iterator[NameEnds]:
    """Pairs of tracks that show the beginning and the end of one name, what lies between being covered."""
    names = [name for name in spellings if len(name) >= _LONG_NAME]
    pieces = sorted(_pieces(tracks, least_confidence), key=lambda piece: (-len(piece.text), piece.number, piece.text))
    endings: defaultdict[int, dict[int, _Piece]] = defaultdict(dict)
    for place, piece in enumerate(pieces):
        if any(name.endswith(piece.text) for name in names):
            for seen in piece.track.observations:
                endings[seen.sequence][place] = piece
    taken: set[tuple[int, int]] = set()
    for first in pieces:
        if not any(name.startswith(first.text) for name in names):
            continue
        beside = {
            place: piece for seen in first.track.observations for place, piece in endings.get(seen.sequence, {}).items()
        }
        for _, second in sorted(beside.items()):
            found = [name for name in names if _are_ends(first.text, second.text, name)]
            pair = first.number, second.number
            if pair[0] == pair[1] or pair in taken or len({spellings[name] for name in found}) != 1:
                continue
            observations = list(_together(first.track, second.track, len(first.text + second.text), len(found[0])))
            if observations:
                taken.add(pair)
                readings = first.reading, second.reading
                yield NameEnds(spellings[found[0]], first.track, second.track, readings, observations)


def _pieces(tracks: Iterable[TextTrack], least_confidence: float) -> Iterator[_Piece]:
    for number, track in enumerate(tracks):
        for reading in track.readings:
            text = fold(reading.text)
            if reading.confidence >= least_confidence and len(text) >= _LEAST_LETTERS:
                yield _Piece(number, track, reading, text)


def _are_ends(first: str, second: str, name: str) -> bool:
    known = len(first) + len(second)
    return name.startswith(first) and name.endswith(second) and _LEAST_SHARE * len(name) <= known < len(name)


def _together(first: TextTrack, second: TextTrack, known: int, letters: int) -> Iterator[Observation]:
    """Where both are seen on one line, as far apart as what is missing of ``letters`` beside the ``known`` is wide."""
    boxes = {seen.sequence: seen for seen in second.observations}
    for seen in first.observations:
        other = boxes.get(seen.sequence)
        if other is None:
            continue
        left, right = seen.box, other.box
        height = min(left.height, right.height)
        on_line = abs((left.y1 + left.y2) - (right.y1 + right.y2)) <= 2 * _SAME_LINE * height
        room = (right.x1 - left.x2) / max((left.width + right.width) / known, 1e-6) / (letters - known)
        if on_line and max(left.height, right.height) <= _SAME_HEIGHT * height and _LEAST_ROOM <= room <= _MOST_ROOM:
            yield Observation(seen.sequence, union(left, right), min(seen.confidence, other.confidence))

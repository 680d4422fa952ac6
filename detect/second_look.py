"""Reading again what resembles a known name: wider, where detection cut a letter off, and closer.

Other contrast or size makes recognition read the same again. Another cut of the line does not: a margin brings back
what detection left out (``KT`` of ``BKT``), a closer cut leaves out what lies above and below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec
import numpy as np
from msgspec.structs import replace

from detect.engines.ocr import TextLine, rectify
from detect.errors import FrameMissingError
from detect.matching import fold
from detect.stages.base import Image, StageContext
from detect.types import Box, Observation, Reading, Sample, TextTrack

# Margins beside the line and above and below it, in line heights.
_CUTS = ((0.5, -0.1), (0.0, -0.1))
# How many tracks of one text are read again in vain, or in one chunk.
_MOST_LOOKS = 24


class Look(msgspec.Struct, frozen=True):
    """What was read at a place, once for each way of cutting the line out."""

    lines: tuple[TextLine, ...]


class SecondLooks:
    """Reads tracks of one asset again, chunk by chunk, on up to ``frames`` frames each.

    A text that was read again often and always in vain is left alone: a scoreboard is seen in every shot. Where frames
    are not in storage any more nothing is read, and ``frames_missing`` tells so.
    """

    def __init__(self, ctx: StageContext, frames: int) -> None:
        self._ctx = ctx
        self._frames = frames
        self._in_vain: Counter[str] = Counter()
        self.looks = 0
        self.frames_missing = False

    def take(self, samples: Sequence[Sample], tracks: Iterable[TextTrack]) -> dict[int, TextTrack]:
        """Tracks of one chunk with what was read now added to their readings, by track number.

        What was read is remembered: it depends on frames and places alone.
        """
        chosen = self._chosen(tracks) if self._frames else []
        asked = sorted({place for track in chosen for place in _places(track, self._frames)}, key=_order)
        if not asked:
            return {}
        digests = {sample.sequence: sample.digest for sample in samples}
        depends_on = [
            [(digests.get(sequence, ""), box) for sequence, box in asked],
            _CUTS,
            self._ctx.resources.ocr_digest,
        ]
        try:
            looks = self._ctx.remember("second_looks", depends_on, list[Look], partial(_read, self._ctx, asked))
        except FrameMissingError:
            self.frames_missing = True
            return {}
        self.looks += len(looks)
        lines = {place: look.lines for place, look in zip(asked, looks, strict=True)}
        return {track.track_id: _with(track, _places(track, self._frames), lines) for track in chosen}

    def was_in_vain(self, track: TextTrack) -> None:
        """What is read as this one is was looked at again and no brand was found."""
        self._in_vain[fold(track.readings[0].text)] += 1

    def _chosen(self, tracks: Iterable[TextTrack]) -> list[TextTrack]:
        asked = self._in_vain.copy()
        chosen = []
        for track in tracks:
            text = fold(track.readings[0].text)
            asked[text] += 1
            if asked[text] <= _MOST_LOOKS:
                chosen.append(track)
        return chosen


def _with(
    track: TextTrack, places: Iterable[tuple[int, Box]], lines: Mapping[tuple[int, Box], tuple[TextLine, ...]]
) -> TextTrack:
    again = [(place, line) for place in places for line in lines[place] if any(map(str.isalnum, line.text))]
    return replace(track, readings=_merged(track.readings, again))


def _order(place: tuple[int, Box]) -> tuple[int, tuple[int, int, int, int]]:
    return place[0], place[1].to_xywh()


def _places(track: TextTrack, frames: int) -> list[tuple[int, Box]]:
    """Where a track is read again: where it was read best, and where it is largest."""
    best = track.readings[0]
    larger = sorted(track.observations, key=_by_size)
    places = [(best.sequence, best.box), *((seen.sequence, seen.box) for seen in larger)]
    once: dict[int, tuple[int, Box]] = {}
    for place in places:
        once.setdefault(place[0], place)
    return list(once.values())[:frames]


def _by_size(seen: Observation) -> tuple[int, float, int]:
    return -seen.box.height, -seen.confidence, seen.sequence


def _read(ctx: StageContext, asked: Iterable[tuple[int, Box]]) -> list[Look]:
    looks: list[Look] = []
    loaded: tuple[int, Image] | None = None
    for sequence, box in asked:
        if loaded is None or loaded[0] != sequence:
            ctx.checkpoint()
            loaded = (sequence, ctx.frames.load(sequence))
        cuts = [_cut(loaded[1], box, beside, above) for beside, above in _CUTS]
        looks.append(Look(tuple(ctx.resources.ocr.read_lines(cuts))))
    return looks


def _cut(image: Image, box: Box, beside: float, above: float) -> Image:
    across, down = beside * box.height, above * box.height
    left, right = max(0.0, box.x1 - across), min(float(image.shape[1]), box.x2 + across)
    top, bottom = box.y1 - down, box.y2 + down
    return rectify(image, np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32))


def _merged(readings: Sequence[Reading], again: Iterable[tuple[tuple[int, Box], TextLine]]) -> list[Reading]:
    """All readings of a track, each text once, with a vote for each time it was read."""
    merged = {reading.text: reading for reading in readings}
    for (sequence, box), line in again:
        known = merged.get(line.text, Reading(line.text, 0.0, 0, sequence, box))
        better = line.confidence > known.confidence
        merged[line.text] = Reading(
            text=line.text,
            confidence=max(line.confidence, known.confidence),
            votes=known.votes + 1,
            sequence=sequence if better else known.sequence,
            box=box if better else known.box,
            lattice=line.lattice if better else known.lattice,
        )
    return list(merged.values())

"""Reading again what resembles a known name: wider, where detection cut a letter off, and closer.

Other contrast or size makes recognition read the same again. Another cut of the line does not: a margin brings back
what detection left out (``KT`` of ``BKT``), a closer cut leaves out what lies above and below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import msgspec
import numpy as np

from detect.engines.ocr import TextLine, rectify
from detect.stages.base import Image, StageContext
from detect.types import Box, Observation, Reading, Sample, TextTrack

# Margins beside the line and above and below it, in line heights.
_CUTS = ((0.5, -0.1), (0.0, -0.1))


class Look(msgspec.Struct, frozen=True):
    """A place to be read again, and what was read there, once for each way of cutting the line out."""

    sequence: int
    box: Box
    lines: tuple[TextLine, ...] = ()


def look_again(
    ctx: StageContext, samples: Sequence[Sample], tracks: Sequence[TextTrack], frames: int
) -> Iterator[TextTrack]:
    """The tracks of one chunk with what is read when up to ``frames`` frames of each are read again.

    What was read is remembered: it depends on frames and places alone.
    """
    asked = sorted({place for track in tracks for place in _places(track, frames)}, key=lambda place: place[0])
    digests = {sample.sequence: sample.digest for sample in samples}
    depends_on = [[(digests.get(sequence, ""), box) for sequence, box in asked], _CUTS, ctx.resources.ocr_digest]
    looks = ctx.remember("second_looks", depends_on, list[Look], partial(_read, ctx, asked)) if asked else []
    seen = {(look.sequence, look.box): look.lines for look in looks}
    for track in tracks:
        again = [
            (place, line)
            for place in _places(track, frames)
            for line in seen[place]
            if any(map(str.isalnum, line.text))
        ]
        yield msgspec.structs.replace(track, readings=_merged(track.readings, again))


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
        lines = (ctx.resources.ocr.read_line(_cut(loaded[1], box, beside, above)) for beside, above in _CUTS)
        looks.append(Look(sequence, box, tuple(lines)))
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

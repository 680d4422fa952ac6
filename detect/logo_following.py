"""A logo that was found is followed through its shot, as texts are, rather than looked for anew.

A search misses a logo where it is blurred, half covered or small. Where the camera's motion takes it, its look in the
last frame tells it again; and a weak sight there, of the same brand, is no coincidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import msgspec
import numpy as np
from msgspec.structs import replace

from detect.geometry import iou, overlap_share
from detect.motion import (
    CameraMotion,
    Features,
    Gray,
    Matrix,
    Patch,
    Quad,
    cut_patch,
    find_patch,
    move_quad,
    patch_width,
)
from detect.motion import similarity as look_alike
from detect.stages.base import Image
from detect.types import Box

_SURE = 0.5
_LIKELY = 0.3
_SAME_PLACE = 0.3
_SAME_LOOK, _SAME_AS_FIRST = 0.8, 0.6
_REACH = 0.8  # patch heights around its place in which a logo is looked for
_LEAST_SIDE = 8
_LEAST_INSIDE = 0.9


class LogoSight(msgspec.Struct, frozen=True, array_like=True):
    """A reference picture recognised in one frame, or followed there: then as sure as the sight it comes from."""

    brand: str
    sequence: int
    box: Box
    confidence: float


@dataclass
class _Frame:
    """A frame of a shot; what following needs of it is made when it is asked for."""

    sequence: int
    load: Callable[[int], Image]
    motion: CameraMotion
    sights: list[LogoSight] = field(default_factory=list)

    @cached_property
    def gray(self) -> Gray:
        return cv2.cvtColor(self.load(self.sequence), cv2.COLOR_BGR2GRAY)

    @cached_property
    def features(self) -> Features:
        return self.motion.features(self.gray)

    def same(self, brand: str, box: Box) -> LogoSight | None:
        """The surest sight of a brand at this place."""
        near = [one for one in self.sights if one.brand == brand and iou(one.box, box) >= _SAME_PLACE]
        return max(near, key=lambda one: one.confidence, default=None)


def follow_logos(shot: Sequence[int], sights: Iterable[LogoSight], load: Callable[[int], Image]) -> list[LogoSight]:
    """All sights of a shot's frames, given by sequence in order, with those won by following; weak ones left out."""
    motion = CameraMotion()
    frames = [_Frame(sequence, load, motion) for sequence in shot]
    at = {frame.sequence: index for index, frame in enumerate(frames)}
    given = sorted(sights, key=lambda sight: (-sight.confidence, sight.brand, sight.sequence, sight.box.x1))
    for sight in given:
        frames[at[sight.sequence]].sights.append(sight)
    motions: dict[tuple[int, int], Matrix | None] = {}
    for sight in given:
        if sight.confidence >= _SURE:
            for step in (1, -1):
                _follow(frames, motions, at[sight.sequence], sight, step)
    return [sight for frame in frames for sight in frame.sights if sight.confidence >= _SURE]


def _follow(
    frames: list[_Frame], motions: dict[tuple[int, int], Matrix | None], index: int, seed: LogoSight, step: int
) -> None:
    """Add to the frames after (``step`` 1) or before (-1) the seed's what follows from it, until it is lost."""
    quad, first, last = _quad(seed.box), None, None
    while 0 <= index + step < len(frames):
        here, there = frames[index], frames[index + step]
        if (index, index + step) not in motions:
            motions[index, index + step] = here.motion.between(here.features, there.features)
        place = move_quad(quad, motions[index, index + step])
        found = there.same(seed.brand, _box(place))
        if found is not None and found.confidence >= seed.confidence:
            return  # what is as sure is followed by itself
        if found is not None and found.confidence >= _LIKELY:
            there.sights.remove(found)
            quad, last = _quad(found.box), None
        else:
            last = cut_patch(here.gray, quad, patch_width(quad)) if last is None else last
            first = last if first is None else first
            again = _found_again(there.gray, first, last, place)
            if again is None:
                return
            quad, last = again
        there.sights.append(replace(seed, sequence=there.sequence, box=_box(quad)))
        index += step


def _found_again(gray: Gray, first: Patch, last: Patch, place: Quad) -> tuple[Quad, Patch] | None:
    """Where a logo that looked like ``last``, and like ``first`` before, is around a place, and its look there."""
    quad, score = find_patch(gray, last, place, reach_x=_REACH, reach_y=_REACH)
    box = _box(quad)
    if score < _SAME_LOOK or min(box.width, box.height) < _LEAST_SIDE:
        return None
    if overlap_share(box, Box(0, 0, gray.shape[1], gray.shape[0])) < _LEAST_INSIDE:
        return None
    seen = cut_patch(gray, quad, last.shape[1])
    return (quad, seen) if look_alike(first, seen) >= _SAME_AS_FIRST else None


def _quad(box: Box) -> Quad:
    return np.array([(box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2)], np.float32)


def _box(quad: Quad) -> Box:
    """The box around a quad; rounded to the nearest pixel, lest it grows with every frame."""
    left, top, right, bottom = (round(float(edge)) for edge in (*quad.min(axis=0), *quad.max(axis=0)))
    return Box(left, top, right, bottom)

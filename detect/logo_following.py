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

from detect.geometry import iou
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

#: Confidence of a sight that is believed by itself, and followed.
SURE = 0.5
_LIKELY = 0.3
_SAME_PLACE = 0.3
_SAME_LOOK, _SAME_AS_FIRST = 0.8, 0.6
_HARDLY_LESS = 0.98
_REACH = 0.8  # patch heights around its place in which a logo is looked for
_LEAST_SIDE = 8
_LEAST_LEFT = 0.35  # of its area: what is left of a logo that leaves the picture


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
        if sight.confidence >= SURE:
            for step in (1, -1):
                _follow(frames, motions, at[sight.sequence], sight, step)
    return [sight for frame in frames for sight in frame.sights if sight.confidence >= SURE]


def _follow(
    frames: list[_Frame], motions: dict[tuple[int, int], Matrix | None], index: int, seed: LogoSight, step: int
) -> None:
    """Add to the frames after (``step`` 1) or before (-1) the seed's what follows from it, until it is lost."""
    quad, first = _quad(seed.box), None
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
            quad = _quad(found.box)
        else:
            whole = _area(quad)
            quad, place = _inside(quad, place, there.gray.shape)
            if _area(quad) < _LEAST_LEFT * seed.box.area:
                return
            if _area(quad) < _HARDLY_LESS * whole:
                first = None  # a part looks like itself, not like the whole
            last = cut_patch(here.gray, quad, patch_width(quad))
            first = last if first is None else first
            again = _found_again(there.gray, last, place, quad + place.mean(axis=0) - quad.mean(axis=0))
            if again is None:
                return
            quad = again
            if look_alike(first, cut_patch(there.gray, quad, first.shape[1])) < _SAME_AS_FIRST:
                return
        there.sights.append(replace(seed, sequence=there.sequence, box=_box(quad)))
        index += step


def _inside(quad: Quad, place: Quad, shape: tuple[int, ...]) -> tuple[Quad, Quad]:
    """A logo, and where it goes, without what leaves the picture there."""
    low, high = place.min(axis=0), place.max(axis=0)
    extent = np.maximum(high - low, 1e-3)
    limits = np.array([shape[1], shape[0]], np.float32)
    first, last = (np.clip(np.clip(edge, 0, limits) - low, 0, extent) / extent for edge in (low, high))
    return _part(quad, first, last), _part(place, first, last)


def _part(quad: Quad, first: Quad, last: Quad) -> Quad:
    """The box of a quad between two shares ``(x, y)`` of its extent."""
    low, extent = quad.min(axis=0), np.ptp(quad, axis=0)
    (left, top), (right, bottom) = low + first * extent, low + last * extent
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def _found_again(gray: Gray, look: Patch, *places: Quad) -> Quad | None:
    """Where what looks like ``look`` is around one of these places; None where nothing does."""
    tries = [find_patch(gray, look, place, reach_x=_REACH, reach_y=_REACH) for place in places]
    quad, score = max(tries, key=lambda tried: tried[1])
    return quad if score >= _SAME_LOOK and np.ptp(quad, axis=0).min() >= _LEAST_SIDE else None


def _area(quad: Quad) -> float:
    return float(np.ptp(quad, axis=0).prod())


def _quad(box: Box) -> Quad:
    return np.array([(box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2)], np.float32)


def _box(quad: Quad) -> Box:
    """The box around a quad; rounded to the nearest pixel, lest it grows with every frame."""
    left, top, right, bottom = (round(float(edge)) for edge in (*quad.min(axis=0), *quad.max(axis=0)))
    return Box(left, top, right, bottom)

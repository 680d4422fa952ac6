"""When a text came before its first sight and went after its last one, found on the frames between two samples.

From the sample that shows it a text is followed outwards, frame by frame, by its own appearance, until it is gone. Of
each frame it is said that the text is *there*, that it is *gone*, or neither: half faded, half outside the picture,
blurred, half covered. The edge lies between the last frame that has it and the first that has not, and is as uncertain
as these are apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np

from detect.motion import Gray, Matrix, Patch, Quad, cut_patch, find_patch, move_quad, similarity
from detect.text_tracks import Frame, Track
from detect.types import Edge

Side = Literal["appears", "vanishes"]

# Normalised cross-correlation with the last frame that showed the text, and with the sample.
_THERE, _GONE = 0.62, 0.45
_LIKE_SAMPLE = 0.4
# Contrast as a share of that on the sample: a text that fades keeps its pattern to the last.
_CLEAR, _FAINT = 0.6, 0.3
# Share of the text that lies in the picture.
_INSIDE, _OUTSIDE = 0.6, 0.35
_REACH = 0.7  # how far around its expected place a text is searched, line heights
_MIN_COLUMNS = 12


class State(Enum):
    """What a frame says of a text."""

    THERE = "there"
    UNSURE = "unsure"
    GONE = "gone"


@dataclass(frozen=True)
class Still:
    """A decoded frame between samples: when it appeared, seconds, and its grey levels."""

    at: float
    gray: Gray


@dataclass(frozen=True)
class Gap:
    """The time between two neighbouring samples: ``before`` appeared at ``since`` and was replaced at ``low``, the next
    one appeared at ``high``, seconds.
    """

    since: float
    low: float
    high: float


@dataclass(frozen=True)
class TrackEnd:
    """A text on the first or last kept frame that shows it, and where the neighbouring kept frame would have it."""

    track_id: int
    side: Side
    sequence: int
    quad: Quad
    patch: Patch
    beyond: Quad


def track_ends(
    track_id: int, track: Track, frames: Sequence[Frame], motions: Sequence[Matrix | None], *, fixed: bool
) -> list[TrackEnd]:
    """Both ends of a track in the frames of its shot; ``fixed`` says that the camera does not move it."""
    places = {frame.sequence: index for index, frame in enumerate(frames)}
    ends = []
    sides: tuple[tuple[Side, int, int], ...] = (("appears", 0, -1), ("vanishes", -1, 1))
    for side, which, step in sides:
        sight = track.sights[which]
        index = places[sight.sequence]
        width = max(anchor.shape[1] for anchor in track.anchors)
        beyond = sight.quad
        motion = _motion(motions, index, step)
        if not fixed and motion is not None:
            beyond = move_quad(sight.quad, motion)
        elif not fixed and len(track.sights) > 1:
            beyond = 2 * sight.quad - track.sights[which - step].quad
        patch = cut_patch(frames[index].gray, sight.quad, width)
        ends.append(TrackEnd(track_id, side, sight.sequence, sight.quad, patch, beyond))
    return ends


def find_edge(end: TrackEnd, stills: Sequence[Still], gap: Gap) -> Edge | None:
    """The edge inside ``gap``, or None where the frames do not tell.

    ``stills`` are in order of time; those outside the gap tell whether the text was there all along.
    """
    forwards = end.side == "vanishes"
    walk = _Walk(end, gap)
    inside = gap.low if forwards else gap.high
    outside: float | None = None
    missed: float | None = None
    before: State | None = None
    for still in stills if forwards else reversed(stills):
        if still.at < gap.low if forwards else still.at >= gap.high:
            continue
        state = walk.look(still)
        if state is State.GONE:
            if before is State.GONE:
                break
            outside = still.at if outside is None else outside
        elif state is State.THERE:
            # It was covered for a moment, or missed.
            missed = outside if missed is None else missed
            inside, outside = still.at, None
        before = state
    if before is None or (inside >= gap.high if forwards else inside < gap.low):
        return None
    if outside is None:
        outside = gap.high if forwards else gap.low
    first, second = sorted((min(max(outside, gap.low), gap.high), inside))
    middle = (first + second) / 2
    return Edge(round(middle, 6), round(max(second - middle, 0.0 if missed is None else abs(missed - middle)), 6))


class _Walk:
    """Looks for a text on one frame after another, each further away from the sample that shows it."""

    def __init__(self, end: TrackEnd, gap: Gap) -> None:
        length = max(gap.high - gap.since, 1e-3)
        self._sample = end.patch
        self._patch = end.patch
        self._quad = end.quad
        self._at = gap.since if end.side == "vanishes" else gap.high
        self._speed = (end.beyond - end.quad) / np.float32(length if end.side == "vanishes" else -length)

    def look(self, still: Still) -> State:
        """What a frame says; found there, the text is followed on from this frame."""
        moved = self._speed * np.float32(still.at - self._at)
        state, score, found = self._look_at(still.gray, self._quad + moved)
        if state is not State.THERE and float(np.abs(moved).max()) > 2:
            other = self._look_at(still.gray, self._quad)
            if other[1] > score:
                state, score, found = other
        if found is not None:
            quad, patch = found
            self._speed = (self._speed + (quad - self._quad) / np.float32(still.at - self._at)) / 2
            self._quad, self._at, self._patch = quad, still.at, patch
        return state

    def _look_at(self, gray: Gray, place: Quad) -> tuple[State, float, tuple[Quad, Patch] | None]:
        """State, similarity and, where the whole text was found, its place and looks."""
        share, left, right = _columns_inside(place, gray, self._patch.shape[1])
        if share < _OUTSIDE or right - left < min(_MIN_COLUMNS, self._patch.shape[1]):
            return State.GONE, 0.0, None
        whole = share >= _INSIDE and right - left == self._patch.shape[1]
        part = place if whole else _cut_columns(place, left, right, self._patch.shape[1])
        patch = self._patch if whole else np.ascontiguousarray(self._patch[:, left:right])
        quad, score = find_patch(gray, patch, part, reach_x=_REACH, reach_y=_REACH)
        if score < _GONE:
            return State.GONE, score, None
        seen = cut_patch(gray, quad, patch.shape[1])
        sample = self._sample if whole else self._sample[:, left:right]
        contrast = float(seen.std()) / max(float(sample.std()), 1e-3)
        if contrast < _FAINT:
            return State.GONE, score, None
        if score < _THERE or contrast < _CLEAR or share < _INSIDE or similarity(sample, seen) < _LIKE_SAMPLE:
            return State.UNSURE, score, None
        return State.THERE, score, (quad, seen) if whole else None


def _motion(motions: Sequence[Matrix | None], index: int, step: int) -> Matrix | None:
    """How the camera moved from a shot's frame to the one before or after it, None where that is not known."""
    place = index if step > 0 else index - 1
    if not 0 <= place < len(motions):
        return None
    matrix = motions[place]
    return matrix if matrix is None or step > 0 else np.linalg.inv(matrix)


def _columns_inside(quad: Quad, gray: Gray, columns: int) -> tuple[float, int, int]:
    """Which share of a quad lies in the picture, and from which to which of its columns."""
    height, width = gray.shape[:2]
    across = (np.arange(columns, dtype=np.float32) + 0.5) / columns
    share = np.zeros((4, columns), bool)
    for row, up in enumerate((0.125, 0.375, 0.625, 0.875)):
        left, right = quad[0] + up * (quad[3] - quad[0]), quad[1] + up * (quad[2] - quad[1])
        x, y = left[:, None] + across * (right - left)[:, None]
        share[row] = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    usable = np.flatnonzero(share.mean(axis=0) >= 0.75)
    if usable.size == 0:
        return float(share.mean()), 0, 0
    return float(share.mean()), int(usable[0]), int(usable[-1]) + 1


def _cut_columns(quad: Quad, left: int, right: int, columns: int) -> Quad:
    """The part of a quad between two of its columns."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    first, last = np.float32(left / columns), np.float32(right / columns)
    return np.array(
        [quad[0] + first * top, quad[0] + last * top, quad[3] + last * bottom, quad[3] + first * bottom], np.float32
    )

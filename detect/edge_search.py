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

import cv2
import numpy as np

from detect.motion import PATCH_HEIGHT, Gray, Matrix, Part, Patch, Quad, cut_patch, inside_columns, move_quad
from detect.text_tracks import Frame, Sight, Track
from detect.types import Edge

Side = Literal["appears", "vanishes"]

# Normalised cross-correlation with the last frame that showed the text, and with the sample.
_THERE, _GONE = 0.62, 0.45
_LIKE_SAMPLE = 0.4
# Contrast as a share of that on the sample: a text that fades keeps its pattern to the last.
_CLEAR, _FAINT = 0.6, 0.3
# Share of the text that lies in the picture, and the columns of it that are still compared.
_INSIDE, _OUTSIDE = 0.6, 0.35
_MIN_COLUMNS = 12
_REACH = 0.5, 0.3  # how far around its expected place a text is searched, line heights to the sides, up and down
_SURELY_GONE = 2  # frames in a row; one may be a miss
_TREMBLING = 0.25  # of a line's height, by which boxes of a text that moves with the scene are apart
_MOVED = 2.0  # pixels of expected motion from which the text may as well have stayed where it was


class State(Enum):
    """What a frame says of a text."""

    THERE = "there"
    UNSURE = "unsure"
    GONE = "gone"


@dataclass(frozen=True)
class Still:
    """A decoded frame: when it appeared, seconds, and its grey levels."""

    at: float
    gray: Gray


@dataclass(frozen=True)
class Gap:
    """Between two neighbouring samples: the first appeared at ``since`` and was replaced at ``low``, the second
    appeared at ``high``, seconds.
    """

    since: float
    low: float
    high: float


@dataclass(frozen=True)
class TrackEnd:
    """A text on the first or last kept frame that shows it, and where the neighbouring kept frame would have it.

    ``fixed`` says that it has its place on the screen, ``steady`` that it has moved with the scene, whose motion is
    known: either way it is known where it would be.
    """

    track_id: int
    side: Side
    sequence: int
    quad: Quad
    patch: Patch
    beyond: Quad
    fixed: bool = False
    steady: bool = False


@dataclass(frozen=True)
class _Look:
    """What one frame says of a text; with the place and looks of one that was found whole."""

    state: State
    score: float = 0.0
    quad: Quad | None = None
    patch: Patch | None = None


def track_ends(
    track_id: int, track: Track, frames: Sequence[Frame], motions: Sequence[Matrix | None], *, fixed: bool
) -> list[TrackEnd]:
    """Those ends of a track at which its text is not on the neighbouring frame of the shot.

    Where it is, another track goes on with it, or it was missed there: that is no edge. ``fixed`` says that the camera
    does not move the text.
    """
    index_of = {frame.sequence: index for index, frame in enumerate(frames)}
    width = max(anchor.shape[1] for anchor in track.anchors)
    ends = []
    sides: tuple[tuple[Side, list[Sight], int], ...] = (
        ("appears", track.sights[:2], -1),
        ("vanishes", track.sights[:-3:-1], 1),
    )
    for side, (sight, *inner), step in sides:
        index = index_of[sight.sequence]
        motion = _motion(motions, index, step)
        if fixed:
            beyond = sight.quad
        elif motion is not None:
            beyond = move_quad(sight.quad, motion)
        else:
            beyond = 2 * sight.quad - inner[0].quad if inner else sight.quad
        patch = cut_patch(frames[index].gray, sight.quad, width)
        if 0 <= index + step < len(frames):
            look = _look(frames[index + step].gray, beyond, patch, patch)
            if look.state is State.THERE:
                continue
        steady = motion is not None and _moved_with_scene(sight, inner, _motion(motions, index, -step))
        ends.append(TrackEnd(track_id, side, sight.sequence, sight.quad, patch, beyond, fixed, steady))
    return ends


def find_edge(end: TrackEnd, stills: Sequence[Still], gap: Gap) -> Edge | None:
    """The edge inside ``gap``, or None where the frames do not tell.

    ``stills`` are in order of time; those outside the gap tell whether the text was there all along.
    """
    forwards = end.side == "vanishes"
    if forwards:
        outward = [still for still in stills if still.at >= gap.low]
        known = _Known(inside=gap.low, boundary=gap.high)
    else:
        outward = [still for still in reversed(stills) if still.at < gap.high]
        known = _Known(inside=gap.high, boundary=gap.low)
    walk = _Walk(end, gap)
    last, step = -1, 2
    while last + 1 < len(outward):
        # Of frames that have it, and of those long after it was gone, every second one tells enough; but the last one
        # always, which tells whether the text was there all along.
        index = min(last + step, len(outward) - 1)
        state = walk.look(outward[index])
        if state is not State.THERE and known.gone == 0 and index > last + 1:
            step = 1
            continue
        known.take(outward[index].at, state)
        step = 2 if known.gone >= _SURELY_GONE else step
        last = index
    there_all_along = known.inside >= gap.high if forwards else known.inside < gap.low
    # Lost at once, it may have moved on by itself, as what people wear does.
    told = known.seen or ((end.fixed or end.steady) and known.outside is not None)
    return known.edge() if told and not there_all_along else None


@dataclass
class _Known:
    """What is known of an edge: the text was there at ``inside``, not any more at ``outside`` or else at ``boundary``.

    ``seen`` tells whether any frame has it, ``gone`` counts the frames in a row that lack it. Where it was seen again
    after it was surely gone, ``covered_at`` is the last moment before.
    """

    inside: float
    boundary: float
    outside: float | None = None
    covered_at: float | None = None
    gone: int = 0
    seen: bool = False

    def take(self, at: float, state: State) -> None:
        """Add what the next frame outwards says."""
        if state is State.GONE:
            self.outside = at if self.outside is None else self.outside
            self.gone += 1
            return
        if state is State.THERE:
            if self.gone >= _SURELY_GONE and self.covered_at is None:
                self.covered_at = self.inside
            self.inside, self.outside, self.seen = at, None, True
        self.gone = 0

    def edge(self) -> Edge:
        """Half way between inside and outside."""
        low, high = sorted((self.inside, self.boundary))
        outside = self.boundary if self.outside is None else min(max(self.outside, low), high)
        middle = (self.inside + outside) / 2
        known_from = self.inside if self.covered_at is None else self.covered_at
        return Edge(round(middle, 6), round(abs(known_from - middle), 6))


class _Walk:
    """Looks for a text on one frame after another, each further away from the sample that shows it."""

    def __init__(self, end: TrackEnd, gap: Gap) -> None:
        seconds = max(gap.high - gap.since, 1e-3)
        forwards = end.side == "vanishes"
        self._sample = self._patch = end.patch
        self._quad = end.quad
        self._at = gap.since if forwards else gap.high
        self._speed = (end.beyond - end.quad) / np.float32(seconds if forwards else -seconds)

    def look(self, still: Still) -> State:
        """What a frame says; found there, the text is followed on from this frame."""
        moved = self._speed * np.float32(still.at - self._at)
        look = _look(still.gray, self._quad + moved, self._patch, self._sample)
        if look.state is not State.THERE and float(np.abs(moved).max()) > _MOVED:
            stayed = _look(still.gray, self._quad, self._patch, self._sample)
            look = stayed if stayed.score > look.score else look
        if look.quad is not None and look.patch is not None:
            self._speed = (self._speed + (look.quad - self._quad) / np.float32(still.at - self._at)) / 2
            self._quad, self._at, self._patch = look.quad, still.at, look.patch
        return look.state


def _look(gray: Gray, place: Quad, patch: Patch, sample: Patch) -> _Look:
    """What a frame says of a text expected at ``place``, which looked like ``patch`` last and ``sample`` at first."""
    columns = patch.shape[1]
    share, left, right = inside_columns(place, gray, columns)
    if share < _OUTSIDE or right - left < min(_MIN_COLUMNS, columns):
        return _Look(State.GONE)
    whole = right - left == columns
    if not whole:
        part = Part(left / columns, right / columns)
        place, patch, sample = part.of_quad(place), part.of_patch(patch), part.of_patch(sample)
    quad, seen, score = _find(gray, place, patch)
    if score < _GONE:
        return _Look(State.GONE, score)
    contrast = _deviation(seen) / max(_deviation(sample), 1e-3)
    if contrast < _FAINT:
        return _Look(State.GONE, score)
    alike = float(cv2.matchTemplate(seen, sample, cv2.TM_CCOEFF_NORMED)[0, 0])
    if score < _THERE or contrast < _CLEAR or share < _INSIDE or alike < _LIKE_SAMPLE:
        return _Look(State.UNSURE, score)
    return _Look(State.THERE, score, quad, seen) if whole else _Look(State.THERE, score)


def _find(gray: Gray, place: Quad, patch: Patch) -> tuple[Quad, Patch, float]:
    """Where around ``place`` a frame looks most like ``patch``, its looks there, and how alike they are."""
    height, width = patch.shape
    aside, above = (round(reach * PATCH_HEIGHT) for reach in _REACH)
    window = cut_patch(gray, place, width, margin_x=_REACH[0], margin_y=_REACH[1])
    _, score, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED))
    right, down = np.float32((left - aside) / width), np.float32((top - above) / height)
    shift = (
        right * (place[1] - place[0] + place[2] - place[3]) / 2 + down * (place[3] - place[0] + place[2] - place[1]) / 2
    )
    return place + shift, window[top : top + height, left : left + width], float(score)


def _moved_with_scene(sight: Sight, inner: Sequence[Sight], inwards: Matrix | None) -> bool:
    """Whether the camera's motion alone took a text from its last sight but one to its last."""
    if not inner or inwards is None:
        return False
    height = float(np.ptp(sight.quad[:, 1]))
    moved = move_quad(sight.quad, inwards).mean(axis=0) - inner[0].quad.mean(axis=0)
    return float(np.abs(moved).max()) <= _TREMBLING * height


def _motion(motions: Sequence[Matrix | None], index: int, step: int) -> Matrix | None:
    """How the camera moved from a shot's frame to the one before or after it, None where that is not known."""
    place = index if step > 0 else index - 1
    if not 0 <= place < len(motions):
        return None
    matrix = motions[place]
    return matrix if matrix is None or step > 0 else np.linalg.inv(matrix)


def _deviation(patch: Patch) -> float:
    return float(cv2.meanStdDev(patch)[1][0, 0])

"""When a text came before its first sight and went after its last one, found on the frames between two samples.

From the sample that shows it a text is followed outwards, frame by frame, by its own appearance, until it is gone. Of
each frame it is said that the text is *there*, that it is *gone*, or neither: half faded, half outside the picture,
blurred, half covered. The edge lies between the last frame that has it and the first that has not, and is as uncertain
as these are apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detect.edge_looks import State, look_for
from detect.motion import Gray, Quad, similarity
from detect.text_following import is_faint
from detect.track_ends import TrackEnd
from detect.types import Edge

_SURELY_GONE = 2  # frames in a row; one may be a miss
_MOVED = 2.0  # pixels of expected motion from which the text may as well have stayed where it was
# Where it is not known how a text moves it may be further away at first, if it surely looks the same there.
_FAR, _SURELY_THE_SAME = (2.0, 1.0), 0.75
# It is on the sample behind a gap, too, where it looks like half of its detected looks, and as clear as them by half.
_LIKE_DETECTED, _CLEAR_AS_DETECTED = 0.5, 0.5


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
class Onward:
    """A text that was there all along a gap: where it is on the sample behind it, and how far its looks there correlate
    with those on detection.
    """

    quad: Quad
    alike: float


def find_edge(end: TrackEnd, stills: Sequence[Still], gap: Gap) -> Edge | Onward | None:
    """The edge inside ``gap``, or that the text was there all along it, or None where the frames do not tell.

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
    onward: Onward | None = None
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
        if state is State.THERE and onward is None and _is_behind(outward[index].at, gap, forwards=forwards):
            onward = walk.onward(outward[index].at)
        step = 2 if known.gone >= _SURELY_GONE else step
        last = index
    if _is_behind(known.inside, gap, forwards=forwards):
        return onward
    # Lost at once, it may have moved on by itself, as what people wear does.
    told = known.seen or ((end.fixed or end.steady) and known.outside is not None)
    return known.edge() if told else None


def _is_behind(at: float, gap: Gap, *, forwards: bool) -> bool:
    """Whether a moment lies beyond the gap, outwards: on its other sample or later."""
    return at >= gap.high if forwards else at < gap.low


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
        seconds = max(gap.high - gap.since, 1e-3) * (1 if end.side == "vanishes" else -1)
        self._end = end
        self._patch = end.patch
        self._quad = end.quad
        self._at = gap.since if end.side == "vanishes" else gap.high
        self._speed = (end.beyond - end.quad) / np.float32(seconds)
        self._knows_speed = end.fixed or end.steady

    def look(self, still: Still) -> State:
        """What a frame says; found there, the text is followed on from this frame."""
        moved = self._speed * np.float32(still.at - self._at)
        sample = self._end.patch
        look = look_for(still.gray, self._quad + moved, self._patch, sample)
        if look.state is not State.THERE and float(np.abs(moved).max()) > _MOVED:
            stayed = look_for(still.gray, self._quad, self._patch, sample)
            look = stayed if stayed.score > look.score else look
        if look.state is not State.THERE and not self._knows_speed:
            far = look_for(still.gray, self._quad + moved, self._patch, sample, _FAR)
            look = far if far.state is State.THERE and far.score >= _SURELY_THE_SAME else look
        if look.quad is not None and look.patch is not None:
            speed = (look.quad - self._quad) / np.float32(still.at - self._at)
            self._speed = (self._speed + speed) / 2 if self._knows_speed else speed
            self._quad, self._at, self._patch, self._knows_speed = look.quad, still.at, look.patch, True
        return look.state

    def onward(self, at: float) -> Onward | None:
        """The text as it is at a moment behind the gap; None where it is not surely still the one that was detected.

        What was half dissolved on its sample already resembles, to the last, what lies behind it.
        """
        anchors = self._end.anchors
        alike = sorted(similarity(anchor, self._patch) for anchor in anchors)
        if not alike or alike[(len(alike) - 1) // 2] < _LIKE_DETECTED:
            return None
        if is_faint(self._patch, anchors, _CLEAR_AS_DETECTED):
            return None
        return Onward(self._quad + self._speed * np.float32(at - self._at), alike[-1])

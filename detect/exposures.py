"""From the frames a brand was seen on to stretches of time, with honest edges.

Sampled frames are points; what happened between two of them is known only as far as the video itself tells:

* a frame is on screen until the next one, so nothing changes before that;
* a cut between two samples is the edge, exact to one frame;
* where the frames between two samples were searched, the edge is what was found there;
* else the edge is the middle of the unknown interval, uncertain by half of it;
* where no frames could be read for long, nothing is known: exposures end there and nothing is counted.

All times are seconds of the video. An *index* is a place in the timeline's samples (0 = first sample).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from detect.types import Edge

_SAME_TIME = 1e-6  # timestamps are stored with six decimals


@dataclass(frozen=True)
class FoundEdges:
    """What is known of the time between samples: when something seen on a sample came before it, went after it.

    ``starts`` and ``ends`` are by the place of that sample in the timeline. Of the samples in ``before`` it is known of
    everything seen there that it was not there before, of those in ``behind`` that it was gone after.
    """

    starts: Mapping[int, Edge] = field(default_factory=dict)
    ends: Mapping[int, Edge] = field(default_factory=dict)
    before: Collection[int] = frozenset()
    behind: Collection[int] = frozenset()


_NOTHING_FOUND = FoundEdges()


@dataclass(frozen=True)
class Span:
    """Samples ``first`` to ``last`` (both included) and the stretch of time they stand for."""

    first: int
    last: int
    start: Edge
    end: Edge

    @property
    def seconds(self) -> float:
        return self.end.time - self.start.time

    @property
    def indexes(self) -> range:
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class SampleClock:
    """When each sample was on screen, and where the picture was cut.

    ``sequences``, ``times`` (when the frame appeared) and ``until`` (when the next one replaced it) are parallel and
    sorted. ``cuts`` are the times of the first frame of each new shot, sorted. ``end`` is where the analysed video
    ends and ``frame_seconds`` how long one frame lasts. Between two samples further apart than ``hole_seconds`` the
    video could not be read. Raises ``ValueError`` where these do not fit together.
    """

    sequences: tuple[int, ...]
    times: tuple[float, ...]
    until: tuple[float, ...]
    end: float
    frame_seconds: float
    cuts: tuple[float, ...] = ()
    hole_seconds: float = math.inf
    _index: dict[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not len(self.sequences) == len(self.times) == len(self.until):
            raise ValueError(f"{len(self.sequences)} sequences, {len(self.times)} times, {len(self.until)} ends")
        if any(a >= b for a, b in pairwise(self.sequences)):
            raise ValueError("samples are not in order")
        if self.frame_seconds <= 0:
            raise ValueError(f"a frame lasts longer than {self.frame_seconds} s")
        shown = [moment for pair in zip(self.times, self.until, strict=True) for moment in pair]
        if any(a > b for a, b in pairwise([0.0, *shown, self.end])):
            raise ValueError("samples overlap, or lie outside the video")
        object.__setattr__(self, "_index", {sequence: index for index, sequence in enumerate(self.sequences)})

    def index(self, sequence: int) -> int | None:
        """Place of a sequence among the samples; None when it was never sampled."""
        return self._index.get(sequence)

    @property
    def readable_seconds(self) -> float:
        """How much of the video was analysed: all of it but the holes."""
        holes = (self.times[i] - self.until[i - 1] for i in range(1, len(self.times)) if self._is_hole(i))
        return self.end - math.fsum(holes)

    def start_of(self, index: int) -> Edge:
        """When something first seen on sample ``index`` came on screen."""
        if self._is_hole(index):
            return Edge(self.times[index], self.frame_seconds)
        cuts = self._cuts_before(index)
        if cuts:
            return self._at_cut(cuts)
        if index == 0:
            return Edge(0.0, self._at_least_a_frame(self.times[0] / 2))
        return self._between(index)

    def end_of(self, index: int) -> Edge:
        """When something last seen on sample ``index`` went off screen."""
        if self._is_hole(index + 1):
            return Edge(self.until[index], self.frame_seconds)
        cuts = self._cuts_before(index + 1)
        if cuts:
            return self._at_cut(cuts)
        if index == len(self.times) - 1:
            return Edge(self.end, self._at_least_a_frame((self.end - self.until[index]) / 2))
        return self._between(index + 1)

    def seconds_of(self, index: int) -> float:
        """How long sample ``index`` stands for what was on screen."""
        return self.end_of(index).time - self.start_of(index).time

    def bridge(self, present: Collection[int], longest: float, found: FoundEdges = _NOTHING_FOUND) -> set[int]:
        """``present`` with the samples between two of its members added, where the absence is a missed reading.

        That is an absence of at most ``longest`` seconds inside one shot, and not one that ``found`` tells of: what was
        there was seen to go, or what came to come.
        """
        filled = set(present)
        for left, right in pairwise(sorted(filled)):
            if right - left == 1 or self._has_cut(left, right) or left in found.behind or right in found.before:
                continue
            if self.start_of(right).time - self.end_of(left).time <= longest + _SAME_TIME:
                filled.update(range(left + 1, right))
        return filled

    def spans(self, present: Collection[int], found: FoundEdges = _NOTHING_FOUND) -> list[Span]:
        """Runs of neighbouring samples as stretches of time, in order; they never overlap.

        Where a run begins or ends at a sample that ``found`` knows the edge of, that is its edge.
        """
        runs: list[tuple[int, int]] = []
        for index in sorted(set(present)):
            if runs and index == runs[-1][1] + 1 and not self._is_hole(index):
                runs[-1] = (runs[-1][0], index)
            else:
                runs.append((index, index))
        return [Span(first, last, self._start(first, found), self._end(last, found)) for first, last in runs]

    def _start(self, index: int, found: FoundEdges) -> Edge:
        """As :meth:`start_of`, or what was found between the samples."""
        edge = found.starts.get(index)
        if edge is None or index == 0 or self._is_hole(index) or self._cuts_before(index):
            return self.start_of(index)
        return self._inside(edge, self.until[index - 1], self.times[index])

    def _end(self, index: int, found: FoundEdges) -> Edge:
        edge = found.ends.get(index)
        if edge is None or self._is_hole(index + 1) or self._cuts_before(index + 1):
            return self.end_of(index)
        return self._inside(edge, self.until[index], self.times[index + 1] if index + 1 < len(self.times) else self.end)

    def _inside(self, edge: Edge, low: float, high: float) -> Edge:
        """An edge where the samples on both sides allow it to be, no surer than a frame is long."""
        return Edge(min(max(edge.time, low), high), self._at_least_a_frame(edge.uncertainty))

    def _is_hole(self, index: int) -> bool:
        """Whether the video could not be read between samples ``index - 1`` and ``index``."""
        return 0 < index < len(self.times) and self.times[index] - self.until[index - 1] > self.hole_seconds

    def _between(self, index: int) -> Edge:
        """The unknown moment between samples ``index - 1`` and ``index``, in one shot."""
        low, high = self.until[index - 1], self.times[index]
        return Edge((low + high) / 2, self._at_least_a_frame((high - low) / 2))

    def _at_cut(self, cuts: Sequence[float]) -> Edge:
        """The one cut of an interval; of several the middle one, and the others are how far off it may be.

        What ends here and what starts here share the edge, so that a brand seen on both sides has no gap.
        """
        chosen = cuts[len(cuts) // 2]
        return Edge(chosen, self.frame_seconds + max(chosen - cuts[0], cuts[-1] - chosen))

    def _cuts_before(self, index: int) -> Sequence[float]:
        """Cuts after sample ``index - 1`` and up to sample ``index``; for ``len(times)``, up to the end."""
        low = 0 if index == 0 else bisect_right(self.cuts, self.times[index - 1] + _SAME_TIME)
        if index < len(self.times):
            return self.cuts[low : bisect_right(self.cuts, self.times[index] + _SAME_TIME)]
        return self.cuts[low : bisect_left(self.cuts, self.end - _SAME_TIME)]

    def _has_cut(self, left: int, right: int) -> bool:
        low = bisect_right(self.cuts, self.times[left] + _SAME_TIME)
        return low < len(self.cuts) and self.cuts[low] <= self.times[right] + _SAME_TIME

    def _at_least_a_frame(self, uncertainty: float) -> float:
        return max(uncertainty, self.frame_seconds)

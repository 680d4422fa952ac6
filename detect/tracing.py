"""Following boxes from sample to sample of one shot: what is one place, and where it was in between.

A result knows boxes on sampled frames. A *trace* is one place followed over neighbouring samples, as points between
which it moved in a straight line. It begins and ends where the report puts the edge of an exposure: where that was
found, at the cut, else half the way to the sample that does not show it. Where it was by then is a guess: it is taken
to have moved with the rest of the scene or, of graphics and people, to have stayed. What did not move at all is not
guessed.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import median
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from detect.exposures import SampleClock, Span
from detect.sightings import StandsFor, shown_on
from detect.types import Box, Observation

#: Two samples this many sampling steps apart still belong to one trace.
REACH = 1.5
# how far the same place may be from one sample to the next, in widths of its box, and how much it may grow
_STRIDE, _GROWTH = 1.5, 2.0
# the same for a place that was lost in between: less than from one board to its neighbour that says the same
_LEAP = 1.0
# what never moves further, as a share of the picture's width, is a graphic or tells nothing of a camera that moves
_STILL = 0.01
_DIGITS = 6

Points = npt.NDArray[np.float64]
"""``(n, 5)``: time in seconds; x, y, width and height as shares of the picture."""
Speed = tuple[float, float]
"""Pixels a second, to the right and down."""
NameT = TypeVar("NameT", bound=Hashable)


@dataclass(frozen=True)
class Trace(Generic[NameT]):
    """One place of ``name``. Where it was is known from ``seen_from`` to ``seen_to``; points beyond are guesses."""

    name: NameT
    points: Points
    seen_from: float
    seen_to: float

    @property
    def start(self) -> float:
        return float(self.points[0, 0])

    @property
    def end(self) -> float:
        return float(self.points[-1, 0])


@dataclass
class _Chain(Generic[NameT]):
    """A trace in the making: samples, and the box on each. ``in_scene`` tells what the camera passes over."""

    name: NameT
    in_scene: bool
    indexes: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    def add(self, index: int, box: Box) -> None:
        self.indexes.append(index)
        self.boxes.append(box)

    def take(self, later: _Chain[NameT]) -> None:
        """Go on with what ``later`` saw."""
        self.indexes += later.indexes
        self.boxes += later.boxes

    def strays(self) -> float:
        """How far it ever was from its first place, in pixels."""
        return max(math.hypot(*_shift(self.boxes[0], box)) for box in self.boxes)


class Tracer(Generic[NameT]):
    """Takes observations, name by name, and gives the traces of all of them in a picture of ``width`` x ``height``."""

    def __init__(self, clock: SampleClock, stands_for: StandsFor, *, width: int, height: int) -> None:
        self._clock, self._stands_for = clock, stands_for
        self._size = np.array([1, width, height, width, height], np.float64)
        self._still = _STILL * width
        steps = clock.sequences[-1] - clock.sequences[0] if clock.sequences else 0
        self._step = (clock.times[-1] - clock.times[0]) / steps if steps else clock.frame_seconds
        self._chains: list[_Chain[NameT]] = []
        self._starts: dict[tuple[NameT, int], float] = {}
        self._ends: dict[tuple[NameT, int], float] = {}

    def follow(
        self,
        name: NameT,
        observations: Iterable[Observation],
        *,
        in_scene: bool,
        surely: bool,
        spans: Sequence[Span] | None = None,
    ) -> None:
        """``surely`` says that boxes on neighbouring samples are known to be one place, however far it moved.

        ``in_scene`` is false of what does not stay where it is while the camera moves: graphics, people. With ``spans``
        observations outside of them are left out, and what begins or ends with one does so when it does. Raises
        ``ValueError`` for an observation on a sequence that was never sampled.
        """
        seen: defaultdict[int, list[Box]] = defaultdict(list)
        only = None if spans is None else {index for span in spans for index in span.indexes}
        for span in spans or ():
            self._starts[name, span.first], self._ends[name, span.last] = span.start.time, span.end.time
        for observation in observations:
            for _, index in shown_on(observation.sequence, self._clock, self._stands_for):
                if only is None or index in only:
                    seen[index].append(observation.box)
        going: list[_Chain[NameT]] = []
        for index in sorted(seen):
            going = [chain for chain in going if self._reaches(chain.indexes[-1], index)]
            boxes = seen[index]
            alone = surely and len(boxes) == len(going) == 1
            continued = {0: going[0]} if alone else _pair(going, boxes, _STRIDE)
            going = [continued.get(number) or _Chain(name, in_scene) for number in range(len(boxes))]
            for chain, box in zip(going, boxes, strict=True):
                if not chain.indexes:
                    self._chains.append(chain)
                chain.add(index, box)

    def traces(self) -> list[Trace[NameT]]:
        """All that was followed."""
        chains = self._joined()
        pans = self._pans(chains)
        return [self._trace(chain, pans) for chain in chains]

    def _joined(self) -> list[_Chain[NameT]]:
        """The chains, of which those that were lost and found again at the next sample are one."""
        joined: list[_Chain[NameT]] = []
        beginning: defaultdict[tuple[NameT, int], list[_Chain[NameT]]] = defaultdict(list)
        ended: defaultdict[tuple[NameT, int], list[_Chain[NameT]]] = defaultdict(list)
        for chain in sorted(self._chains, key=lambda chain: chain.indexes[0]):
            beginning[chain.name, chain.indexes[0]].append(chain)
        for (name, first), group in beginning.items():
            before = [chain for chain in ended[name, first - 1] if self._reaches(first - 1, first)]
            continued = _pair(before, [chain.boxes[0] for chain in group], _LEAP)
            for number, chain in enumerate(group):
                going = continued.get(number)
                if going is None:
                    going = chain
                    joined.append(chain)
                else:
                    going.take(chain)
                ended[name, going.indexes[-1]].append(going)
        return joined

    def _reaches(self, left: int, right: int) -> bool:
        """Whether a trace may go on from one sample to another: soon after it, in the same shot."""
        clock = self._clock
        cut = bisect_right(clock.cuts, clock.times[left])
        is_cut = cut < len(clock.cuts) and clock.cuts[cut] <= clock.times[right]
        return not is_cut and clock.times[right] - clock.until[left] <= REACH * self._step

    def _pans(self, chains: Iterable[_Chain[NameT]]) -> dict[int, Speed]:
        """How fast the scene moved from each sample to the next, as far as what lies in it tells.

        What stayed in its place has no say: some graphics are taken for boards.
        """
        found: defaultdict[int, list[Speed]] = defaultdict(list)
        for chain in chains:
            if chain.in_scene and chain.strays() > self._still:
                for at, left in enumerate(chain.indexes[:-1]):
                    if chain.indexes[at + 1] == left + 1:
                        found[left].append(self._speed(chain, at))
        return {left: (median(x for x, _ in speeds), median(y for _, y in speeds)) for left, speeds in found.items()}

    def _trace(self, chain: _Chain[NameT], pans: Mapping[int, Speed]) -> Trace[NameT]:
        clock, first, last = self._clock, chain.indexes[0], chain.indexes[-1]
        rows: list[list[float]] = []
        for index, box in zip(chain.indexes, chain.boxes, strict=True):
            rows.append([clock.times[index], *box.to_xywh()])
            if clock.until[index] - clock.times[index] > self._step:
                rows.append([clock.until[index], *box.to_xywh()])  # the picture stood still for as long
        seen_from, seen_to = rows[0][0], rows[-1][0]
        start = self._starts.get((chain.name, first), clock.start_of(first).time)
        end = self._ends.get((chain.name, last), clock.end_of(last).time)
        stayed = len(chain.indexes) > 1 and chain.strays() <= self._still
        follows = chain.in_scene and not stayed
        if start < seen_from:
            speed = (pans.get(first - 1) or pans.get(first)) if follows else None
            rows.insert(0, _carried(rows[0], start, speed))
        if end > seen_to:
            speed = (pans.get(last) or pans.get(last - 1)) if follows else None
            rows.append(_carried(rows[-1], end, speed))
        if stayed:
            seen_from, seen_to = rows[0][0], rows[-1][0]
        points: Points = np.round(np.array(rows, np.float64) / self._size, _DIGITS)
        return Trace(chain.name, points, round(seen_from, _DIGITS), round(seen_to, _DIGITS))

    def _speed(self, chain: _Chain[NameT], at: int) -> Speed:
        """Of a chain from one of its samples to the next."""
        seconds = self._clock.times[chain.indexes[at + 1]] - self._clock.times[chain.indexes[at]]
        right, down = _shift(chain.boxes[at], chain.boxes[at + 1])
        return (right / seconds, down / seconds) if seconds > 0 else (0.0, 0.0)


def _carried(row: Sequence[float], time: float, speed: Speed | None) -> list[float]:
    """A box as it was at another time, if it moved at that speed."""
    right, down = speed or (0.0, 0.0)
    seconds = time - row[0]
    return [time, row[1] + right * seconds, row[2] + down * seconds, row[3], row[4]]


def _pair(chains: Sequence[_Chain[NameT]], boxes: Sequence[Box], limit: float) -> dict[int, _Chain[NameT]]:
    """Chains by the number of the box that each goes on with, the nearest pairs first; both are used once.

    None is further than ``limit`` from its box, in widths.
    """
    distances = [
        (_distance(chain.boxes[-1], box), place, number)
        for (place, chain), (number, box) in product(enumerate(chains), enumerate(boxes))
    ]
    pairs: dict[int, int] = {}
    for distance, place, number in sorted(distances):
        if distance <= limit and number not in pairs and place not in pairs.values():
            pairs[number] = place
    return {number: chains[place] for number, place in pairs.items()}


def _distance(one: Box, other: Box) -> float:
    """Between their middles, in widths of the wider one; infinite for boxes of different size."""
    areas = sorted((max(1, one.area), max(1, other.area)))
    if areas[1] > _GROWTH * areas[0]:
        return math.inf
    return math.hypot(*_shift(one, other)) / max(1, one.width, other.width)


def _shift(one: Box, other: Box) -> tuple[float, float]:
    """From the middle of one box to that of another, right and down, in pixels."""
    return (other.x1 + other.x2 - one.x1 - one.x2) / 2, (other.y1 + other.y2 - one.y1 - one.y2) / 2

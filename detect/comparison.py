"""What one result shows and another does not: sightings gained, lost, renamed and moved.

A *sighting* is a brand on one kind of place over one interval: an exposure of a report. Of two results, left and
right, every sighting is in exactly one of these classes:

lost
    left only: no sighting of its brand on the right shares time with it
gained
    right only, the same way
renamed
    a lost and a gained sighting that are at the same place at the same time under two brands; it counts as neither
    lost nor gained. The same time: what they share is at least half of what they cover together. The same place: one
    picture of each, at most ``SAME_MOMENT`` seconds apart, whose boxes overlap by an IoU of at least half
moved
    on both sides, and it starts, ends or lies elsewhere: an edge is off by more than the uncertainties of both edges
    together, or placement or position differ
unchanged
    on both sides, and none of that

Sightings of one brand that share time are paired one to one: those of one placement first, then those that share most
time, of one position, and nearest in time. A sighting that shares time with some but was not paired (one stretch that
became two, or a board beside an overlay) counts as moved, to or from the one it would rather have been paired with.

The sides are alike: with left and right exchanged everything is the same, mirrored. A result compared with itself
shows no difference.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import msgspec

from detect.geometry import iou
from detect.report import ReportBrand, ReportExposure
from detect.types import Box, Value

SAME_MOMENT = 0.5
_SAME_TIME = 0.5
_SAME_PLACE = 0.5
_ROUNDING = 0.001  # reports give edges and uncertainties in milliseconds


class Sighting(Value, frozen=True):
    """One brand on one kind of place over one interval; seconds of the video."""

    brand: str
    exposure: ReportExposure

    @property
    def start(self) -> float:
        return self.exposure.start

    @property
    def end(self) -> float:
        return self.exposure.end


class Moved(Value, frozen=True):
    """The same brand on both sides, shifted: ``start_shift`` and ``end_shift`` are seconds, right minus left."""

    left: Sighting
    right: Sighting
    start_shift: float
    end_shift: float


class Renamed(Value, frozen=True):
    """The same place and time under two brands."""

    left: Sighting
    right: Sighting


class BrandTotal(Value, frozen=True):
    """Seconds of a brand on both sides; ``difference`` is right minus left."""

    brand: str
    left_seconds: float
    right_seconds: float
    difference: float


class Comparison(Value, frozen=True):
    """Differences in order of time, totals in order of their difference, largest first."""

    gained: list[Sighting]
    lost: list[Sighting]
    renamed: list[Renamed]
    moved: list[Moved]
    totals: list[BrandTotal]
    seconds_difference: float


def compare(left: Sequence[ReportBrand], right: Sequence[ReportBrand]) -> Comparison:
    """Compare the brands of two reports on the same video by the rules above."""
    before, after = _by_brand(left), _by_brand(right)
    order = _Order([one for side in (before, after) for found in side.values() for one in found])
    lost, gained, moved = [], [], []
    for brand in sorted({*before, *after}):
        pairing = _pair(before.get(brand, []), after.get(brand, []), order)
        lost += pairing.lost
        gained += pairing.gained
        moved += [*(pair for pair in pairing.pairs if _differs(*pair)), *pairing.parts]
    renamed = _renamed(lost, gained, order)
    totals = _totals(left, right)
    return Comparison(
        gained=sorted(_without(gained, [new for _, new in renamed]), key=order.of),
        lost=sorted(_without(lost, [old for old, _ in renamed]), key=order.of),
        renamed=[Renamed(old, new) for old, new in sorted(renamed, key=order.of_pair)],
        moved=[_moved(*pair) for pair in sorted(moved, key=order.of_pair)],
        totals=totals,
        seconds_difference=round(sum(total.difference for total in totals), 3),
    )


Pair = tuple[Sighting, Sighting]


class _Order:
    """Places of sightings in time; where they are alike in everything, they share a place, on whichever side."""

    def __init__(self, sightings: Sequence[Sighting]) -> None:
        edges = [(one.start, one.end, one.brand) for one in sightings]
        alike = Counter(edges)
        # Everything else about a sighting counts only where edges and brand do not tell it apart.
        identities = [
            (*edge, msgspec.json.encode(one.exposure) if alike[edge] > 1 else b"")
            for edge, one in zip(edges, sightings, strict=True)
        ]
        places = {identity: place for place, identity in enumerate(sorted(set(identities)))}
        self._places = {id(one): places[identity] for one, identity in zip(sightings, identities, strict=True)}

    def of(self, one: Sighting) -> int:
        return self._places[id(one)]

    def of_pair(self, pair: Pair) -> tuple[int, int]:
        """The same with the sides exchanged."""
        old, new = self.of(pair[0]), self.of(pair[1])
        return (old, new) if old <= new else (new, old)


@dataclass(frozen=True)
class _Pairing:
    """The sightings of one brand on both sides, put together; ``parts`` are what was left over, with its best pair."""

    pairs: list[Pair]
    parts: list[Pair]
    lost: list[Sighting]
    gained: list[Sighting]


def _by_brand(brands: Iterable[ReportBrand]) -> dict[str, list[Sighting]]:
    found: defaultdict[str, list[Sighting]] = defaultdict(list)
    for brand in brands:
        found[brand.name].extend(Sighting(brand.name, exposure) for exposure in brand.exposures)
    return found


def _pair(left: list[Sighting], right: list[Sighting], order: _Order) -> _Pairing:
    candidates = sorted(_overlapping(left, right), key=lambda at: _likeness(left[at[0]], right[at[1]], order))
    pairs = _one_to_one(candidates)
    best: tuple[dict[int, tuple[int, int]], ...] = ({}, {})
    for pair in candidates:
        best[0].setdefault(pair[0], pair)
        best[1].setdefault(pair[1], pair)
    paired = ({old for old, _ in pairs}, {new for _, new in pairs})
    parts = [pair for side in (0, 1) for number, pair in best[side].items() if number not in paired[side]]
    return _Pairing(
        pairs=[(left[old], right[new]) for old, new in pairs],
        parts=[(left[old], right[new]) for old, new in parts],
        lost=[one for number, one in enumerate(left) if number not in best[0]],
        gained=[one for number, one in enumerate(right) if number not in best[1]],
    )


def _renamed(lost: list[Sighting], gained: list[Sighting], order: _Order) -> list[Pair]:
    """Lost and gained sightings that are one, best pairs first. Those of one brand share no time, so are none."""
    alike = []
    for old, new in _overlapping(lost, gained):
        time, place = _shared_time(lost[old], gained[new]), _shared_place(lost[old], gained[new])
        if time >= _SAME_TIME and place >= _SAME_PLACE:
            alike.append(((-place, -time, order.of_pair((lost[old], gained[new]))), (old, new)))
    pairs = _one_to_one([pair for _, pair in sorted(alike)])
    return [(lost[old], gained[new]) for old, new in pairs]


def _one_to_one(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The first pair of each, in the order given."""
    chosen: list[tuple[int, int]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for old, new in pairs:
        if old not in taken[0] and new not in taken[1]:
            taken[0].add(old)
            taken[1].add(new)
            chosen.append((old, new))
    return chosen


def _overlapping(left: Sequence[Sighting], right: Sequence[Sighting]) -> Iterator[tuple[int, int]]:
    """Places of all pairs that share time, in work that grows with their number and not with left times right."""
    spans = sorted((one.start, one.end, number) for number, one in enumerate(right))
    starts = [start for start, _, _ in spans]
    latest_end = list(accumulate((end for _, end, _ in spans), max))
    for place, one in enumerate(left):
        for _, _, number in spans[bisect_left(latest_end, one.start) : bisect_right(starts, one.end)]:
            if _share_time(one, right[number]):
                yield place, number


def _share_time(one: Sighting, other: Sighting) -> bool:
    """Whether they share more than an edge; one that lasts no time shares the moment it lies on."""
    common = _common(one, other)
    return common > 0 or (common == 0 and (one.start == one.end or other.start == other.end))


def _common(one: Sighting, other: Sighting) -> float:
    """Seconds that both cover; below 0 where they lie apart."""
    return min(one.end, other.end) - max(one.start, other.start)


def _likeness(one: Sighting, other: Sighting, order: _Order) -> tuple[Any, ...]:
    """Sorts pairs of one brand, the one to be put together first; the same with the sides exchanged."""
    return (
        one.exposure.placement != other.exposure.placement,
        -_common(one, other),
        one.exposure.position != other.exposure.position,
        abs(one.start - other.start) + abs(one.end - other.end),
        order.of_pair((one, other)),
    )


def _differs(old: Sighting, new: Sighting) -> bool:
    one, other = old.exposure, new.exposure
    return (
        (one.placement, one.position) != (other.placement, other.position)
        or abs(one.start - other.start) > one.start_uncertainty + other.start_uncertainty + _ROUNDING
        or abs(one.end - other.end) > one.end_uncertainty + other.end_uncertainty + _ROUNDING
    )


def _shared_time(one: Sighting, other: Sighting) -> float:
    """Common time as a share of what both cover together, 0-1; 1 for two that last no time."""
    whole = max(one.end, other.end) - min(one.start, other.start)
    return _common(one, other) / whole if whole else 1.0


def _shared_place(one: Sighting, other: Sighting) -> float:
    """The largest IoU of two boxes that were on screen at the same moment."""
    return max(
        (
            iou(_box(seen.box), _box(shown.box))
            for seen in one.exposure.evidence
            for shown in other.exposure.evidence
            if abs(seen.time - shown.time) <= SAME_MOMENT
        ),
        default=0.0,
    )


def _box(xywh: tuple[int, int, int, int]) -> Box:
    x, y, width, height = xywh
    return Box(x, y, x + width, y + height)


def _moved(old: Sighting, new: Sighting) -> Moved:
    return Moved(old, new, round(new.start - old.start, 3), round(new.end - old.end, 3))


def _totals(left: Sequence[ReportBrand], right: Sequence[ReportBrand]) -> list[BrandTotal]:
    before, after = _seconds(left), _seconds(right)
    totals = [
        BrandTotal(brand, old, new, round(new - old, 3))
        for brand in sorted({*before, *after})
        for old, new in [(before.get(brand, 0.0), after.get(brand, 0.0))]
    ]
    return sorted(totals, key=lambda total: (-abs(total.difference), total.brand))


def _seconds(brands: Iterable[ReportBrand]) -> dict[str, float]:
    return {brand.name: brand.seconds for brand in brands}


def _without(sightings: list[Sighting], taken: list[Sighting]) -> list[Sighting]:
    gone = {id(one) for one in taken}
    return [one for one in sightings if id(one) not in gone]

"""Time in zones: when an object's anchor crossed a border, which stretches are visits, what they add up to.

The method and its formulas are in ``docs/pit-stop-timing.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from detect.tracked_paths import FrameTimes, TrackedPath
from detect.zone_polygons import Polygon
from detect.zones import Measure, Stop, Visit, Zone, ZoneTime

if TYPE_CHECKING:
    from detect.stages.time_zones import TimeZonesOutput

Cut = Literal["", "start", "end", "both"]
#: An anchor that gets no further across a border than this many standard deviations of its trembling, and not for
#: longer than this many seconds, has not crossed it.
_FLICKER_SIGMAS = 3.0
_FLICKER_SECONDS = 0.25
#: About 95 of 100 normally distributed errors are smaller than this many standard deviations.
_COVERING_SIGMAS = 2.0
#: Time to either side over which the speed of crossing a border is taken.
_SPEED_SECONDS = 0.1


class Timed(NamedTuple):
    """A time, and ± by how much it may be off; seconds."""

    seconds: float
    uncertainty: float


class Edge(NamedTuple):
    """A begin or an end: ``at`` seconds of the video, ± ``uncertainty``; ``cut`` where it was not seen to happen."""

    at: float
    uncertainty: float
    cut: bool


@dataclass(frozen=True)
class Stay:
    """A stretch of time inside, before it is decided whether it counts."""

    start: Edge
    end: Edge

    @property
    def seconds(self) -> float:
        return self.end.at - self.start.at


def cut_of(start: Edge, end: Edge) -> Cut:
    """Which ends were not seen to happen, as visits and stops tell it."""
    if start.cut and end.cut:
        return "both"
    return "start" if start.cut else "end" if end.cut else ""


def find_visits(
    path: TrackedPath, polygon: Polygon, times: FrameTimes, *, enter_seconds: float, leave_seconds: float
) -> list[Visit]:
    """One object's visits of a zone, in the order of time.

    Inside for less than ``enter_seconds`` is none. Outside, or out of sight, for less than ``leave_seconds`` does not
    end one. Either way the times are those of the crossings.
    """
    first, last = polygon.near(path.boxes, _FLICKER_SIGMAS * path.jitter("any"))
    if first == last:
        return []
    around = np.searchsorted(path.at, [path.at[first] - _SPEED_SECONDS, path.at[last - 1] + _SPEED_SECONDS])
    first, last = max(0, min(first - 2, int(around[0]))), min(len(path.at), max(last + 2, int(around[1])))
    crossing = _Border(path, polygon, times, first, last)
    visits: list[Stay] = []
    for stay in crossing.stays(leave_seconds):
        if visits and stay.start.at - visits[-1].end.at < leave_seconds:
            visits[-1] = Stay(visits[-1].start, stay.end)
        elif stay.seconds >= enter_seconds:
            visits.append(stay)
    return [
        Visit(
            start=stay.start.at,
            end=stay.end.at,
            track_id=path.track_id,
            label=path.label,
            start_uncertainty=stay.start.uncertainty,
            end_uncertainty=stay.end.uncertainty,
            cut=cut_of(stay.start, stay.end),
        )
        for stay in visits
    ]


class _Border:
    """One path's rows ``[first, last)`` against one polygon; outside of them the object is outside."""

    def __init__(self, path: TrackedPath, polygon: Polygon, times: FrameTimes, first: int, last: int) -> None:
        self.path, self.times, self.first = path, times, first
        self.at = path.at[first:last]
        self.frames = path.frames[first:last]
        self.depths = polygon.depths(path.boxes[first:last])
        self.inside: npt.NDArray[np.bool_] = self.depths > 0
        self.anchor = polygon.anchor
        self.flicker = _FLICKER_SIGMAS * path.jitter(polygon.anchor)

    def stays(self, leave_seconds: float) -> Iterator[Stay]:
        """Stretches inside, in the order of time, however short; flickers at the border are none."""
        both = self.inside[1:] & self.inside[:-1]
        unseen = np.flatnonzero((np.diff(self.frames) > 1) & both)
        lost = [
            row for row in unseen.tolist() if self._came(row + 1, row + 1).at - self._went(row, row).at >= leave_seconds
        ]
        for begin, end in zip([0, *(row + 1 for row in lost)], [*(row + 1 for row in lost), len(self.at)], strict=True):
            start: Edge | None = None
            before: int | None = None
            for entered, first, last in self._stretches(begin, end):
                edge = self._came(begin, first) if before is None else self._crossed(before, first)
                if entered:
                    start = edge
                elif start is not None:
                    yield Stay(start, edge)
                    start = None
                before = last
            if start is not None and before is not None:
                yield Stay(start, self._went(before, end - 1))

    def _stretches(self, begin: int, end: int) -> Iterator[tuple[bool, int, int]]:
        """``(inside, first row, last row)`` by turns inside and outside, flickers left out between them."""
        turns = np.flatnonzero(np.diff(self.inside[begin:end])) + 1 + begin
        open_stretch: tuple[bool, int, int] | None = None
        for first, after in zip([begin, *turns.tolist()], [*turns.tolist(), end], strict=True):
            if self._flickers(first, after):
                continue
            inside = bool(self.inside[first])
            if open_stretch is not None and open_stretch[0] == inside:
                open_stretch = (inside, open_stretch[1], after - 1)
                continue
            if open_stretch is not None:
                yield open_stretch
            open_stretch = (inside, first, after - 1)
        if open_stretch is not None:
            yield open_stretch

    def _flickers(self, first: int, after: int) -> bool:
        if self.at[after - 1] - self.at[first] >= _FLICKER_SECONDS:
            return False
        return bool(np.abs(self.depths[first:after]).max() <= self.flicker)

    def _came(self, row: int, sure: int) -> Edge:
        """The object comes into sight in ``row``, at the border perhaps, and is surely inside from ``sure`` on."""
        at, uncertainty = self.times.appeared(int(self.frames[row]))
        return Edge(at, uncertainty + float(self.at[sure] - self.at[row]), cut=True)

    def _went(self, sure: int, row: int) -> Edge:
        at, uncertainty = self.times.vanished(int(self.frames[row]))
        return Edge(at, uncertainty + float(self.at[row] - self.at[sure]), cut=True)

    def _crossed(self, before: int, after: int) -> Edge:
        """The crossing between rows on different sides of the border.

        Where the anchor trembled to and fro between them, it is put so that the time inside remains the same.
        """
        rows = np.arange(before, after)
        flips = rows[self.inside[rows] != self.inside[rows + 1]]
        share = self.depths[flips] / (self.depths[flips] - self.depths[flips + 1])
        instants = self.at[flips] + share * (self.at[flips + 1] - self.at[flips])
        to_and_fro = np.diff(instants)
        if self.inside[after]:
            at = float(instants[-1] - to_and_fro[0::2].sum())
        else:
            at = float(instants[0] + to_and_fro[1::2].sum())
        return Edge(at, self._uncertainty(at), cut=False)

    def _uncertainty(self, at: float) -> float:
        """Half the time between the sights around ``at``, and the time that the trembling means at this speed."""
        after = min(max(int(np.searchsorted(self.at, at, "right")), 1), len(self.at) - 1)
        early, late = float(self.at[after - 1]), float(self.at[after])
        half = (late - early) / 2
        sigma = self.path.jitter(self.anchor, at)
        trembling = 0.0
        if sigma > 0:
            speed = abs(self._speed(at, after))
            trembling = min(_COVERING_SIGMAS * sigma / speed if speed else math.inf, self._reach(at, after, sigma))
        if self.frames[after] - self.frames[after - 1] > 1:
            return min(half + trembling, max(at - early, late - at))
        return half + trembling

    def _speed(self, at: float, after: int) -> float:
        """Slope of the depth around a crossing by least squares, pixels a second."""
        low, high = np.searchsorted(self.at, [at - _SPEED_SECONDS, at + _SPEED_SECONDS])
        rows = slice(min(int(low), max(0, after - 2)), max(int(high), after + 2))
        seconds = self.at[rows] - self.at[rows].mean()
        return float((seconds * self.depths[rows]).sum() / (seconds**2).sum())

    def _reach(self, at: float, after: int, sigma: float) -> float:
        """How far from ``at`` the nearest rows are that are clear of the border."""
        clear = np.abs(self.depths) > _FLICKER_SIGMAS * sigma
        earlier, later = np.flatnonzero(clear[:after]), np.flatnonzero(clear[after:])
        start = self.at[earlier[-1]] if len(earlier) else self.at[0]
        end = self.at[after + later[0]] if len(later) else self.at[-1]
        return float(max(at - start, end - at))


def zone_time(zone: Zone, visits: Sequence[Visit]) -> ZoneTime:
    """What the visits of a zone add up to: an instant counts once, however many were inside."""
    ordered = sorted(visits, key=lambda visit: (visit.start, visit.end, visit.track_id))
    total = _total(_union(ordered))
    return ZoneTime(
        name=zone.name, measure=zone.measure, seconds=total.seconds, uncertainty=total.uncertainty, visits=ordered
    )


def zone_clock(zone: ZoneTime, at: float) -> tuple[float, bool]:
    """How long somebody has been inside by ``at`` seconds of the video, and whether somebody is at that moment."""
    total, until = 0.0, -math.inf
    for visit in zone.visits:
        if visit.start > at:
            break
        total += max(0.0, min(visit.end, at) - max(visit.start, until))
        until = max(until, visit.end)
    return total, until > at


def stop_clock(stop: Stop, at: float) -> tuple[float, bool]:
    """How long the car has been standing by ``at`` seconds of the video, and whether it stands at that moment."""
    return max(0.0, min(stop.end, at) - stop.start), stop.start <= at < stop.end


def measures(output: TimeZonesOutput) -> dict[Measure, Timed]:
    """The time of each measure that a zone stands for, 0 where nobody was in it.

    Where there is a stop, only what lies within it counts, else all. Zones of the same measure count together, an
    instant once.
    """
    stop = None if output.stop is None else output.stops[output.stop]
    found: dict[Measure, Timed] = {}
    for measure in dict.fromkeys(zone.measure for zone in output.zones if zone.measure):
        visits = sorted(
            (visit for zone in output.zones if zone.measure == measure for visit in zone.visits),
            key=lambda visit: visit.start,
        )
        stays = _union(visits)
        found[measure] = _total(stays if stop is None else _within(stays, stop))
    return found


def _union(visits: Sequence[Visit]) -> list[Stay]:
    """Stretches in which somebody was inside, from visits in the order of their starts."""
    stays: list[Stay] = []
    for visit in visits:
        start = Edge(visit.start, visit.start_uncertainty, visit.cut in ("start", "both"))
        end = Edge(visit.end, visit.end_uncertainty, visit.cut in ("end", "both"))
        if stays and start.at <= stays[-1].end.at:
            stays[-1] = Stay(stays[-1].start, max(stays[-1].end, end))
        else:
            stays.append(Stay(start, end))
    return stays


def _within(stays: Sequence[Stay], stop: Stop) -> list[Stay]:
    begin = Edge(stop.start, stop.start_uncertainty, cut=False)
    end = Edge(stop.end, stop.end_uncertainty, cut=False)
    return [
        Stay(max(stay.start, begin), min(stay.end, end))
        for stay in stays
        if stay.start.at < end.at and stay.end.at > begin.at
    ]


def _total(stays: Sequence[Stay]) -> Timed:
    """Lengths added up; independent errors of the ends add as squares."""
    return Timed(
        math.fsum(stay.seconds for stay in stays),
        math.hypot(*(edge.uncertainty for stay in stays for edge in (stay.start, stay.end))),
    )

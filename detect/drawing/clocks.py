"""Running times, as they stand at a moment of the video."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from detect.zones import Stop, ZoneTime


class ZoneClock:
    """How long somebody was in a zone: overlapping visits count once."""

    def __init__(self, zone: ZoneTime) -> None:
        spans: list[tuple[float, float]] = []
        for visit in sorted(zone.visits, key=lambda visit: visit.start):
            if spans and visit.start <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(spans[-1][1], visit.end)
            else:
                spans.append((visit.start, visit.end))
        self._starts, self._ends = [start for start, _ in spans], [end for _, end in spans]
        self._before = [0.0, *accumulate(end - start for start, end in spans)]

    def at(self, seconds: float) -> tuple[float, bool]:
        """The zone's seconds so far, and whether somebody is inside."""
        last = bisect_right(self._starts, seconds) - 1
        if last < 0:
            return 0.0, False
        inside = seconds < self._ends[last]
        return self._before[last] + min(seconds, self._ends[last]) - self._starts[last], inside


def stop_clock(stop: Stop, seconds: float) -> float | None:
    """How long the car has been standing; its whole stop afterwards, None before."""
    return min(seconds, stop.end) - stop.start if seconds >= stop.start else None


def format_seconds(seconds: float) -> str:
    """``2.41 s``, from a minute on ``1:02.41``."""
    hundredths = round(seconds * 100)
    if hundredths < 6000:
        return f"{hundredths / 100:.2f} s"
    return f"{hundredths // 6000}:{hundredths % 6000 / 100:05.2f}"

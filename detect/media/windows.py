"""Stretches of a video in whole numbers: ticks after its first timestamp, sampling instants, places of damage."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil


@dataclass
class Faults:
    """Where reading failed, in ticks after the stream's first timestamp; None where that is not known."""

    origin: int
    ticks: list[int] = field(default_factory=list)
    unplaced: int = 0

    def add(self, position: int | None) -> None:
        if position is None:
            self.unplaced += 1
        else:
            self.ticks.append(position - self.origin)

    def near(self, start: int, end: int, *, slack: int) -> bool:
        """Whether one lies between two frames or so: some demuxers notice a loss a packet early or late."""
        return any(start - slack <= tick < end + slack for tick in self.ticks)


class Window:
    """`[start, end)` seconds and a sampling rate, in whole numbers: ticks after the first timestamp, and instants."""

    def __init__(self, fps: Fraction, start: Fraction, end: Fraction | None, time_base: Fraction) -> None:
        self._fps, self._start, self._end = fps, start, end
        self._instants_per_tick = fps * time_base
        self.first_tick = ceil(start / time_base)
        self.over_tick = None if end is None else ceil(end / time_base)

    def instant(self, tick: int) -> int:
        """The first sampling instant at or after a tick."""
        return -(-tick * self._instants_per_tick.numerator // self._instants_per_tick.denominator)

    def covers(self, sequence: int) -> bool:
        return self.spans(sequence / self._fps)

    def spans(self, seconds: Fraction) -> bool:
        return self._start <= seconds and (self._end is None or seconds < self._end)

    def is_over(self, tick: int) -> bool:
        return self.over_tick is not None and tick >= self.over_tick

"""How far times of visits and stops are from those of exact ways, and how often their uncertainty covers that.

docs/pit-stop-timing.md states the figures of more cases than are tried here:
``TIMING_CASES=100 pytest --log-cli-level=INFO tests/zones/test_accuracy.py``, a minute.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from tests.zones.test_stops import LENGTH, SLOW, some
from tests.zones.tracks import Seen, Way, square, ticks, timed, tracked, uneven_ticks

log = logging.getLogger(__name__)

CASES = int(os.environ.get("TIMING_CASES", "12"))
BOX = square(400, 200, 900, 600)
RATES = {"25": Fraction(25), "29.97": Fraction(30000, 1001), "50": Fraction(50), "variable": None}
#: Pixels, and the seconds over which they drift; 0 where they are drawn anew in each frame.
JITTERS = {"0": (0, 0.0), "3": (3, 0.0), "8": (8, 0.0), "8 drifting": (8, 0.1)}
#: A way, and the times that are to be found.
Case = tuple[Way, float, float]


@dataclass
class Errors:
    """What was found less what is so, and the stated uncertainty; seconds."""

    off: list[float] = field(default_factory=list)
    stated: list[float] = field(default_factory=list)

    def add(self, found: float, true: float, uncertainty: float) -> None:
        self.off.append(abs(found - true))
        self.stated.append(uncertainty)

    @property
    def covered(self) -> float:
        return float(np.mean(np.array(self.off) <= self.stated))

    def __str__(self) -> str:
        median, most = 1000 * np.quantile(self.off, (0.5, 0.95))
        return f"{median:.0f} / {most:.0f} | {1000 * np.median(self.stated):.0f} | {100 * self.covered:.1f}"


def walk_through(rng: np.random.Generator) -> Case:
    """At one speed through BOX, from left to right and a little up or down."""
    speed, start = 10 ** rng.uniform(1.8, 3.1), rng.uniform(0.5, 1.2)
    drift = rng.uniform(-1, 1) * min(75_000 / speed, 150) * speed / 500
    drift = np.clip(drift, -0.3 * speed, 0.3 * speed)
    return lambda at: (400 + speed * (at - start), 400 + drift * (at - start)), start, start + 500 / speed


def walk_in_and_out(rng: np.random.Generator) -> Case:
    """Over BOX's left border, evenly slower from there to a place inside, stands, and back out the same way."""
    speeds, deep, start = 10 ** rng.uniform(1.8, 2.9, 2), rng.uniform(40, 250), rng.uniform(0.5, 1.2)
    slows, runs = 2 * deep / speeds
    end, y = start + slows + rng.uniform(0.3, 3) + runs, rng.uniform(300, 500)

    def gone(after: float, speed: float, slowing: float) -> float:
        return speed * after if after < 0 else deep * (1 - max(1 - after / slowing, 0) ** 2)

    def way(at: float) -> tuple[float, float]:
        return 400 + min(gone(at - start, speeds[0], slows), gone(end - at, speeds[1], runs)), y

    return way, start, end


def stop_evenly(rng: np.random.Generator) -> Case:
    one = some(rng)
    return one.way, *one.slow


def stop_softly(rng: np.random.Generator) -> Case:
    """Speeds from full to none and back along ``3 s² - 2 s³``, without a jerk at either end."""
    speed, (braking, pulling) = LENGTH * rng.uniform(0.5, 4), rng.uniform(0.4, 1.5, 2)
    stands_from = rng.uniform(0.6, 1) + braking
    stands_to = stands_from + rng.uniform(1.2, 4)
    part = min(root.real for root in np.roots([-2, 3, 0, -SLOW * LENGTH / speed]) if root.real > 0)

    def away(seconds: float, slowing: float) -> float:
        part = min(max(seconds, 0) / slowing, 1)
        return speed * (slowing * (part**3 - part**4 / 2) + max(seconds - slowing, 0))

    def way(at: float) -> tuple[float, float]:
        return 900 - away(stands_from - at, braking) + away(at - stands_to, pulling), 600

    return way, stands_from - part * braking, stands_to + part * pulling


def times(rng: np.random.Generator, rate: Fraction | None, seconds: float) -> Sequence[int]:
    return ticks(rate, seconds) if rate else uneven_ticks(rng, seconds)


def time_visits(rng: np.random.Generator, rate: Fraction | None, jitter: tuple[int, float]) -> tuple[Errors, Errors]:
    edges, lengths = Errors(), Errors()
    for number in range(CASES):
        way, start, end = (walk_through, walk_in_and_out)[number % 2](rng)
        seen = Seen(way, label="person", size=(70, 170), jitter=jitter[0], drift=jitter[1])
        zone = timed(tracked(times(rng, rate, end + rng.uniform(0.6, 1.2)), seen, rng=rng), BOX).zones[0]
        (visit,) = zone.visits
        edges.add(visit.start, start, visit.start_uncertainty)
        edges.add(visit.end, end, visit.end_uncertainty)
        lengths.add(zone.seconds, end - start, zone.uncertainty)
    return edges, lengths


def time_stops(
    rng: np.random.Generator, rate: Fraction | None, jitter: tuple[int, float], braked: Callable[..., Case]
) -> tuple[Errors, Errors]:
    edges, lengths = Errors(), Errors()
    for _ in range(CASES):
        way, start, end = braked(rng)
        seen = Seen(way, jitter=jitter[0], drift=jitter[1])
        (stop,) = timed(tracked(times(rng, rate, end + rng.uniform(1, 1.5)), seen, rng=rng)).stops
        edges.add(stop.start, start, stop.start_uncertainty)
        edges.add(stop.end, end, stop.end_uncertainty)
        lengths.add(stop.seconds, end - start, float(np.hypot(stop.start_uncertainty, stop.end_uncertainty)))
    return edges, lengths


KINDS: dict[str, Callable[..., tuple[Errors, Errors]]] = {
    "visits": time_visits,
    "stops, even": partial(time_stops, braked=stop_evenly),
    "stops, soft": partial(time_stops, braked=stop_softly),
}


@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize("kind", KINDS)
def test_uncertainties_cover_the_errors_of_19_in_20(kind, jitter):
    """At all rates together, as there are few cases of each."""
    rng, covered = np.random.default_rng(13), []
    for name, rate in RATES.items():
        edges, lengths = KINDS[kind](rng, rate, JITTERS[jitter])
        log.info("| %s | %s | %s | %s | %s |", kind, name, jitter, edges, lengths)
        covered.append((edges.covered, lengths.covered))
    assert min(np.mean(covered, axis=0)) >= 0.95

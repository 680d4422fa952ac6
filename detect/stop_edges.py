"""The instant at which a car comes to stand, from the way its box took: a change point found by least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detect.tracked_paths import Reals

#: How much of the way to either side of the first guess is looked at, seconds.
SPAN_SECONDS = 0.8
#: Instants this far from the first guess are tried, in such steps; seconds.
_SEARCH_SECONDS, _STEP = 0.5, 0.01
#: Times of braking that are tried, seconds.
_RATIO = 1.4
_BRAKING: Reals = np.array([0.02 * _RATIO**power for power in range(14)])
#: Ways of braking that are tried: the speed is this power of the time that is left. 1 is even, 2 ends softly.
_POWERS = (1.0, 1.5, 2.0)
#: So many of each are tried again around the best, so often.
_CLOSER, _TIMES_CLOSER = 24, 2
#: An instant is possible while its squares exceed the least by less than this many times the variance: 95 of 100 of
#: chi-square for the five numbers that are fitted.
_POSSIBLE = 11.1


@dataclass(frozen=True)
class Approach:
    """A car about to stand: rows in time order, or reversed with negative times where it pulls away.

    ``at`` seconds, ``edges`` ``(n, k)`` pixels of those box edges that are seen, ``across`` ``(k,)`` which of them are
    left or right ones, ``coarse`` the instant from the smoothed speed, ``slow`` the speed in pixels a second under
    which it stands, ``window`` what was smoothed over.
    """

    at: Reals
    edges: Reals
    across: npt.NDArray[np.bool_]
    coarse: float
    slow: float
    window: float


def place_edge(approach: Approach) -> tuple[float, float]:
    """When the car got slower than ``slow``, and ± by how much that may be off, in seconds of ``approach.at``.

    It is taken to have gone at one speed ``v``, braked for a time ``b`` and then stood: ``u < b`` seconds before it
    stands it goes at ``v (u / b)**p``. Of all instants, all ``b`` and some ``p`` those with the least squares win, one
    ``p`` weighted against the other by how well they do; all that are about as good make the uncertainty, to which
    half the time between two sights is added.
    """
    order = np.argsort(approach.at)
    at, edges = approach.at[order], approach.edges[order]
    guess = (approach.coarse, approach.window / 2 + (float(np.median(np.diff(at))) / 2 if len(at) > 1 else 0.0))
    if edges.shape[1] == 0 or np.count_nonzero(at < approach.coarse) < 2 or len(at) < 6:
        return guess
    instants = np.arange(
        max(at[1], approach.coarse - _SEARCH_SECONDS), min(at[-2], approach.coarse + _SEARCH_SECONDS), _STEP
    )
    if len(instants) == 0:
        return guess
    line = _line(at, edges, approach.coarse)
    way = edges @ line
    ways = [_closest(at, way, instants, power) for power in _POWERS]
    best = min(ways, key=lambda fits: fits.least)
    # edges move together: a pixel along all of them is less of the car's way
    parts = [line[side] for side in (approach.across, ~approach.across) if side.any()]
    slow = approach.slow / float(np.sqrt(sum(np.mean(part**2) for part in parts)))
    weights = [math.exp((best.least - fits.least) / (2 * best.variance)) for fits in ways]
    found = float(np.average([fits.best(slow) for fits in ways], weights=weights))
    possible = np.concatenate([fits.slower(slow)[fits.squares <= best.limit] for fits in ways])
    spread = max(found - float(possible.min()), float(possible.max()) - found)
    return found, spread + _bracket(at, found) / 2


def _closest(at: Reals, way: Reals, instants: Reals, power: float) -> _Fits:
    fits = _Fits.of(at, way, instants, _BRAKING, power)
    for _ in range(_TIMES_CLOSER):
        fits = _Fits.of(at, way, *fits.closer(), power)
    return fits


def _bracket(at: Reals, instant: float) -> float:
    after = min(max(int(np.searchsorted(at, instant)), 1), len(at) - 1)
    return float(at[after] - at[after - 1])


def _line(at: Reals, edges: Reals, coarse: float) -> Reals:
    """``(k,)`` of length 1: how the edges moved together on the way to where the car stands."""
    standing = np.median(edges[at >= coarse], axis=0) if (at >= coarse).any() else edges[-1]
    line = (edges[at < coarse] - standing).mean(axis=0)
    norm = float(np.linalg.norm(line))
    return line / norm if norm > 0 else np.full(len(line), len(line) ** -0.5)


def _variance(left_over: Reals) -> float:
    """Of what a fit leaves over, as if each sight told something new.

    Where neighbours are off alike, because boxes drift or the car did not brake evenly, ``n`` sights tell no more than
    ``n (1 - r) / (1 + r)`` independent ones, ``r`` being their correlation.
    """
    squares = float((left_over**2).sum())
    alike = float((left_over[1:] * left_over[:-1]).sum()) / max(squares, 1e-12)
    alike = min(max(alike, 0.0), 1 - 2 / len(left_over))
    return max(squares / max(len(left_over) - 5, 1) * (1 + alike) / (1 - alike), 1e-9)


@dataclass(frozen=True)
class _Fits:
    """How well each instant ``(m,)`` goes with each time of braking ``(k,)``, braked by ``power``.

    ``squares`` ``(m, k)`` are the sums of what is left over, ``speeds`` those before braking, never below 0.
    """

    instants: Reals
    braking: Reals
    power: float
    squares: Reals
    speeds: Reals
    variance: float

    @classmethod
    def of(cls, at: Reals, way: Reals, instants: Reals, braking: Reals, power: float) -> _Fits:
        left = np.maximum(instants[:, None, None] - at, 0)
        times = braking[:, None]
        braked = np.minimum(left / times, 1)
        shape = times * braked**2 * braked ** (power - 1) / (power + 1) + np.maximum(left - times, 0)
        shape -= shape.mean(axis=2, keepdims=True)
        off = way - way.mean()
        norms = np.maximum((shape**2).sum(axis=2), 1e-12)
        speeds = np.maximum(shape @ off / norms, 0)
        left_over = off - speeds[:, :, None] * shape
        squares = (left_over**2).sum(axis=2)
        best = left_over.reshape(-1, len(at))[squares.argmin()]
        return cls(instants, braking, power, squares, speeds, _variance(best))

    @property
    def least(self) -> float:
        return float(self.squares.min())

    @property
    def limit(self) -> float:
        """Squares up to which a fit is about as good as the best."""
        return self.least + _POSSIBLE * self.variance

    def closer(self) -> tuple[Reals, Reals]:
        """Instants and times of braking around those that are possible, nearer to each other.

        What is known best of a way is where its straight part would have led to, a part of the braking before the
        instant: a time of braking that is off by a step puts the instant off by that part of it.
        """
        possible = self.squares <= self.limit
        instants, braking = self.instants[possible.any(axis=1)], self.braking[possible.any(axis=0)]
        step = float(self.instants[1] - self.instants[0]) if len(self.instants) > 1 else _STEP
        ratio = float(self.braking[1] / self.braking[0])
        aside = step + (ratio - 1) * float(braking[-1]) * self.power / (self.power + 1)
        return (
            np.linspace(instants[0] - aside, instants[-1] + aside, _CLOSER, dtype=np.float64),
            np.geomspace(braking[0] / ratio, braking[-1] * ratio, _CLOSER, dtype=np.float64),
        )

    def slower(self, slow: float) -> Reals:
        """``(m, k)`` when the car got slower than ``slow``: so long before it stood as its way of braking says."""
        with np.errstate(divide="ignore"):
            part = np.where(self.speeds > 0, slow / self.speeds, 0)
        return self.instants[:, None] - self.braking * np.minimum(part, 1) ** (1 / self.power)

    def best(self, slow: float) -> float:
        """The same of the best fit."""
        return float(self.slower(slow).flat[int(self.squares.argmin())])

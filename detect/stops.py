"""Cars standing still: found by their smoothed speed, begin and end placed by the way they brake and pull away.

The method and its formulas are in ``docs/pit-stop-timing.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from detect.stop_edges import SPAN_SECONDS, Approach, place_edge
from detect.tracked_paths import FrameTimes, Reals, TrackedPath
from detect.zone_timing import Edge, cut_of
from detect.zones import Stop

#: The speed is smoothed over this much time, more where boxes tremble; seconds.
_WINDOW_SECONDS = (0.3, 1.0)
#: The trembling of the smoothed speed may be this part of the speed under which a car stands.
_QUIET = 0.25
#: A car that stands goes on standing until it is this many times faster than what counts as standing.
_MOVES_AGAIN = 1.5
#: A jerk of the box for less than these seconds that leaves it where it was, within this part of its length, is none.
_JERK_SECONDS, _JERK_LENGTHS = 0.5, 0.1
#: An edge nearer to the picture's border than this part of its side is where the picture ends, not the car.
_BORDER = 0.005
#: A car that is lost while it stands and found by another name within these seconds and with this much overlap (IoU)
#: is the same car.
_FOUND_SECONDS, _FOUND_OVERLAP = 2.0, 0.5


@dataclass(frozen=True)
class Standing:
    """One car standing: ``place`` is its box in pixels, ``xyxy``."""

    track_id: int
    label: str
    start: Edge
    end: Edge
    place: Reals


def find_standing(
    path: TrackedPath, times: FrameTimes, size: tuple[int, int], *, stopped_speed: float
) -> list[Standing]:
    """When one car stood, in the order of time, however shortly.

    ``size`` is the picture's width and height; ``stopped_speed`` is in the car's own lengths a second.
    """
    if len(path.at) < 3:
        return []
    hidden = _at_border(path.boxes, size)
    length = float(np.median(_lengths(path.boxes)))
    window = _window(path, stopped_speed * length)
    slopes, means = smoothed(path.at, path.boxes, window / 2)
    speed = _speeds(slopes, hidden) / np.maximum(_lengths(means), 1)
    runs = _still(path, means, speed, stopped_speed, window)
    return [
        _placed(path, times, hidden, runs, index, stopped_speed=stopped_speed, window=window)
        for index in range(len(runs))
    ]


def stops_of(found: Sequence[Standing], *, min_stop_seconds: float) -> list[Stop]:
    """What counts as a stop, in the order of time; a car that changed its track id while it stood is put together."""
    together: list[Standing] = []
    for one in sorted(found, key=lambda one: (one.start.at, one.track_id)):
        earlier = next((index for index, other in enumerate(together) if _same_car(other, one)), None)
        if earlier is None:
            together.append(one)
        else:
            known = together[earlier]
            together[earlier] = Standing(known.track_id, known.label, known.start, max(known.end, one.end), one.place)
    return [
        Stop(
            start=one.start.at,
            end=one.end.at,
            track_id=one.track_id,
            label=one.label,
            start_uncertainty=one.start.uncertainty,
            end_uncertainty=one.end.uncertainty,
            cut=cut_of(one.start, one.end),
        )
        for one in together
        if one.end.at - one.start.at >= max(min_stop_seconds, 1e-9)
    ]


def smoothed(at: Reals, values: Reals, half: float) -> tuple[Reals, Reals]:
    """Slope and mean of each column by least squares over what lies within ``half`` seconds of each row.

    At least the neighbours count. Sums run over blocks of rows, each from its own origin, so that nothing is lost to
    rounding late in a long video.
    """
    first = np.minimum(np.searchsorted(at, at - half), np.maximum(np.arange(len(at)) - 1, 0))
    after = np.maximum(np.searchsorted(at, at + half, "right"), np.minimum(np.arange(len(at)) + 2, len(at)))
    slopes, means = np.empty_like(values), np.empty_like(values)
    for begin in range(0, len(at), _BLOCK):
        rows = slice(begin, min(begin + _BLOCK, len(at)))
        low, high = int(first[rows].min()), int(after[rows].max())
        seconds = (at[low:high] - at[low])[:, None]
        own = values[low:high] - values[low]
        sums = [_running(column) for column in (np.ones_like(seconds), seconds, seconds**2, own, own * seconds)]
        count, time, square, value, product = (total[after[rows] - low] - total[first[rows] - low] for total in sums)
        slopes[rows] = (product - time * value / count) / (square - time**2 / count)
        means[rows] = value / count + values[low]
    return slopes, means


_BLOCK = 4096


def _running(column: Reals) -> Reals:
    return np.concatenate([np.zeros((1, column.shape[1])), np.cumsum(column, axis=0)])


def _lengths(boxes: Reals) -> Reals:
    return np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])


def _at_border(boxes: Reals, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """``(n, 4)`` which edges are not the car's own but the picture's."""
    width, height = size
    near = np.maximum(np.array([width, height]) * _BORDER, 1)
    return np.concatenate([boxes[:, :2] <= near, boxes[:, 2:] >= np.array([width, height]) - near], axis=1)


def _window(path: TrackedPath, slow: float) -> float:
    """Seconds to smooth over, so that boxes' trembling looks slow beside ``slow`` pixels a second."""
    sigma = path.jitter("any")
    needed = (12 * sigma**2 * max(path.interval, 1e-6) / (_QUIET * slow) ** 2) ** (1 / 3)
    return float(np.clip(needed, *_WINDOW_SECONDS))


def _speeds(slopes: Reals, hidden: npt.NDArray[np.bool_]) -> Reals:
    """How fast boxes move, pixels a second.

    On each axis it is the slower of the two edges: a car that moves or comes nearer moves both, somebody who steps in
    front of it moves one. An edge at the picture's border tells nothing.
    """
    moved = np.where(hidden, np.inf, np.abs(slopes))
    slower = np.minimum(moved[:, :2], moved[:, 2:])
    return np.hypot(*np.where(np.isfinite(slower), slower, 0).T)


def _still(path: TrackedPath, means: Reals, speed: Reals, stopped: float, window: float) -> list[tuple[int, int]]:
    """Rows ``[first, after)`` over which the car stood, with hysteresis; jerks that lead nowhere are bridged."""
    told = np.where(speed < stopped, 1, np.where(speed > _MOVES_AGAIN * stopped, -1, 0))
    latest = np.maximum.accumulate(np.where(told != 0, np.arange(len(told)), -1))
    stands = np.where(latest >= 0, told[latest], -1) > 0
    gaps = np.diff(path.at)
    carried = np.abs(np.diff(path.boxes, axis=0)).min(axis=1) / np.maximum(_lengths(path.boxes)[1:], 1)
    carried_off = (gaps > window) & (carried > np.maximum(stopped * gaps, _JERK_LENGTHS))
    breaks = np.flatnonzero((np.diff(stands.astype(int)) != 0) | carried_off) + 1
    edges = [0, *breaks.tolist(), len(stands)]
    runs: list[tuple[int, int]] = []
    for first, after in pairwise(edges):
        if not stands[first]:
            continue
        if runs and path.at[first] - path.at[runs[-1][1] - 1] < _JERK_SECONDS and _same_place(means, runs[-1], first):
            runs[-1] = (runs[-1][0], after)
        else:
            runs.append((first, after))
    return runs


def _same_place(means: Reals, run: tuple[int, int], row: int) -> bool:
    before, now = means[run[1] - 1], means[row]
    axes = np.minimum(np.abs(now - before)[:2], np.abs(now - before)[2:])
    return float(np.hypot(*axes)) < _JERK_LENGTHS * float(_lengths(now[None])[0])


def _placed(
    path: TrackedPath,
    times: FrameTimes,
    hidden: npt.NDArray[np.bool_],
    runs: Sequence[tuple[int, int]],
    index: int,
    *,
    stopped_speed: float,
    window: float,
) -> Standing:
    """A run of rows with its begin and end where the car's way shows them."""
    first, after = runs[index]
    at = path.at
    middle = (at[first] + at[after - 1]) / 2
    early = at[runs[index - 1][1] - 1] if index else -np.inf
    late = at[runs[index + 1][0]] if index + 1 < len(runs) else np.inf
    place = np.median(path.boxes[first:after], axis=0)
    slow = stopped_speed * float(_lengths(place[None])[0])

    def edge(coarse: float, begin: float, end: float, *, backwards: bool) -> Edge:
        rows = slice(int(np.searchsorted(at, begin)), int(np.searchsorted(at, end, "right")))
        used = ~hidden[rows].any(axis=0)
        sign = -1.0 if backwards else 1.0
        across = np.array([True, False, True, False])[used]
        approach = Approach(sign * at[rows], path.boxes[rows][:, used], across, sign * coarse, slow, window)
        placed, uncertainty = place_edge(approach)
        return Edge(sign * placed, uncertainty, cut=False)

    if first == 0:
        start = Edge(*times.appeared(int(path.frames[0])), cut=True)
    else:
        coarse = float(at[first])
        start = edge(coarse, max(early, coarse - SPAN_SECONDS), min(middle, coarse + SPAN_SECONDS), backwards=False)
    if after == len(at):
        end = Edge(*times.vanished(int(path.frames[-1])), cut=True)
    else:
        coarse = float(at[after - 1])
        end = edge(coarse, max(middle, coarse - SPAN_SECONDS), min(late, coarse + SPAN_SECONDS), backwards=True)
    return Standing(path.track_id, path.label, start, end, place)


def _same_car(earlier: Standing, later: Standing) -> bool:
    return (
        earlier.end.cut
        and later.start.cut
        and earlier.track_id != later.track_id
        and later.start.at - earlier.end.at < _FOUND_SECONDS
        and _overlap(earlier.place, later.place) >= _FOUND_OVERLAP
    )


def _overlap(one: Reals, other: Reals) -> float:
    """Intersection over union of two boxes."""
    sides = np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0)
    both = float(sides.prod())
    return both / (float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod()) - both)


def longest(stops: Sequence[Stop]) -> int | None:
    """Position of the longest stop, the first of equals; None without any."""
    return max(range(len(stops)), key=lambda index: (stops[index].seconds, -index), default=None)

"""Boxes, quads and intervals: the arithmetic that stages share.

Boxes are :class:`detect.types.Box` or ``(n, 4)`` arrays in ``xyxy`` order, pixels, ``x2``/``y2`` exclusive. A quad is
four ``(x, y)`` corners, clockwise from top-left as seen on screen (y grows downwards). Intervals are half-open
``[start, end)`` pairs of numbers; exact fractions stay exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from detect.types import Box

Point = tuple[float, float]
Number = TypeVar("Number", int, float, Fraction)


def intersection(a: Box, b: Box) -> Box | None:
    """The box common to both, or None when they share no pixel."""
    box = Box(max(a.x1, b.x1), max(a.y1, b.y1), min(a.x2, b.x2), min(a.y2, b.y2))
    return box if box.area else None


def enclosing(boxes: Iterable[Box]) -> Box:
    """Smallest box around all of them. Raises ``ValueError`` for none."""
    items = list(boxes)
    if not items:
        raise ValueError("enclosing() needs at least one box")
    return Box(
        min(box.x1 for box in items),
        min(box.y1 for box in items),
        max(box.x2 for box in items),
        max(box.y2 for box in items),
    )


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0-1; 0 where either box is empty."""
    common = intersection(a, b)
    return common.area / (a.area + b.area - common.area) if common else 0.0


def overlap_share(inner: Box, outer: Box) -> float:
    """Which share of ``inner`` lies inside ``outer``, 0-1; 0 for an empty ``inner``."""
    common = intersection(inner, outer)
    return common.area / inner.area if common else 0.0


def clip_box(box: Box, width: int, height: int) -> Box:
    """The part of ``box`` inside a ``width`` x ``height`` picture; may be empty (``area == 0``)."""
    x1, y1 = min(max(box.x1, 0), width), min(max(box.y1, 0), height)
    return Box(x1, y1, max(x1, min(box.x2, width)), max(y1, min(box.y2, height)))


def expand_box(box: Box, share: float, width: int, height: int) -> Box:
    """``box`` grown on each side by ``share`` of its shorter side, inside a ``width`` x ``height`` picture."""
    margin = math.ceil(share * min(box.width, box.height))
    return clip_box(Box(box.x1 - margin, box.y1 - margin, box.x2 + margin, box.y2 + margin), width, height)


def iou_matrix(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """``(n, m)`` intersection over union of ``(n, 4)`` with ``(m, 4)`` boxes; 0 where both are empty."""
    left = np.asarray(a, dtype=np.float64).reshape(-1, 4)
    right = np.asarray(b, dtype=np.float64).reshape(-1, 4)
    low = np.maximum(left[:, None, :2], right[None, :, :2])
    high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    union = _areas(left)[:, None] + _areas(right)[None, :] - common
    ratio: npt.NDArray[np.float64] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return ratio


def _areas(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    areas: npt.NDArray[np.float64] = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    return areas


def nms(
    boxes: npt.ArrayLike,
    scores: npt.ArrayLike,
    iou_threshold: float,
    classes: npt.ArrayLike | None = None,
) -> list[int]:
    """Non-maximum suppression: indices of the boxes kept, best score first.

    ``boxes`` is ``(n, 4)`` ``xyxy``, ``scores`` ``(n,)``. A box falls to a better one whose IoU with it is above
    ``iou_threshold``; with ``classes`` ``(n,)`` only to one of its own class. Equal scores keep their input order, so
    the result is the same on every machine.
    """
    corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    values = np.asarray(scores, dtype=np.float64).reshape(-1)
    if len(corners) != len(values):
        raise ValueError(f"nms() got {len(corners)} boxes and {len(values)} scores")
    groups = None if classes is None else np.asarray(classes).reshape(-1)
    areas = _areas(corners)
    order = np.argsort(-values, kind="stable")
    keep: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(int(best))
        low = np.maximum(corners[best, :2], corners[rest, :2])
        high = np.minimum(corners[best, 2:], corners[rest, 2:])
        common = np.prod(np.clip(high - low, 0, None), axis=1)
        suppressed = common > iou_threshold * (areas[best] + areas[rest] - common)
        if groups is not None:
            suppressed &= groups[rest] == groups[best]
        order = rest[~suppressed]
    return keep


def polygon_area(points: Sequence[Point]) -> float:
    """Area of a simple polygon in square pixels, positive when its points run clockwise on screen."""
    shifted = list(points[1:]) + list(points[:1])
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, shifted, strict=True)) / 2


def order_quad(points: Sequence[Point]) -> tuple[Point, Point, Point, Point]:
    """The four corners of a convex quad clockwise on screen, starting at the one nearest to top-left (least x + y)."""
    if len(points) != 4:
        raise ValueError(f"a quad has 4 corners, not {len(points)}")
    cx, cy = sum(x for x, _ in points) / 4, sum(y for _, y in points) / 4
    around = sorted(points, key=lambda point: (math.atan2(point[1] - cy, point[0] - cx), point))
    start = min(range(4), key=lambda index: (around[index][0] + around[index][1], around[index]))
    first, second, third, fourth = around[start:] + around[:start]
    return (first, second, third, fourth)


def is_convex(points: Sequence[Point]) -> bool:
    """Whether the polygon turns the same way, and truly turns, at every corner (no crossing, no straight corner)."""
    count = len(points)
    turns = []
    for index in range(count):
        (ax, ay), (bx, by), (cx, cy) = (points[(index + step) % count] for step in range(3))
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
    if not (all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)):
        return False
    # A five-pointed star also turns one way only; a convex outline goes round exactly once.
    winding = sum(math.atan2(turn, _dot(points, index)) for index, turn in enumerate(turns))
    return abs(abs(winding) - 2 * math.pi) < 1e-3


def _dot(points: Sequence[Point], index: int) -> float:
    (ax, ay), (bx, by), (cx, cy) = (points[(index + step) % len(points)] for step in range(3))
    return (bx - ax) * (cx - bx) + (by - ay) * (cy - by)


def quad_box(points: Sequence[Point], width: int, height: int) -> Box:
    """Smallest whole-pixel box around the points, inside a ``width`` x ``height`` picture."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return clip_box(
        Box(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))), width, height
    )


def box_quad(box: Box) -> tuple[Point, Point, Point, Point]:
    """The corners of a box, clockwise from top-left."""
    return ((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))


def merge_intervals(intervals: Iterable[tuple[Number, Number]], gap: Number | int = 0) -> list[tuple[Number, Number]]:
    """Union of half-open intervals, in order; those at most ``gap`` apart become one. Empty ones vanish.

    Raises ``ValueError`` for an interval that ends before it starts.
    """
    merged: list[tuple[Number, Number]] = []
    for start, end in sorted(intervals):
        if end < start:
            raise ValueError(f"interval ends at {end}, before its start {start}")
        if end == start:
            continue
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def covered_length(intervals: Iterable[tuple[Number, Number]]) -> Number | int:
    """Length of the union: what lies in several intervals counts once."""
    total: Number | int = 0
    for start, end in merge_intervals(intervals):
        total += end - start
    return total


def covered_share(box: Box, others: Iterable[Box]) -> float:
    """Which share of ``box`` the union of ``others`` covers, 0-1; 0 for an empty box."""
    parts = [part for other in others if (part := intersection(box, other))]
    if not parts:
        return 0.0
    edges = sorted({edge for part in parts for edge in (part.x1, part.x2)})
    covered = 0
    for left, right in pairwise(edges):
        spans = [(part.y1, part.y2) for part in parts if part.x1 <= left and part.x2 >= right]
        covered += (right - left) * int(covered_length(spans))
    return covered / box.area

"""Polygons in the picture: how far inside or outside of one an object is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detect.tracked_paths import Reals
from detect.zones import Anchor, Zone


@dataclass(frozen=True)
class Polygon:
    """``corners`` ``(m, 2)`` in pixels, in order around it; it may be concave, and does not cross itself."""

    corners: Reals
    anchor: Anchor

    @classmethod
    def of(cls, zone: Zone, width: int, height: int) -> Polygon:
        """A zone of a picture of that size."""
        return cls(np.array(zone.points, np.float64) * (width, height), zone.anchor)

    def near(self, boxes: Reals, margin: float) -> tuple[int, int]:
        """The rows ``[first, last)`` of ``boxes`` outside of which none comes within ``margin`` pixels of it.

        ``(0, 0)`` where none does.
        """
        left, top = self.corners.min(axis=0) - margin
        right, bottom = self.corners.max(axis=0) + margin
        meets = (boxes[:, 0] <= right) & (boxes[:, 2] >= left) & (boxes[:, 1] <= bottom) & (boxes[:, 3] >= top)
        rows = np.flatnonzero(meets)
        return (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)

    def depths(self, boxes: Reals) -> Reals:
        """Signed distance of each box's anchor to the border in pixels, positive inside.

        For ``any`` it is 0 where box and polygon begin to touch, below the distance between them, above a measure of
        how deep the one reaches into the other.
        """
        if self.anchor == "any":
            return self._overlaps(boxes)
        middle = (boxes[:, 0] + boxes[:, 2]) / 2
        lower = boxes[:, 3] if self.anchor == "bottom" else (boxes[:, 1] + boxes[:, 3]) / 2
        return self._point_depths(middle, lower)

    def _sides(self) -> list[tuple[Reals, Reals]]:
        return list(zip(self.corners, np.roll(self.corners, -1, axis=0), strict=True))

    def _point_depths(self, x: Reals, y: Reals) -> Reals:
        """Distance to the nearest side; inside where a ray to the right crosses an odd number of sides."""
        squared = np.full(len(x), np.inf)
        inside = np.zeros(len(x), bool)
        for (ax, ay), (bx, by) in self._sides():
            dx, dy = bx - ax, by - ay
            along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
            squared = np.minimum(squared, (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2)
            if dy != 0:
                inside ^= ((ay > y) != (by > y)) & (x < ax + dx * (y - ay) / dy)
        return np.where(inside, 1, -1) * np.sqrt(squared)

    def _overlaps(self, boxes: Reals) -> Reals:
        """The largest of: a box corner's depth in the polygon, a polygon corner's depth in the box, and that of the
        middle of what the box cuts out of a side. Apart from each other, the first two hold their distance.
        """
        left, top, right, bottom = boxes.T
        depth = np.full(len(boxes), -np.inf)
        for x in (left, right):
            for y in (top, bottom):
                depth = np.maximum(depth, self._point_depths(x, y))
        for start, end in self._sides():
            depth = np.maximum(depth, _box_depths(boxes, *start))
            first, last = np.zeros(len(boxes)), np.ones(len(boxes))
            for low, high, a, d in (
                (left, right, start[0], end[0] - start[0]),
                (top, bottom, start[1], end[1] - start[1]),
            ):
                if d != 0:
                    ends = np.sort(np.stack([(low - a) / d, (high - a) / d]), axis=0)
                    first, last = np.maximum(first, ends[0]), np.minimum(last, ends[1])
                else:
                    last = np.where((a >= low) & (a <= high), last, -np.inf)
            middle = np.where(first <= last, (first + last) / 2, 0)
            cut = _box_depths(boxes, start[0] + middle * (end[0] - start[0]), start[1] + middle * (end[1] - start[1]))
            depth = np.where(first <= last, np.maximum(depth, cut), depth)
        return depth


def _box_depths(boxes: Reals, x: Reals | float, y: Reals | float) -> Reals:
    """Signed distance of a point to the border of each box, positive inside."""
    left, top, right, bottom = boxes.T
    aside = np.maximum(left - x, x - right)
    above = np.maximum(top - y, y - bottom)
    outside = np.hypot(np.maximum(aside, 0), np.maximum(above, 0))
    return np.where(outside > 0, -outside, -np.maximum(aside, above))

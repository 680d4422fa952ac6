"""Which detected lines lie where texts are expected: all pairs at once, as a scene in motion has thousands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from detect.geometry import iou, iou_matrix
from detect.motion import Quad
from detect.types import Box

Floats = npt.NDArray[Any]

#: Share of their union that two boxes of one place have in common.
SAME_PLACE = 0.5


def box_of(quad: Quad) -> Box:
    """The box around a quad."""
    return Box.from_points([(float(x), float(y)) for x, y in quad])


def overlaps(places: Sequence[Quad], lines: Sequence[Quad]) -> Floats:
    """``(n, m)`` intersection over union of the boxes around two sets of quads, 0-1."""
    return iou_matrix(_boxes(places), _boxes(lines))


def near(places: Sequence[Quad], lines: Sequence[Quad]) -> npt.NDArray[np.bool_]:
    """``(n, m)``: whether the centres lie within the place's length, and the heights within a factor of two."""
    if not places or not lines:
        return np.zeros((len(places), len(lines)), bool)
    expected, found = np.stack(places), np.stack(lines)
    heights, other_heights = _heights(expected)[:, None], np.maximum(_heights(found), 1e-6)[None]
    distance = np.linalg.norm(expected.mean(axis=1)[:, None] - found.mean(axis=1)[None], axis=2)
    length = np.linalg.norm(expected[:, 0] - expected[:, 1], axis=1)[:, None]
    ratio = heights / other_heights
    return np.asarray((distance <= np.maximum(length, 4 * heights)) & (ratio >= 0.5) & (ratio <= 2))


def _boxes(quads: Sequence[Quad]) -> list[tuple[int, int, int, int]]:
    return [(box.x1, box.y1, box.x2, box.y2) for box in map(box_of, quads)]


def _heights(quads: Floats) -> Floats:
    left, right = quads[:, 0] - quads[:, 3], quads[:, 1] - quads[:, 2]
    return np.maximum(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))


def is_taken(place: Box, places: Sequence[Box]) -> bool:
    """Whether a text is seen at a place already."""
    return any(iou(place, other) >= SAME_PLACE for other in places)

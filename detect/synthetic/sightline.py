"""From what was drawn to what can be seen: marks in the picture, and how much of each is visible.

While a frame is drawn, every surface (a row of boards, a figure) writes its number into a map of the picture. A mark
is then visible where the map still shows its own surface: sampling points spread evenly over the mark tell which part
of it that is, as seen on the surface itself, whatever the perspective.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detect.synthetic.boards import PlacedMark, Row
from detect.synthetic.camera import NEAR, Array, Camera

Owners = npt.NDArray[np.uint8]
"""The number of the surface on top at each pixel, 0 for none."""

_ACROSS, _UP = np.meshgrid((np.arange(24) + 0.5) / 24, (np.arange(6) + 0.5) / 6)
_GRID = np.stack([_ACROSS.ravel(), _UP.ravel()], axis=1)
_SQUEEZED = 1.5
"""Letters this much taller than wide read as if they were only this much taller."""


@dataclass(frozen=True)
class Seen:
    """A mark in one frame. ``points`` are its samples in pixels, ``shown`` tells which of them can be seen (0-1).

    ``box`` is ``x1, y1, x2, y2`` in pixels, not yet cut at the picture's edges. ``size`` is the effective height of the
    letters and ``blur`` the length of blur over them, both in pixels.
    """

    name: str
    placement: str
    points: Array
    shown: Array
    box: tuple[float, float, float, float]
    size: float
    blur: float

    @property
    def visible(self) -> float:
        """Visible part of the mark's area, times its opacity."""
        return float(self.shown.mean())


def grid_in(left: float, top: float, right: float, bottom: float) -> Array:
    """Sampling points of an upright rectangle in pixels."""
    return _GRID * (right - left, bottom - top) + (left, top)


def on_top(points: Array, owners: Owners, surface: int) -> npt.NDArray[np.bool_]:
    """Which points lie in the picture and on ``surface``."""
    height, width = owners.shape
    columns, rows = np.floor(points[:, 0]), np.floor(points[:, 1])
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    found = owners[np.where(inside, rows, 0).astype(np.intp), np.where(inside, columns, 0).astype(np.intp)]
    return np.asarray(inside & (found == surface))


def seen_on_row(row: Row, marks: Iterable[PlacedMark], lengths: dict[str, int], camera: Camera, owners: Owners,
                blur: float) -> list[Seen]:  # fmt: skip
    """The marks of a row that have any part in the picture. ``lengths`` are letters a name, 0 for a logo."""
    marks = [mark for mark in marks if mark.name in lengths]
    if not marks:
        return []
    plane = camera.plane(row.origin, row.along, (0.0, 0.0, 1.0))
    corners = np.array([_corners(mark) for mark in marks])
    pixels, depth = _through(plane, corners.reshape(-1, 2))
    pixels, depth = pixels.reshape(-1, 4, 2), depth.reshape(-1, 4)
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    outside = (high <= 0).any(axis=1) | (low >= (camera.width, camera.height)).any(axis=1)
    possible = np.flatnonzero((depth.min(axis=1) >= NEAR) & ~outside)
    return [
        seen
        for index in possible
        if (seen := _row_mark(marks[index], row.surface, plane, (*low[index], *high[index]), lengths, owners, blur))
        is not None
    ]


def _corners(mark: PlacedMark) -> list[tuple[float, float]]:
    """Corners of the part of a mark that its window lets through."""
    left, bottom = max(mark.rectangle[0], mark.window[0]), max(mark.rectangle[1], mark.window[1])
    right, top = min(mark.rectangle[2], mark.window[2]), min(mark.rectangle[3], mark.window[3])
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _through(plane: Array, metres: Array) -> tuple[Array, Array]:
    homogeneous = metres @ plane[:, :2].T + plane[:, 2]
    depth = homogeneous[:, 2]
    return homogeneous[:, :2] / np.where(np.abs(depth) < 1e-6, 1e-6, depth)[:, None], depth


def _row_mark(mark: PlacedMark, surface: int, plane: Array, box: Sequence[float], lengths: dict[str, int],
              owners: Owners, blur: float) -> Seen | None:  # fmt: skip
    left, bottom, right, top = mark.rectangle
    metres = _GRID * (right - left, top - bottom) + (left, bottom)
    points, _ = _through(plane, metres)
    window = mark.window
    inside = (
        (metres[:, 0] >= window[0])
        & (metres[:, 0] < window[2])
        & (metres[:, 1] >= window[1])
        & (metres[:, 1] < window[3])
    )
    shown = inside & on_top(points, owners, surface)
    if not shown.any():
        return None
    middle = (left + right) / 2
    ends, _ = _through(
        plane, np.array([(middle, bottom), (middle, bottom + mark.cap), (left, bottom), (right, bottom)])
    )
    tall, wide = float(np.linalg.norm(ends[1] - ends[0])), float(np.linalg.norm(ends[3] - ends[2]))
    size = effective_size(tall, wide, lengths[mark.name])
    x1, y1, x2, y2 = (float(edge) for edge in box)
    return Seen(
        mark.name, mark.placement, points, shown.astype(np.float64) * mark.opacity, (x1, y1, x2, y2), size, blur
    )


def effective_size(tall: float, wide: float, letters: int) -> float:
    """Height that letters read at: their height, or less where they are pressed together. ``letters`` 0 is a logo."""
    return min(tall, wide) if letters == 0 else min(tall, _SQUEEZED * wide / letters)

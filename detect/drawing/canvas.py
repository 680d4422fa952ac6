"""A video's picture to draw on: 4:2:0 planes, and colours as the video stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from detect.media.planes import Plane, Planes

# Luma's share of red and blue by H.273's matrix codes; the rest is green.
_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
_BT601 = (0.299, 0.114)

Rgb = tuple[int, int, int]


class Ink(NamedTuple):
    """A colour as samples, 0-255."""

    y: int
    u: int
    v: int


@dataclass(frozen=True)
class Inks:
    """How a video stores colours: the code of its ``matrix`` in H.273, and whether it uses all of 0-255."""

    matrix: int
    full: bool

    def ink(self, rgb: Rgb) -> Ink:
        """The samples of a colour given as red, green and blue, 0-255."""
        red, green, blue = (value / 255 for value in rgb)
        of_red, of_blue = _WEIGHTS.get(self.matrix, _BT601)
        luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
        cb, cr = (blue - luma) / (2 * (1 - of_blue)), (red - luma) / (2 * (1 - of_red))
        offset, luma_span, chroma_span = (0, 255, 255) if self.full else (16, 219, 224)
        return Ink(
            round(offset + luma_span * luma),
            min(255, round(128 + chroma_span * cb)),
            min(255, round(128 + chroma_span * cr)),
        )


@dataclass(frozen=True)
class Stamp:
    """A small opaque picture of even width and height, such as a label."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.y.shape[1], self.y.shape[0]


class Area:
    """A polygon that is drawn over and over, of ``(x, y)`` pixels of a picture ``width`` x ``height``."""

    def __init__(self, points: Sequence[tuple[float, float]], width: int, height: int, *, line: int) -> None:
        self._points = [np.array(points, np.float64), np.array(points, np.float64) / 2]
        self._sizes = [(width, height), (width // 2, height // 2)]
        self._lines = [line, max(1, line // 2)]

    @cached_property
    def masks(self) -> list[tuple[tuple[slice, slice], Plane]]:
        """Where the polygon lies, and which samples there are inside: for luma and for chroma."""
        found = []
        for points, (width, height) in zip(self._points, self._sizes, strict=True):
            mask = np.zeros((height, width), np.uint8)
            cv2.fillPoly(mask, [_fixed(points)], (255,), shift=_SHIFT)
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            if len(rows):
                place = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
                found.append((place, np.ascontiguousarray(mask[place])))
            else:
                found.append(((slice(0, 0), slice(0, 0)), mask[:0, :0]))
        return found

    def outline(self, planes: Planes, ink: Ink) -> None:
        for plane, value in zip(planes, ink, strict=True):
            level = 0 if plane is planes.y else 1
            points, line = _fixed(self._points[level]), self._lines[level]
            cv2.polylines(plane, [points], isClosed=True, color=(value,), thickness=line, shift=_SHIFT)

    def tint(self, planes: Planes, ink: Ink, strength: float) -> None:
        """Mix the colour into what is inside; ``strength`` 0-1."""
        for plane, value in zip(planes, ink, strict=True):
            place, mask = self.masks[0 if plane is planes.y else 1]
            if mask.size:
                # OpenCV's masked copy: NumPy's takes as long as all other drawing together in a 4K picture
                cv2.copyTo(cv2.LUT(plane[place], _mixing(value, strength)), mask, plane[place])


_SHIFT = 4


def _fixed(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def _mixing(value: int, strength: float) -> Plane:
    return np.round(np.arange(256) * (1 - strength) + value * strength).astype(np.uint8)


def fill(planes: Planes, x1: int, y1: int, x2: int, y2: int, ink: Ink) -> None:
    """Paint a rectangle, cut at the picture's edges; corners count best in even pixels, as chroma does."""
    x1, y1 = max(0, x1), max(0, y1)
    if x2 <= x1 or y2 <= y1:
        return
    planes.y[y1:y2, x1:x2] = ink.y
    half = slice(y1 // 2, (y2 + 1) // 2), slice(x1 // 2, (x2 + 1) // 2)
    planes.u[half], planes.v[half] = ink.u, ink.v


def put(planes: Planes, stamp: Stamp, x: int, y: int) -> None:
    """Put a stamp with its upper left corner at even pixels ``(x, y)`` inside the picture; what is over is cut."""
    for plane, part, step in ((planes.y, stamp.y, 1), (planes.u, stamp.u, 2), (planes.v, stamp.v, 2)):
        target = plane[y // step : y // step + part.shape[0], x // step : x // step + part.shape[1]]
        target[:] = part[: target.shape[0], : target.shape[1]]

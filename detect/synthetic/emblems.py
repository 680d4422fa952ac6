"""Drawn marks: the small emblems beside some names, and the wordless logos, rich enough for local features."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from detect.synthetic.brands import Brand, Colour, colour

Picture = npt.NDArray[np.uint8]

_SUPERSAMPLE = 2


class Inks(NamedTuple):
    """The colours of a mark: its own, a second one, and what it lies on."""

    ink: Colour
    accent: Colour
    ground: Colour


@functools.lru_cache(maxsize=64)
def emblem_picture(brand: Brand, size: int) -> Picture:
    """The brand's emblem on its ground colour, ``size`` x ``size`` BGR."""
    side = size * _SUPERSAMPLE
    picture = np.full((side, side, 3), colour(brand.ground), np.uint8)
    _PAINTERS[brand.emblem](picture, Inks(colour(brand.ink), colour(brand.accent), colour(brand.ground)))
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _polygon(picture: Picture, points: list[tuple[float, float]], paint: Colour) -> None:
    """Fills a polygon given in parts of the picture's side."""
    side = picture.shape[0]
    cv2.fillPoly(picture, [np.round(np.array(points) * side * 16).astype(np.int32)], paint, cv2.LINE_AA, 4)


def _disc(picture: Picture, x: float, y: float, radius: float, paint: Colour) -> None:
    side = picture.shape[0] * 16
    cv2.circle(picture, (round(x * side), round(y * side)), round(radius * side), paint, -1, cv2.LINE_AA, 4)


def _polar(turn: float, radius: float) -> tuple[float, float]:
    """The point at ``turn`` (parts of a circle, clockwise from the top) and ``radius`` from the middle."""
    return 0.5 + radius * math.sin(turn * math.tau), 0.5 - radius * math.cos(turn * math.tau)


def _chevrons(picture: Picture, inks: Inks) -> None:
    for shift, paint in ((0.0, inks.accent), (0.3, inks.ink)):
        left, middle, right = 0.12 + shift, 0.42 + shift, 0.3 + shift
        points = [(left, 0.1), (right, 0.1), (middle + 0.16, 0.5), (right, 0.9), (left, 0.9), (middle - 0.02, 0.5)]
        _polygon(picture, points, paint)


def _slashes(picture: Picture, inks: Inks) -> None:
    for shift in (0.0, 0.27, 0.54):
        _polygon(picture, [(0.22 + shift, 0.1), (0.4 + shift, 0.1), (0.2 + shift, 0.9), (0.02 + shift, 0.9)], inks.ink)


def _hexagon(picture: Picture, inks: Inks) -> None:
    for radius, paint in ((0.48, inks.accent), (0.32, inks.ground), (0.2, inks.ink)):
        _polygon(picture, [_polar(corner / 6, radius) for corner in range(6)], paint)


def _dots(picture: Picture, inks: Inks) -> None:
    for x, y, radius in ((0.3, 0.66, 0.24), (0.7, 0.66, 0.24), (0.5, 0.26, 0.2)):
        _disc(picture, x, y, radius, inks.accent if y < 0.5 else inks.ink)


def _bar(picture: Picture, inks: Inks) -> None:
    _polygon(picture, [(0.1, 0.1), (0.45, 0.1), (0.45, 0.9), (0.1, 0.9)], inks.accent)
    _polygon(picture, [(0.55, 0.1), (0.9, 0.1), (0.9, 0.45), (0.55, 0.45)], inks.ink)
    _polygon(picture, [(0.55, 0.55), (0.9, 0.55), (0.9, 0.9), (0.55, 0.9)], inks.ink)


def _sun(picture: Picture, inks: Inks) -> None:
    rays = 11
    for ray in range(rays):
        turn, long = ray / rays, 0.49 if ray % 2 else 0.4
        _polygon(picture, [_polar(turn - 0.035, 0.27), _polar(turn, long), _polar(turn + 0.045, 0.27)], inks.ink)
        _polygon(picture, [_polar(turn, 0.27), _polar(turn, long), _polar(turn + 0.045, 0.27)], inks.accent)
    _disc(picture, 0.5, 0.5, 0.25, inks.ink)
    _polygon(picture, [(0.3, 0.56), (0.42, 0.4), (0.5, 0.5), (0.6, 0.34), (0.71, 0.58), (0.5, 0.72)], inks.accent)
    _disc(picture, 0.41, 0.57, 0.05, inks.ground)
    _polygon(picture, [(0.52, 0.56), (0.62, 0.46), (0.64, 0.6)], inks.ground)


def _wheel(picture: Picture, inks: Inks) -> None:
    teeth = 14
    for tooth in range(teeth):
        turn = tooth / teeth
        _polygon(picture, [_polar(turn - 0.022, 0.36), _polar(turn - 0.012, 0.49), _polar(turn + 0.018, 0.49),
                           _polar(turn + 0.024, 0.36)], inks.ink)  # fmt: skip
    _disc(picture, 0.5, 0.5, 0.4, inks.ink)
    _disc(picture, 0.5, 0.5, 0.33, inks.accent)
    for spoke, width in enumerate((0.05, 0.09, 0.05, 0.12, 0.06)):
        turn = spoke / 5 + 0.03
        _polygon(picture, [(0.5, 0.5), _polar(turn - width / 2, 0.33), _polar(turn + width / 2, 0.33)], inks.ink)
    _polygon(picture, [_polar(corner / 5 + 0.1 * (corner % 2), 0.17) for corner in range(5)], inks.ground)
    _polygon(picture, [(0.44, 0.42), (0.57, 0.46), (0.52, 0.6), (0.42, 0.55)], inks.ink)


def _mosaic(picture: Picture, inks: Inks) -> None:
    """A shield of triangles, light and dark by a fixed pattern, so that no two corners look the same."""
    pattern = (0b1011001, 0b0110110, 0b1100101, 0b0101011, 0b1011010)
    cells = len(pattern)
    for row, bits in enumerate(pattern):
        inset = 0.0 if row < 3 else 0.09 * (row - 2)
        step = (0.9 - 2 * inset) / cells
        top, bottom = 0.05 + row * 0.18, 0.05 + (row + 1) * 0.18
        for cell in range(cells):
            left = 0.05 + inset + cell * step
            upper, lower = (inks.ink, inks.accent) if bits >> cell & 1 else (inks.accent, inks.ink)
            _polygon(picture, [(left, top), (left + step, top), (left, bottom)], upper)
            if (row + 2 * cell) % 3:
                _polygon(picture, [(left + step, top), (left + step, bottom), (left, bottom)], lower)


_PAINTERS = {
    "chevrons": _chevrons, "slashes": _slashes, "hexagon": _hexagon, "dots": _dots, "bar": _bar,
    "sun": _sun, "wheel": _wheel, "mosaic": _mosaic,
}  # fmt: skip

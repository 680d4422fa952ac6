"""Advertising boards: rows of painted panels and LED panels that change what they show on a schedule."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from detect.synthetic.artwork import Mark, board_page
from detect.synthetic.brands import Brand
from detect.synthetic.camera import Point3
from detect.synthetic.emblems import Picture
from detect.synthetic.levels import LedChange

BOARD_HEIGHT = 1.0
CHANGE_SECONDS = 0.5
"""How long an LED panel takes from one page to the next, where it does not cut."""

Rectangle = tuple[float, float, float, float]
"""``left, bottom, right, top`` in metres along and above the foot of a row."""


@dataclass(frozen=True)
class Slot:
    """From ``start`` seconds on a panel shows ``brand``, arriving by ``change``, running at ``scroll`` m/s."""

    start: float
    brand: Brand
    change: LedChange = "cut"
    scroll: float = 0.0


@dataclass(frozen=True)
class Panel:
    """A stretch of a row. ``group`` is the extent of the LED strip it belongs to (its own, for a painted board)."""

    left: float
    length: float
    placement: Literal["board", "led"]
    slots: tuple[Slot, ...]
    group: tuple[float, float]


@dataclass(frozen=True)
class Row:
    """Panels side by side on one plane. ``surface`` is its number in the map of what covers what."""

    surface: int
    origin: Point3
    along: Point3
    panels: tuple[Panel, ...]

    def at(self, distance: float) -> Point3:
        """The point at the row's foot, ``distance`` metres along it."""
        (x, y, z), (dx, dy, dz) = self.origin, self.along
        return x + distance * dx, y + distance * dy, z + distance * dz


@dataclass(frozen=True)
class PlacedMark:
    """A mark somewhere on a row: its whole rectangle, the part of the row it may show in, and how solid it is."""

    name: str
    placement: str
    rectangle: Rectangle
    window: Rectangle
    cap: float
    opacity: float


@dataclass(frozen=True)
class _Layer:
    """A page on a panel at one instant: how far it is scrolled and rolled up (metres), and which part of it shows."""

    brand: Brand
    scroll: float
    rise: float
    opacity: float
    shown: tuple[float, float]


def _layers(panel: Panel, seconds: float) -> list[_Layer]:
    """What a panel shows, from below to above: one page, or two during a change."""
    current = max(0, bisect_right([slot.start for slot in panel.slots], seconds) - 1)
    slot = panel.slots[current]
    since = seconds - slot.start
    whole, distance = (0.0, panel.length), slot.scroll * since
    progress = since / CHANGE_SECONDS
    if current == 0 or slot.change == "cut" or progress >= 1:
        return [_Layer(slot.brand, distance, 0.0, 1.0, whole)]
    before = panel.slots[current - 1]
    gone = before.scroll * (seconds - before.start)
    if slot.change == "fade":
        return [
            _Layer(before.brand, gone, 0.0, 1 - progress, whole),
            _Layer(slot.brand, distance, 0.0, progress, whole),
        ]
    if slot.change == "roll":
        up = progress * BOARD_HEIGHT
        return [_Layer(before.brand, gone, up, 1.0, whole), _Layer(slot.brand, distance, up - BOARD_HEIGHT, 1.0, whole)]
    edge = progress * panel.length
    return [
        _Layer(before.brand, gone, 0.0, 1.0, (edge, panel.length)),
        _Layer(slot.brand, distance, 0.0, 1.0, (0.0, edge)),
    ]


def panel_picture(panel: Panel, seconds: float, level: int) -> Picture:
    """The panel as it looks at ``seconds``, at mip ``level`` (0 is full size)."""
    layers = _layers(panel, seconds)
    pictures = [_scrolled(layer, panel.length, level) for layer in layers]
    if len(layers) == 1:
        return pictures[0]
    below, above = layers
    if below.opacity < 1:
        return np.asarray(cv2.addWeighted(pictures[0], below.opacity, pictures[1], above.opacity, 0), np.uint8)
    rows, columns = pictures[0].shape[:2]
    if below.rise:
        up = round(below.rise / BOARD_HEIGHT * rows)
        return np.concatenate([pictures[0][up:], pictures[1][:up]])
    edge = round(above.shown[1] / panel.length * columns)
    return np.concatenate([pictures[1][:, :edge], pictures[0][:, edge:]], axis=1)


def _scrolled(layer: _Layer, length: float, level: int) -> Picture:
    picture = board_page(layer.brand, length, BOARD_HEIGHT).mips[level]
    columns = round(layer.scroll / length * picture.shape[1]) % picture.shape[1]
    return np.roll(picture, columns, axis=1) if columns else picture


def panel_marks(panel: Panel, seconds: float) -> Iterator[PlacedMark]:
    """Where the panel's names and logos are at ``seconds``, notices that are no brands included."""
    for layer in _layers(panel, seconds):
        start, end = panel.left + layer.shown[0], panel.left + layer.shown[1]
        if layer.scroll:
            # A name that runs off one panel runs onto the next: it is one name, seen up to the strip's ends.
            start, end = panel.group
        window = (start, 0.0, end, BOARD_HEIGHT)
        for mark in board_page(layer.brand, panel.length, BOARD_HEIGHT).marks:
            for left in _wrapped(panel, mark, layer.scroll):
                rectangle = (left, mark.bottom + layer.rise, left + mark.right - mark.left, mark.top + layer.rise)
                yield PlacedMark(mark.name, panel.placement, rectangle, window, mark.cap, layer.opacity)


def _wrapped(panel: Panel, mark: Mark, scroll: float) -> Iterator[float]:
    """Left edges of a mark; a scrolled one also enters at the left end of its strip."""
    offset = (mark.left + scroll) % panel.length
    if scroll and panel.left == panel.group[0] and offset + mark.right - mark.left > panel.length:
        yield panel.left + offset - panel.length
    yield panel.left + offset

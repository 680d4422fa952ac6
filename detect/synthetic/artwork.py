"""What a brand puts on a surface: boards, LED pages, shirts, broadcast graphics, and the picture to know a logo by."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detect.drawing.typeset import set_text
from detect.synthetic.brands import Brand, colour
from detect.synthetic.emblems import Picture, emblem_picture

BOARD_SCALE = 96
"""Pixels a metre in board artwork."""

MIP_LEVELS = 5
Mips = tuple[Picture, ...]
"""The same picture at full, half, quarter … size, for drawing it small without aliasing."""


@dataclass(frozen=True)
class Mark:
    """Where a name or logo lies on a flat surface: metres from the surface's left and bottom edge.

    ``cap`` is the height of the lettering above its baseline (of the whole drawing, for a logo).
    """

    name: str
    left: float
    bottom: float
    right: float
    top: float
    cap: float


@dataclass(frozen=True)
class Page:
    """A painted surface and the marks on it."""

    mips: Mips
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Stamp:
    """A name or logo as it is put on something: BGR colours, coverage 0-255, and where the lettering is in pixels.

    ``box`` is ``x1, y1, x2, y2`` of the name itself (without its emblem), ``cap`` the height of its capitals.
    """

    picture: Picture
    alpha: npt.NDArray[np.uint8]
    box: tuple[int, int, int, int]
    cap: int


def mipmaps(picture: Picture) -> Mips:
    """``picture`` and its halvings, :data:`MIP_LEVELS` in all."""
    mips = [picture]
    while len(mips) < MIP_LEVELS:
        height, width = mips[-1].shape[:2]
        half = cv2.resize(mips[-1], (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
        mips.append(np.asarray(half, np.uint8))
    return tuple(mips)


@functools.lru_cache(maxsize=128)
def stamp(brand: Brand, cap: int, ink: str | None = None) -> Stamp:
    """The brand's name with capitals ``cap`` pixels tall, or its logo one and a half times as tall.

    With ``ink`` the name stands alone in that colour, as on a shirt.
    """
    if brand.kind == "logo":
        size = round(cap * 1.5)
        picture = emblem_picture(brand, size)
        return Stamp(picture, np.full((size, size), 255, np.uint8), (0, 0, size, size), size)
    letters = set_text(brand.name, brand.face, cap)
    height, width = letters.mask.shape
    emblem_size = round(letters.cap * 1.15) if brand.emblem and ink is None else 0
    shift = round(emblem_size * 1.25)
    picture = np.empty((height, width + shift, 3), np.uint8)
    picture[:] = colour(ink or brand.ink)
    alpha = np.zeros((height, width + shift), np.uint8)
    alpha[:, shift:] = letters.mask
    if emblem_size:
        emblem = emblem_picture(brand, emblem_size)[:height]
        picture[: len(emblem), :emblem_size] = emblem
        alpha[: len(emblem), :emblem_size] = 255
    return Stamp(picture, alpha, (shift, 0, shift + width, height), letters.cap)


def blend(
    target: Picture, picture: Picture, alpha: npt.NDArray[np.uint8], left: int, top: int, opacity: float = 1
) -> None:
    """Puts ``picture`` over ``target`` in place with its top-left corner at ``left, top``; what lies outside is cut."""
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(target.shape[1], left + picture.shape[1]), min(target.shape[0], top + picture.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    source = picture[y1 - top : y2 - top, x1 - left : x2 - left]
    weight = alpha[y1 - top : y2 - top, x1 - left : x2 - left].astype(np.float32) * (opacity / 255)
    area = target[y1:y2, x1:x2]
    area[:] = cv2.blendLinear(
        np.ascontiguousarray(source), np.ascontiguousarray(area), weight, np.asarray(1 - weight, np.float32)
    )


@functools.lru_cache(maxsize=128)
def board_page(brand: Brand, length: float, height: float = 1.0) -> Page:
    """A board ``length`` x ``height`` metres painted for ``brand``: its name as often as it fits, up to twice."""
    width_px, height_px = round(length * BOARD_SCALE), round(height * BOARD_SCALE)
    canvas = np.full((height_px, width_px, 3), colour(brand.ground), np.uint8)
    cap = round(height_px * 0.52)
    art = stamp(brand, cap)
    while art.picture.shape[1] > 0.92 * width_px:
        cap = round(cap * 0.9)
        art = stamp(brand, cap)
    copies = 3 if brand.kind == "logo" else 2 if art.picture.shape[1] * 2.5 < width_px else 1
    if not brand.distractor:
        cv2.rectangle(canvas, (0, round(height_px * 0.93)), (width_px, height_px), colour(brand.accent), -1)
    marks = []
    for copy in range(copies):
        left = round((copy + 0.5) * width_px / copies - art.picture.shape[1] / 2)
        top = round(height_px * 0.47 - art.cap / 2)
        blend(canvas, art.picture, art.alpha, left, top)
        marks.append(_mark(brand, art, left, top, height_px))
    return Page(mipmaps(canvas), tuple(marks))


def _mark(brand: Brand, art: Stamp, left: int, top: int, height_px: int) -> Mark:
    x1, y1, x2, y2 = (edge / BOARD_SCALE for edge in art.box)
    x, y = left / BOARD_SCALE, (height_px - top) / BOARD_SCALE
    return Mark(brand.name, x + x1, y - y2, x + x2, y - y1, art.cap / BOARD_SCALE)


def logo_image(brand: Brand, size: int = 320) -> Picture:
    """A clean reference picture of the brand's mark, as one would find on its web site: BGR, ``size`` pixels tall."""
    margin = size // 8
    art = stamp(brand, round((size - 2 * margin) / (1.5 if brand.kind == "logo" else 2.2)))
    height, width = art.picture.shape[:2]
    picture = np.full((size, width + 2 * margin, 3), colour(brand.ground), np.uint8)
    blend(picture, art.picture, art.alpha, margin, (size - height) // 2)
    return picture

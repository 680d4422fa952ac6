"""Marks in one colour on boards, found by their silhouette: three bars twenty pixels wide have too few local features.

A board is straightened by its corners and the silhouette laid over it at several sizes and widths, dark on light and
light on dark. Where that fits, the place is looked at more closely: the silhouette is fitted with a free slant and
width, and so are rivals, plain shapes and the letters and digits of several type faces, as blurred as the place is. A
mark is accepted only if the picture is like it (correlation) and is like no rival: ``gain`` says how many times as
large the best rival's deviation is as the mark's.

Looked for on boards of five clips (soccer, cricket, three synthetic matches); the last row on 13 frames of them:

============================================  ===========  =======  ==========
what                                          correlation  gain     confidence
============================================  ===========  =======  ==========
a mark that is there, 16-18 pixels high       0.96-0.98    2.6-5    0.6-0.9
best of 46 well-known marks that are not      0.95         1.7      0.42
best of 250 marks drawn by lot that are not   0.94         2.2      0.54
============================================  ===========  =======  ==========

Both must hold, so the confidence is that of the weaker: 0.6 at a correlation of 0.945 and at a gain of 2.4.
"""

from __future__ import annotations

import hashlib
import math
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from detect.drawing.typeset import Face, set_text
from detect.geometry import iou, quad_box
from detect.stages.base import Image
from detect.types import Box, Region

Floats = npt.NDArray[np.float32]

_VERSION = 1
_STRIP = 24  # rows of a straightened board, of which a tenth at the top and at the bottom lie outside
_BEYOND = 0.1
_MOST_COLUMNS = 2400
_SIZES = (0.36, 0.42, 0.49, 0.57, 0.66, 0.77, 0.9)  # height of a mark, of the strip's
_WIDTHS = (1.0, 0.8)
_GROUND = 0.12  # around a mark, of its height, that belongs to its look
_LEAST_HEIGHT = 9.0  # pixels of the picture
_PROMISING = 0.72
_MOST_PLACES = 3  # of one mark on one board
_ROWS, _BORDER, _ROOM = 32, 6, 12  # a mark looked at closely: its height, the ground around, what the fit may use
_BLURS = (0.7, 1.2, 1.8, 2.6)
_LEAST_CONTRAST = 10.0
_MOST_STRETCH = 1.5
_LEAST_CONFIDENCE = 0.2


@dataclass(frozen=True)
class FlatMatch:
    """A brand's mark on a board; ``gain`` and ``correlation`` are as the module says."""

    brand: str
    box: Box
    confidence: float
    correlation: float
    gain: float


class _Place(NamedTuple):
    """Where a silhouette may be in a strip, the ground around it left out."""

    score: float
    left: int
    top: int
    width: int
    height: int


class _Mask(NamedTuple):
    """A silhouette of ``width`` x ``height`` with so much empty ground around it."""

    width: int
    height: int
    ground: int
    coverage: Floats


@dataclass(frozen=True)
class _FlatMark:
    """A mark as it is looked for; ``columns`` is its width when it is looked at closely."""

    brand: str
    shape: Image
    columns: int
    masks: list[_Mask]


class FlatMarkFinder:
    """Finds silhouettes, ``(brand, coverage 0-255)`` each, on the boards of a picture."""

    def __init__(self, marks: Sequence[tuple[str, Image]]) -> None:
        self._marks = [_FlatMark(brand, shape, _columns(shape), _masks(shape)) for brand, shape in marks]
        digest = hashlib.sha256(f"flat marks {_VERSION}".encode())
        for brand, shape in marks:
            digest.update(f"\0{brand}\0{shape.shape}\0".encode() + shape.tobytes())
        self.digest = digest.hexdigest()

    def find(self, image: Image, boards: Sequence[Region]) -> list[FlatMatch]:
        """Marks on ``boards`` of a ``(height, width, 3)`` BGR picture, surest first, each place once."""
        if not self._marks or not boards:
            return []
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        found: list[FlatMatch] = []
        for board in boards:
            straight = _straightened(grey, board)
            if straight is None:
                continue
            strip, to_strip, shrink = straight
            for mark in self._marks:
                for place in _places(strip, mark.masks, _LEAST_HEIGHT / shrink):
                    match = _look_closely(grey, to_strip, place, mark, place.height * shrink)
                    if match is not None:
                        correlation, gain, corners = match
                        confidence = _confidence(correlation, gain)
                        box = quad_box(corners, grey.shape[1], grey.shape[0])
                        if confidence >= _LEAST_CONFIDENCE and box.area:
                            found.append(FlatMatch(mark.brand, box, confidence, correlation, gain))
        return _each_place_once(found)


def _confidence(correlation: float, gain: float) -> float:
    evidence = min(1.2 * (gain - 2.4), 45 * (correlation - 0.945))
    return 1 / (1 + math.exp(-(math.log(0.6 / 0.4) + evidence)))


def _columns(shape: Image) -> int:
    """Width of a mark of ``_ROWS`` rows, in steps of four so that marks share their rivals."""
    return int(np.clip(4 * round(_ROWS * shape.shape[1] / shape.shape[0] / 4), 12, 160))


def _straightened(grey: Image, board: Region) -> tuple[Floats, npt.NDArray[np.float64], float] | None:
    """A board as a strip, the way from the picture to it, and pixels of the picture to one of the strip."""
    box = board.box
    corners = board.quad or ((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))
    quad = np.array(corners, np.float32)
    height = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
    width = max(float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[2] - quad[3])))
    if height < _LEAST_HEIGHT:
        return None
    margin = round(_BEYOND * _STRIP)
    rows = _STRIP - 2 * margin
    columns = int(np.clip(round(width * rows / height), 8, _MOST_COLUMNS))
    straight = np.array([(0, margin), (columns, margin), (columns, margin + rows), (0, margin + rows)], np.float32)
    to_strip = cv2.getPerspectiveTransform(quad, straight)
    shrink = height / rows
    source = cv2.GaussianBlur(grey, (0, 0), 0.45 * shrink) if shrink > 1.6 else grey
    strip = cv2.warpPerspective(source, to_strip, (columns, _STRIP), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(strip, np.float32), np.asarray(to_strip, np.float64), shrink


def _masks(shape: Image) -> list[_Mask]:
    """A silhouette at every size and width that is looked for."""
    masks = []
    for size in _SIZES:
        height = round(size * _STRIP)
        ground = max(1, round(_GROUND * height))
        for stretch in _WIDTHS:
            width = max(4, round(height * shape.shape[1] / shape.shape[0] * stretch))
            if height + 2 * ground <= _STRIP:
                small = cv2.resize(shape, (width, height), interpolation=cv2.INTER_AREA)
                masks.append(_Mask(width, height, ground, _framed(small, ground)))
    return masks


def _places(strip: Floats, masks: list[_Mask], least: float) -> list[_Place]:
    """Where a silhouette at least ``least`` rows high may be in a strip, best first, apart from each other."""
    found: list[_Place] = []
    for width, height, ground, mask in masks:
        if height >= least and width + 2 * ground <= strip.shape[1]:
            fits = np.abs(cv2.matchTemplate(strip, mask, cv2.TM_CCOEFF_NORMED))
            for _ in range(_MOST_PLACES):
                _, score, _, (left, top) = cv2.minMaxLoc(fits)
                if score < _PROMISING:
                    break
                found.append(_Place(score, left + ground, top + ground, width, height))
                fits[:, max(0, left - width // 2) : left + width // 2 + 1] = 0
    kept: list[_Place] = []
    for place in sorted(found, reverse=True):
        middle = place.left + place.width / 2
        if all(abs(middle - other.left - other.width / 2) > 0.5 * other.width for other in kept):
            kept.append(place)
    return kept[:_MOST_PLACES]


def _look_closely(
    grey: Image, to_strip: npt.NDArray[np.float64], place: _Place, mark: _FlatMark, pixels: float
) -> tuple[float, float, list[tuple[float, float]]] | None:
    """Correlation, gain and corners of a mark fitted to a place, ``pixels`` high in the picture; None if it cannot."""
    columns, outer = mark.columns, _BORDER + _ROOM
    right, bottom = place.left + place.width, place.top + place.height
    seen = np.array([(place.left, place.top), (right, place.top), (right, bottom), (place.left, bottom)], np.float32)
    inner = np.array([(0, 0), (columns, 0), (columns, _ROWS), (0, _ROWS)], np.float32)
    to_patch = cv2.getPerspectiveTransform(seen, np.asarray(inner + outer, np.float32)) @ to_strip
    size = (columns + 2 * outer, _ROWS + 2 * outer)
    if pixels > 1.6 * _ROWS:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.45 * pixels / _ROWS), np.uint8)
    patch = cv2.warpPerspective(grey, to_patch, size, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    level = int(np.argmin([abs(math.log(blur * pixels / (0.55 * _ROWS))) for blur in _BLURS]))
    template = _blurred(mark.shape, columns, level)
    if float((_unit(patch[_ROOM:-_ROOM, _ROOM:-_ROOM]) * _unit(template)).sum()) < 0:
        template = 255 - template
    fit = np.array([[1, 0, _ROOM], [0, 1, _ROOM]], np.float32)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)
    try:
        _, fit = cv2.findTransformECC(template, patch, fit, cv2.MOTION_AFFINE, enough, None, 1)  # type: ignore[call-overload]
    except cv2.error:  # how OpenCV says that the fit ran away
        return None
    stretch = np.linalg.svd(fit[:, :2])[1]
    if stretch[0] > _MOST_STRETCH * stretch[1] or not 1 / _MOST_STRETCH < math.sqrt(stretch.prod()) < _MOST_STRETCH:
        return None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fitted = cv2.warpAffine(patch, fit, template.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if float(fitted.std()) < _LEAST_CONTRAST:
        return None
    picture = _unit(np.asarray(fitted, np.float32))
    correlation = float((picture * _unit(template)).sum())
    if _confidence(correlation, math.inf) < _LEAST_CONFIDENCE:
        return None
    rival = float(np.abs(_rivals(columns, level) @ picture.ravel()).max())
    to_picture = np.linalg.inv(to_patch) @ np.vstack([fit, [0, 0, 1]])
    corners = cv2.perspectiveTransform((inner + _BORDER).reshape(1, 4, 2).astype(np.float64), to_picture)[0]
    return correlation, (1 - rival) / (1.02 - correlation), [(float(x), float(y)) for x, y in corners]


def _blurred(shape: Image, columns: int, level: int) -> Floats:
    """A silhouette of ``_ROWS`` rows with ground around, as blurred as the level says."""
    small = cv2.resize(shape, (columns, _ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(_framed(small, _BORDER), (0, 0), _BLURS[level]), np.float32)


def _framed(shape: Image, ground: int) -> Floats:
    """A silhouette with empty ground on all sides."""
    return np.pad(shape, ground).astype(np.float32)


def _unit(picture: Floats) -> Floats:
    """A picture without its mean, of length one."""
    levels = picture - picture.mean()
    return np.asarray(levels / max(float(np.linalg.norm(levels)), 1e-3), np.float32)


@lru_cache(maxsize=16)
def _rivals(columns: int, level: int) -> Floats:
    """``(n, pixels)``: what a mark of this width is easily taken for, as blurred as the level says."""
    return np.stack([_unit(_blurred(shape, columns, level)).ravel() for shape in _rival_shapes()])


@lru_cache(maxsize=1)
def _rival_shapes() -> tuple[Image, ...]:
    faces = (Face("sans", 700), Face("sans", 400, slant=0.2), Face("serif"), Face("wide"))
    letters = string.ascii_uppercase + string.digits + "abdefghkmnqrtuy"
    return (*(set_text(letter, face, 64).mask for face in faces for letter in letters), *_plain_shapes())


def _plain_shapes() -> Iterator[Image]:
    """Discs and rings, bars, triangles and such, 128 x 128."""
    for radius, thickness in ((63, -1), (52, 22), (57, 12)):
        yield cv2.circle(np.zeros((128, 128), np.uint8), (64, 64), radius, 255, thickness)
    for ring, hole in ((0, 36), (63, 25)):
        disc = np.full((128, 128), 0 if ring else 255, np.uint8)
        cv2.circle(disc, (64, 64), ring, 255, -1)
        yield cv2.circle(disc, (64, 64), hole, 0, -1)
    for bars in ([(1, 126)], [(0, 50), (78, 127)], [(0, 28), (50, 78), (100, 127)]):
        barred = np.zeros((128, 128), np.uint8)
        for first, last in bars:
            barred[first : last + 1] = 255
        yield barred
        yield np.ascontiguousarray(barred.T)
    for outline in (
        [(0, 127), (127, 127), (64, 0)],
        [(0, 0), (127, 0), (64, 127)],
        [(0, 127), (127, 127), (127, 0)],
        [(0, 127), (127, 127), (0, 0)],
        [(0, 0), (127, 64), (0, 127)],
        [(64, 0), (127, 64), (64, 127), (0, 64)],
        [(40, 0), (127, 0), (87, 127), (0, 127)],
    ):
        yield cv2.fillPoly(np.zeros((128, 128), np.uint8), [np.array(outline, np.int32)], (255,))


def _each_place_once(found: list[FlatMatch]) -> list[FlatMatch]:
    kept: list[FlatMatch] = []
    for match in sorted(found, key=lambda match: (-match.confidence, match.brand, match.box.x1)):
        if all(iou(match.box, better.box) < 0.3 for better in kept):
            kept.append(match)
    return kept

"""Lines of text on low boards: the strip is straightened and enlarged before it is searched.

Line detection on a whole picture misses lettering a few pixels high, and enlarging the whole picture costs as the
square of the scale. A board found by its edges is a few per cent of the picture, so it can be searched at several times
the size, and is level when it is. Strips of a picture are searched side by side, on sheets of one size: a network made
for each other size would take its memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from detect.engines.ocr import OcrEngine
from detect.motion import Quad
from detect.stages.base import Image
from detect.types import Box, Region

_MARGIN_SHARE = 0.2
_SHEET_WIDTH = 2560
_GAP = 16  # columns between two strips: no line of text reaches from one to another
_SAME_LINE = 0.5
_LETTERED = 0.3


@dataclass(frozen=True)
class BoardSearch:
    """Boards lower than ``below`` pixels are enlarged to ``height`` rows, at most ``limit`` of them in a picture."""

    below: int
    height: int
    limit: int
    line_threshold: float


Line = tuple[Quad, float]


def find_board_lines(
    ocr: OcrEngine, image: Image, boards: Sequence[Region], found: Sequence[Line], search: BoardSearch
) -> list[Line]:
    """Lines of text on the low boards of a BGR picture: quads in its pixels, with scores 0-1.

    A board that is lettered all along by the lines ``found`` already has nothing that is too small to be found.
    """
    low = [
        (quad, height)
        for quad in map(_quad, boards)
        if 8 <= (height := _height(quad)) < search.below and _lettered(quad, found) < _LETTERED
    ]
    strips = []
    for quad, height in low[: search.limit]:
        middle = (quad + quad[[3, 2, 1, 0]]) / 2  # grown across the board only: its ends are where they are
        strips.append(_enlarge(image, middle + (quad - middle) * (1 + _MARGIN_SHARE), search.height / height))
    rows = _rows(search.height)
    lines: list[Line] = []
    for sheet, places in _sheets([strip for strip, _ in strips], rows):
        seen = ocr.detect(sheet, long_side=max(sheet.shape[:2]), box_threshold=search.line_threshold)
        for number, left in places.items():
            strip, back = strips[number]
            height, width = strip.shape[:2]
            for line, score in seen:
                moved = line - np.array([left, 0], np.float32)
                if 0 <= moved[:, 0].mean() < width and 0 <= moved[:, 1].mean() < height:
                    there = cv2.perspectiveTransform(np.clip(moved, 0, (width, height)).reshape(1, 4, 2), back)
                    lines.append((there.reshape(4, 2).astype(np.float32), score))
    return lines


def _lettered(board: Quad, found: Sequence[Line]) -> float:
    """Which share of a board's length has a line on it, 0-1."""
    box = _box(board)
    columns = np.zeros(max(1, box.width), bool)
    for quad, _ in found:
        line = _box(quad)
        if box.y1 <= (line.y1 + line.y2) / 2 <= box.y2:
            columns[max(0, line.x1 - box.x1) : max(0, line.x2 - box.x1)] = True
    return float(columns.mean())


def add_missed(found: list[Line], more: list[Line]) -> list[Line]:
    """``found`` and those of ``more`` that lie where nothing was found yet."""
    kept = list(found)
    boxes = [_box(quad) for quad, _ in found]
    for quad, score in more:
        box = _box(quad)
        if all(_shared(box, other) < _SAME_LINE for other in boxes):
            kept.append((quad, score))
            boxes.append(box)
    return kept


def _rows(height: int) -> int:
    """Rows of a sheet that holds boards enlarged to this height, with their margins."""
    return math.ceil(height * (1 + _MARGIN_SHARE) / 32) * 32


def _sheets(strips: Sequence[Image], rows: int) -> Iterator[tuple[Image, dict[int, int]]]:
    """Sheets with all strips side by side, and at which column each lies on its sheet, by its number."""
    by_width = sorted(range(len(strips)), key=lambda number: -strips[number].shape[1])
    shelves: list[dict[int, int]] = []
    x = _SHEET_WIDTH
    for number in by_width:
        width = strips[number].shape[1]
        if x + width > _SHEET_WIDTH:
            shelves.append({})
            x = 0
        shelves[-1][number] = x
        x += width + _GAP
    for places in shelves:
        sheet = np.zeros((rows, _SHEET_WIDTH, 3), np.uint8)
        for number, left in places.items():
            height, width = strips[number].shape[:2]
            sheet[:height, left : left + width] = strips[number]
        yield sheet, places


def _enlarge(image: Image, quad: Quad, scale: float) -> tuple[Image, Quad]:
    """The quad as an upright strip ``scale`` times its size, and the ``3x3`` matrix from strip to picture."""
    length = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]))
    width, height = min(_SHEET_WIDTH, round(float(length) * scale)), max(8, round(_height(quad) * scale))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    forth = cv2.getPerspectiveTransform(np.ascontiguousarray(quad, np.float32), corners)
    strip = cv2.warpPerspective(image, forth, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return strip, np.linalg.inv(forth)


def _quad(region: Region) -> Quad:
    box = region.box
    corners = region.quad or ((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))
    return np.array(corners, np.float32)


def _height(quad: Quad) -> float:
    return float(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))


def _box(quad: Quad) -> Box:
    return Box.from_points([(float(x), float(y)) for x, y in quad])


def _shared(box: Box, other: Box) -> float:
    """Overlap as a share of the smaller box: pieces of one line lie inside it."""
    width = min(box.x2, other.x2) - max(box.x1, other.x1)
    height = min(box.y2, other.y2) - max(box.y1, other.y1)
    return max(0, width) * max(0, height) / max(1, min(box.area, other.area))

"""Pictures that show what :func:`detect.engines.boards.find_boards` saw, for people who tune it."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from detect.engines.boards import BoardFindings
from detect.stages.base import Image

_EDGE, _LINE, _BOARD = (80, 220, 255), (255, 200, 60), (60, 255, 60)  # BGR


def draw_edges(image: Image, findings: BoardFindings) -> Image:
    """The edges that lines were made of, over a darkened copy of the ``(height, width, 3)`` BGR picture."""
    canvas = _darkened(image)
    _draw_lines(canvas, findings.segments, _EDGE)
    return canvas


def draw_lines(image: Image, findings: BoardFindings) -> Image:
    """All near-horizontal lines, and the regions with their confidence, over a darkened copy of the BGR picture."""
    canvas = _darkened(image)
    _draw_lines(canvas, findings.lines, _LINE)
    thickness = _thickness(canvas)
    for region in findings.regions:
        corners = np.array(region.quad, dtype=np.int32)
        cv2.polylines(canvas, [corners], True, _BOARD, thickness, cv2.LINE_AA)  # noqa: FBT003 - closed
        place = (region.quad[3][0] + 2, max(12, region.quad[3][1] - 3))
        cv2.putText(canvas, f"{region.confidence:.2f}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * thickness, _BOARD, 1)
    return canvas


def _darkened(image: Image) -> Image:
    return np.asarray(cv2.convertScaleAbs(image, alpha=0.5), np.uint8)


def _draw_lines(
    canvas: Image, lines: Iterable[tuple[float, float, float, float]], colour: tuple[int, int, int]
) -> None:
    for x1, y1, x2, y2 in lines:
        cv2.line(canvas, (round(x1), round(y1)), (round(x2), round(y2)), colour, _thickness(canvas), cv2.LINE_AA)


def _thickness(canvas: Image) -> int:
    return max(1, round(canvas.shape[1] / 960))

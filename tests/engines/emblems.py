"""Wordless logos drawn for tests: as rich in corners as real crests are, and no two alike."""

from __future__ import annotations

import cv2
import numpy as np

from detect.stages.base import Image


def emblem(seed: int, size: int = 240) -> Image:
    """A shield, ring or lozenge filled with shapes, dark on white; another for each ``seed``."""
    rng = np.random.default_rng(seed)
    picture = np.full((size, size, 3), 255, np.uint8)
    colours = [tuple(int(v) for v in rng.integers(0, 110, 3)) for _ in range(3)]
    outline = [
        [(0.1, 0.08), (0.9, 0.08), (0.9, 0.55), (0.5, 0.95), (0.1, 0.55)],
        [(0.5, 0.03), (0.95, 0.5), (0.5, 0.97), (0.05, 0.5)],
        [(0.06, 0.2), (0.94, 0.06), (0.94, 0.8), (0.06, 0.94)],
    ][seed % 3]
    cv2.fillPoly(picture, [_points(outline, size)], colours[0], cv2.LINE_AA)
    inner = [(0.5 + (x - 0.5) * 0.86, 0.5 + (y - 0.5) * 0.86) for x, y in outline]
    cv2.fillPoly(picture, [_points(inner, size)], (250, 250, 250), cv2.LINE_AA)
    for index in range(11):
        x, y = rng.uniform(0.28, 0.72, 2)
        reach = rng.uniform(0.06, 0.16)
        colour = colours[index % 3]
        if index % 3 == 0:
            corners = [
                (x + reach * np.cos(a), y + reach * np.sin(a)) for a in rng.uniform(0, 2 * np.pi) + np.arange(3) * 2.1
            ]
            cv2.fillPoly(picture, [_points(corners, size)], colour, cv2.LINE_AA)
        elif index % 3 == 1:
            cv2.circle(picture, (int(x * size), int(y * size)), int(reach * size * 0.6), colour, -1, cv2.LINE_AA)
        else:
            end = (int((x + reach) * size), int((y + rng.uniform(-reach, reach)) * size))
            cv2.line(picture, (int(x * size), int(y * size)), end, colour, max(3, size // 30), cv2.LINE_AA)
    return picture


def cut_out(picture: Image) -> Image:
    """The picture with its white ground transparent: BGRA."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    ground = np.zeros((grey.shape[0] + 2, grey.shape[1] + 2), np.uint8)
    cv2.floodFill(grey.copy(), ground, (0, 0), 0, 3, 3, cv2.FLOODFILL_MASK_ONLY | (255 << 8) | 4)
    return np.dstack([picture, 255 - ground[1:-1, 1:-1]])


def _points(shares: list[tuple[float, float]], size: int) -> np.ndarray:
    return (np.array(shares) * size).round().astype(np.int32)

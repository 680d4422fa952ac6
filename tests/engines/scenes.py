"""Drawn scenes for detectors: grass, a crowd, and boards put there by a perspective that is known exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from detect.stages.base import Image

Quad = npt.NDArray[np.float64]
Colour = tuple[int, int, int]


def ground(width: int = 1280, height: int = 720, horizon: float = 0.4, seed: int = 0) -> Image:
    """A crowd above the ``horizon`` (share of the height) and striped grass below it."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.uint8)
    rows = int(horizon * height)
    if rows:
        heads = rng.integers(20, 200, (rows // 9 + 1, width // 7 + 1, 3), dtype=np.uint8)
        picture[:rows] = cv2.resize(heads, (width, rows), interpolation=cv2.INTER_CUBIC)
        picture[:rows] += rng.integers(0, 12, (rows, width, 3), dtype=np.uint8)
    stripes = np.where((np.arange(width) // (width // 10)) % 2, 130, 118)
    grass = np.stack([stripes // 4, stripes, stripes // 3], axis=-1)[None].repeat(height - rows, axis=0)
    picture[rows:] = np.clip(grass + rng.integers(-4, 5, grass.shape), 0, 255).astype(np.uint8)
    return picture


def board(texts: Sequence[str], colours: Sequence[Colour], width: int = 1200, height: int = 60) -> Image:
    """Panels side by side, each with its text in white or black on its colour."""
    panels = []
    for index, text in enumerate(texts):
        colour = colours[index % len(colours)]
        panel = np.full((height, width // len(texts), 3), colour, np.uint8)
        ink = (20, 20, 20) if sum(colour) > 380 else (250, 250, 250)
        scale = height / 45
        (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 2)
        scale *= min(1.0, 0.9 * panel.shape[1] / text_width)
        (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, 2)
        place = ((panel.shape[1] - text_width) // 2, (height + text_height) // 2)
        cv2.putText(panel, text, place, cv2.FONT_HERSHEY_DUPLEX, scale, ink, 2, cv2.LINE_AA)
        panels.append(panel)
    return np.hstack(panels)


def leaning(left: float, top: float, width: float, height: float, degrees: float, far: float = 1.0) -> Quad:
    """A quad ``width`` wide turned by ``degrees``; its right end is ``far`` times as high as its left one."""
    rise = width * math.tan(math.radians(degrees))
    middle = height / 2
    return np.array(
        [
            (left, top),
            (left + width, top + rise + middle * (1 - far)),
            (left + width, top + rise + middle * (1 + far)),
            (left, top + height),
        ]
    )


def paste(scene: Image, picture: Image, quad: Quad) -> Image:
    """``scene`` with ``picture`` warped onto ``quad`` (clockwise from top-left); a fourth channel is opacity."""
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    # Shrinking through a warp alone would skip pixels, which no camera does.
    shrink = max(width / max(np.ptp(quad[:, 0]), 1), height / max(np.ptp(quad[:, 1]), 1))
    if shrink > 1.5:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * shrink)
    transform = cv2.getPerspectiveTransform(corners, quad.astype(np.float32))
    size = (scene.shape[1], scene.shape[0])
    warped = cv2.warpPerspective(picture[..., :3], transform, size, flags=cv2.INTER_LINEAR)
    alpha = picture[..., 3] if picture.shape[2] == 4 else np.full((height, width), 255, np.uint8)
    share = cv2.warpPerspective(alpha, transform, size, flags=cv2.INTER_LINEAR)[..., None] / 255.0
    return (scene * (1 - share) + warped * share).round().astype(np.uint8)


def cover(a: Sequence[Sequence[float]] | Quad, b: Sequence[Sequence[float]] | Quad) -> float:
    """Which share of the convex polygon ``a`` lies inside the convex polygon ``b``."""
    first, second = np.array(a, np.float32), np.array(b, np.float32)
    return float(cv2.intersectConvexConvex(first, second)[0] / cv2.contourArea(first))

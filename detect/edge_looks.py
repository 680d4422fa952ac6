"""What one decoded frame says of a text that is expected at a place in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from detect.motion import PATCH_HEIGHT, Gray, Part, Patch, Quad, cut_patch, inside_columns

# Normalised cross-correlation with the last frame that showed the text, and with the sample.
_THERE, _GONE = 0.62, 0.45
_LIKE_SAMPLE = 0.4
# Contrast as a share of that on the sample: a text that fades keeps its pattern to the last.
_CLEAR, _FAINT = 0.6, 0.3
# Share of the text that lies in the picture, and the columns of it that are still compared.
_INSIDE, _OUTSIDE = 0.6, 0.35
_MIN_COLUMNS = 12
#: How far around its expected place a text is searched, line heights to the sides, up and down.
NEAR = 0.5, 0.3


class State(Enum):
    """What a frame says of a text."""

    THERE = "there"
    UNSURE = "unsure"
    GONE = "gone"


@dataclass(frozen=True)
class Look:
    """What one frame says of a text; with the place and looks of one that was found whole."""

    state: State
    score: float = 0.0
    quad: Quad | None = None
    patch: Patch | None = None


def look_for(gray: Gray, place: Quad, patch: Patch, sample: Patch, reach: tuple[float, float] = NEAR) -> Look:
    """What a frame says of a text expected at ``place``, which looked like ``patch`` last and ``sample`` at first."""
    columns = patch.shape[1]
    share, left, right = inside_columns(place, gray, columns)
    if share < _OUTSIDE or right - left < min(_MIN_COLUMNS, columns):
        return Look(State.GONE)
    whole = right - left == columns
    if not whole:
        part = Part(left / columns, right / columns)
        place, patch, sample = part.of_quad(place), part.of_patch(patch), part.of_patch(sample)
    quad, seen, score = _find(gray, place, patch, reach)
    if score < _GONE:
        return Look(State.GONE, score)
    contrast = _deviation(seen) / max(_deviation(sample), 1e-3)
    if contrast < _FAINT:
        return Look(State.GONE, score)
    alike = float(cv2.matchTemplate(seen, sample, cv2.TM_CCOEFF_NORMED)[0, 0])
    if score < _THERE or contrast < _CLEAR or share < _INSIDE or alike < _LIKE_SAMPLE:
        return Look(State.UNSURE, score)
    return Look(State.THERE, score, quad, seen) if whole else Look(State.THERE, score)


def _find(gray: Gray, place: Quad, patch: Patch, reach: tuple[float, float]) -> tuple[Quad, Patch, float]:
    """Where around ``place`` a frame looks most like ``patch``, its looks there, and how alike they are."""
    height, width = patch.shape
    aside, above = (round(way * PATCH_HEIGHT) for way in reach)
    window = cut_patch(gray, place, width, margin_x=reach[0], margin_y=reach[1])
    _, score, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED))
    right, down = np.float32((left - aside) / width), np.float32((top - above) / height)
    shift = (
        right * (place[1] - place[0] + place[2] - place[3]) / 2 + down * (place[3] - place[0] + place[2] - place[1]) / 2
    )
    return place + shift, window[top : top + height, left : left + width], float(score)


def _deviation(patch: Patch) -> float:
    return float(cv2.meanStdDev(patch)[1][0, 0])

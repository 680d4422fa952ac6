"""Lettering: text drawn as coverage masks in a handful of type faces, all found inside installed wheels.

OpenCV 5 carries three faces of its own; Matplotlib's font folder (a dependency of the detection libraries) adds a
serif, a typewriter and an italic book face. Nothing is downloaded and no system font is used, so what is drawn
looks the same on every machine.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from detect.errors import MediaprocError

Mask = npt.NDArray[np.uint8]

_BUILT_IN = ("sans", "italic", "uni")
_FONT_FILES = {
    "serif": "DejaVuSerif-Bold.ttf",
    "wide": "DejaVuSans-Bold.ttf",
    "mono": "cmtt10.ttf",
    "book": "STIXGeneralBolIta.ttf",
    "roman": "cmb10.ttf",
}


class FontMissingError(MediaprocError):
    """A type face that is needed is not installed."""


@dataclass(frozen=True)
class Face:
    """A way of setting text: family, weight (100-1000, variable families only), and how the letters are deformed.

    ``stretch`` scales widths, ``slant`` shears (0.2 leans right), ``spacing`` is extra room between letters as a part
    of the capitals' height, ``outline`` keeps only the letters' contours.
    """

    family: str = "sans"
    weight: int = 700
    stretch: float = 1.0
    slant: float = 0.0
    spacing: float = 0.0
    outline: bool = False


@dataclass(frozen=True)
class Lettering:
    """Drawn text: ``mask`` is coverage (0-255), trimmed to the ink; ``cap`` is the ink's height above the baseline."""

    mask: Mask
    cap: int


@functools.lru_cache(maxsize=256)
def set_text(text: str, face: Face, cap_height: int) -> Lettering:
    """``text`` in ``face`` with capitals ``cap_height`` pixels tall. Raises :class:`FontMissingError`."""
    size = max(4, round(cap_height / _cap_ratio(face.family, face.weight)))
    baseline = round(size * 1.5)
    canvas = np.zeros((size * 2 + 8, int(size * (1.6 + face.spacing) * max(1, len(text))) + 2 * size), np.uint8)
    _draw(canvas, text, baseline, size, face, gap=round(face.spacing * cap_height))
    if face.outline:
        canvas = _contours(canvas, cap_height)
    canvas, baseline = _deformed(canvas, baseline, face)
    rows, columns = np.flatnonzero(canvas.any(axis=1)), np.flatnonzero(canvas.any(axis=0))
    if not len(rows):
        return Lettering(np.zeros((1, 1), np.uint8), 1)
    trimmed = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Lettering(np.ascontiguousarray(trimmed), max(1, min(baseline, int(rows[-1]) + 1) - int(rows[0])))


def _draw(canvas: Mask, text: str, baseline: int, size: int, face: Face, gap: int) -> None:
    font, x = _font(face.family), size
    for part in text if gap else (text,):
        end, _ = cv2.putText(canvas, part, (x, baseline), (255,), font, size, face.weight, cv2.PUT_TEXT_ALIGN_LEFT)
        x = int(end[0]) + gap


def _contours(letters: Mask, cap_height: int) -> Mask:
    width = max(1, cap_height // 14)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    return np.asarray(cv2.subtract(cv2.dilate(letters, kernel), letters), np.uint8)


def _deformed(canvas: Mask, baseline: int, face: Face) -> tuple[Mask, int]:
    if face.stretch == 1.0 and face.slant == 0.0:
        return canvas, baseline
    height, width = canvas.shape
    margin = abs(face.slant) * height
    shear = np.array([[face.stretch, -face.slant, face.slant * baseline + margin], [0, 1, 0]], np.float64)
    size = (int(width * face.stretch + 2 * margin) + 2, height)
    return np.asarray(cv2.warpAffine(canvas, shear, size, flags=cv2.INTER_LINEAR), np.uint8), baseline


@functools.lru_cache(maxsize=64)
def _cap_ratio(family: str, weight: int) -> float:
    canvas = np.zeros((300, 300), np.uint8)
    cv2.putText(canvas, "H", (50, 200), (255,), _font(family), 100, weight, cv2.PUT_TEXT_ALIGN_LEFT)
    return float(np.count_nonzero((canvas > 127).any(axis=1))) / 100.0


@functools.lru_cache(maxsize=16)
def _font(family: str) -> Any:
    font = cv2.FontFace()
    source = family if family in _BUILT_IN else str(_font_file(family))
    if not font.set(source):
        raise FontMissingError(
            f"OpenCV cannot load the type face {family!r} from {source}; reinstall requirements.txt."
        )
    return font


def _font_file(family: str) -> Path:
    if family not in _FONT_FILES:
        raise FontMissingError(f"unknown type face {family!r}; there are {', '.join([*_BUILT_IN, *_FONT_FILES])}.")
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise FontMissingError("lettering needs the fonts that come with matplotlib: pip install matplotlib.")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / _FONT_FILES[family]

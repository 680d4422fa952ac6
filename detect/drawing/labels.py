"""Labels: white lettering on a dark ground with a stripe in the colour of what they tell about."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from detect.drawing.canvas import Inks, Rgb, Stamp
from detect.drawing.typeset import Face, Lettering, set_text
from detect.media.planes import Plane

_FACE = Face("wide")
_GROUND: Rgb = (18, 18, 18)
_LETTERS: Rgb = (255, 255, 255)
# Room above and below the capitals, and beside the lettering, as parts of the capitals' height.
_ABOVE, _BELOW, _BESIDE, _STRIPE = 0.5, 0.5, 0.45, 0.4
_KEPT = 256


class Labels:
    """Makes labels for a picture: capitals ``cap`` pixels tall, at most ``widest`` pixels wide. Made ones are kept."""

    def __init__(self, inks: Inks, *, cap: int, widest: int) -> None:
        self._inks, self._cap = inks, cap
        self._widest = widest // 2 * 2
        self._ground, self._letters = inks.ink(_GROUND), inks.ink(_LETTERS)
        self.stamp = lru_cache(maxsize=_KEPT)(self._stamp)

    def _stamp(self, name: str, figure: str, colour: Rgb) -> Stamp:
        """A label with a name and a figure behind it; a name that is too long is shortened, the figure never."""
        cap, stripe, beside = self._cap, _even(self._cap * _STRIPE), round(self._cap * _BESIDE)
        lettering = self._fitting(name, figure, self._widest - stripe - 2 * beside)
        baseline = round(cap * (1 + _ABOVE))
        height = _even(baseline + cap * _BELOW)
        width = min(self._widest, _even(stripe + 2 * beside + lettering.mask.shape[1]))
        coverage = np.zeros((height, width), np.uint8)
        _lay(coverage, lettering.mask, stripe + beside, baseline - lettering.cap)
        stamp = Stamp(
            _mixed(coverage, self._ground.y, self._letters.y),
            np.full((height // 2, width // 2), self._ground.u, np.uint8),
            np.full((height // 2, width // 2), self._ground.v, np.uint8),
        )
        ink = self._inks.ink(colour)
        stamp.y[:, :stripe], stamp.u[:, : stripe // 2], stamp.v[:, : stripe // 2] = ink
        return stamp

    def _fitting(self, name: str, figure: str, room: int) -> Lettering:
        shown = name
        while True:
            whole = "  ".join(part for part in (shown if shown == name else f"{shown}…", figure) if part)
            lettering = set_text(whole, _FACE, self._cap)
            width = lettering.mask.shape[1]
            if width <= room or not shown:
                return lettering
            shown = shown[: min(len(shown) - 1, max(0, len(shown) * room // width))].rstrip()


def _lay(coverage: Plane, mask: Plane, x: int, y: int) -> None:
    """Put lettering where it belongs; what is higher or lower than the label is cut."""
    top = max(0, -y)
    part = mask[top : top + coverage.shape[0] - max(0, y), : coverage.shape[1] - x]
    coverage[y + top : y + top + part.shape[0], x : x + part.shape[1]] = part


def _mixed(coverage: Plane, ground: int, letters: int) -> Plane:
    return np.asarray((ground + (letters - ground) * (coverage.astype(np.float32) / 255)).round(), np.uint8)


def _even(length: float) -> int:
    return 2 * round(length / 2)

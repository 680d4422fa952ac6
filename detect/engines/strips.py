"""Strips: the areas between two near-horizontal edges, as geometry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detect.engines.lines import Floats

_SLACK = 2.0  # pixels by which a line may stick out of a strip that explains it


@dataclass(frozen=True)
class Strip:
    """An area with upright ends: ``quad`` is ``(4, 2)`` x, y in pixels, clockwise from top-left."""

    quad: Floats
    confidence: float

    @property
    def left(self) -> float:
        return float(self.quad[0, 0])

    @property
    def right(self) -> float:
        return float(self.quad[1, 0])

    def rims_at(self, x: float) -> tuple[float, float]:
        """Height of the upper and the lower edge at ``x``."""
        share = (x - self.left) / max(self.right - self.left, 1e-6)
        (_, y1), (_, y2), (_, y3), (_, y4) = self.quad.tolist()
        return y1 + share * (y2 - y1), y4 + share * (y3 - y4)

    def explains(self, line: Floats) -> bool:
        """Whether most of a line (x1, y1, x2, y2) lies within the strip or on its edges."""
        x1, y1, x2, y2 = line.tolist()
        inner = 0.15 * (x2 - x1)
        if x1 + inner < self.left - _SLACK or x2 - inner > self.right + _SLACK:
            return False
        top, bottom = self.rims_at((x1 + x2) / 2)
        return top - _SLACK <= (y1 + y2) / 2 <= bottom + _SLACK

    def overlap(self, other: Strip) -> float:
        """Which share of this strip the other one covers, 0-1, measured at three places along what both span."""
        left, right = max(self.left, other.left), min(self.right, other.right)
        if right <= left:
            return 0.0
        shared = 0.0
        for share in (0.1, 0.5, 0.9):
            x = left + share * (right - left)
            (top, bottom), (other_top, other_bottom) = self.rims_at(x), other.rims_at(x)
            shared += max(0.0, min(bottom, other_bottom) - max(top, other_top)) / max(bottom - top, 1.0) / 3
        return shared * (right - left) / (self.right - self.left)


def lies_on(line: Floats, base: Floats) -> bool:
    """Whether most of ``line`` is a stretch of ``base``; both x1, y1, x2, y2."""
    x1, y1, x2, y2 = base.tolist()
    slope = (y2 - y1) / max(x2 - x1, 1e-6)
    inner = 0.15 * float(line[2] - line[0])
    inside = x1 <= line[0] + inner and line[2] - inner <= x2
    return inside and all(abs(y1 + slope * (x - x1) - y) < 2 for x, y in (line[:2].tolist(), line[2:].tolist()))


def without_overlaps(strips: Iterable[Strip]) -> list[Strip]:
    """Best first, leaving out those that a better one covers by half."""
    kept: list[Strip] = []
    for strip in sorted(strips, key=lambda strip: (-strip.confidence, strip.quad.ravel().tolist())):
        if all(strip.overlap(better) < 0.5 for better in kept):
            kept.append(strip)
    return kept

"""How well a brand could be seen: size, place on the picture, legibility, and the two scores made from them.

The formulas are explained, with their weights, in ``docs/report.md``. Shares and parts of a score are 0-1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from detect.geometry import clip_box, covered_share
from detect.types import Box

QUALITY_FORMULA = (
    "100 × (w_size·size + w_position·position + w_clarity·clarity + w_duration·duration + w_solus·solus) "
    "÷ (w_size + w_position + w_clarity + w_duration + w_solus)"
)
MEDIA_VALUE_FORMULA = "audience ÷ 1000 × cpm × seconds ÷ spot_seconds × quality_score ÷ 100"

_ROWS = ("top", "", "bottom")
_COLUMNS = ("left", "", "right")


def area_share(boxes: Iterable[Box], width: int, height: int) -> float:
    """Share of a ``width`` x ``height`` picture that the union of the boxes covers."""
    picture = Box(0, 0, width, height)
    return covered_share(picture, [clip_box(box, width, height) for box in boxes])


def grid_position(box: Box, width: int, height: int) -> str:
    """Which ninth of the picture the centre of the box lies in: ``top-left`` … ``centre`` … ``bottom-right``."""
    column = min(2, max(0, int((box.x1 + box.x2) / 2 * 3 / width)))
    row = min(2, max(0, int((box.y1 + box.y2) / 2 * 3 / height)))
    return "-".join(word for word in (_ROWS[row], _COLUMNS[column]) if word) or "centre"


def centrality(box: Box, width: int, height: int) -> float:
    """1 when the centre of the box is the picture's centre, 0 when it is a corner."""
    dx = (box.x1 + box.x2) / 2 - width / 2
    dy = (box.y1 + box.y2) / 2 - height / 2
    return max(0.0, 1.0 - math.hypot(dx, dy) / math.hypot(width / 2, height / 2))


def legibility(box: Box, height: int, clear_height_share: float) -> float:
    """How large the writing is: root of (shorter side of the box ÷ height of clearly legible writing), at most 1."""
    return min(1.0, math.sqrt(min(box.width, box.height) / (clear_height_share * height)))


def size_score(mean_area_share: float, full_size_share: float) -> float:
    """Root of (area share ÷ the share that counts as full size), at most 1: the eye notices size less than in step."""
    return min(1.0, math.sqrt(mean_area_share / full_size_share))


def quality_score(parts: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Weighted mean of the parts, 0-100; 0 where all weights are 0."""
    total = math.fsum(weights.values())
    return 100 * math.fsum(weights[name] * parts[name] for name in weights) / total if total else 0.0


def media_value(*, seconds: float, quality: float, audience: int, cpm: float, spot_seconds: float) -> Decimal:
    """What buying the same exposure as advertising would have cost, in whole cents.

    The floats are taken as the decimals they are written as, so the sum is the one a reader gets by hand.
    """
    exact = [Decimal(str(number)) for number in (seconds, quality, cpm, spot_seconds)]
    value = Decimal(audience) / 1000 * exact[2] * exact[0] / exact[3] * exact[1] / 100
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)

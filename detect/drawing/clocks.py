"""How running times are written."""

from __future__ import annotations


def format_seconds(seconds: float) -> str:
    """``2.41 s``, from a minute on ``1:02.41``."""
    hundredths = round(seconds * 100)
    if hundredths < 6000:
        return f"{hundredths / 100:.2f} s"
    return f"{hundredths // 6000}:{hundredths % 6000 / 100:05.2f}"

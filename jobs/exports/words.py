"""Numbers of a report as a reader sees them.

Everything is made into text here, so that a template never formats a number by the language of the site.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from detect.types import DetectionSource, Placement
from mediaproc.words import length, moment, plural

__all__ = [
    "PLACEMENT_WORDS",
    "QUALITY_WORDS",
    "SOURCE_WORDS",
    "STAGE_WORDS",
    "frame_rate",
    "length",
    "moment",
    "money",
    "percent",
    "percentage",
    "plural",
]

PLACEMENT_WORDS: dict[Placement, str] = {
    "board": "Board",
    "led": "LED board",
    "jersey": "Jersey",
    "overlay": "Screen graphic",
    "other": "Elsewhere",
}
SOURCE_WORDS: dict[DetectionSource, str] = {
    "ocr": "text read",
    "logo": "logo picture",
    "local_vlm": "local vision model",
    "cloud_llm": "cloud vision model",
    "manual": "a person",
}
QUALITY_WORDS = {
    "size": "Size",
    "position": "Position",
    "clarity": "Clarity",
    "duration": "Duration",
    "solus": "Alone on screen",
}
STAGE_WORDS = {
    "extract_frames": "Extract frames",
    "filter_scenes": "Filter scenes",
    "detect_edges": "Detect edges",
    "detect_objects": "Detect objects",
    "run_ocr": "Read text",
    "match_brands": "Match brands",
    "escalate_vlm": "Ask local model",
    "escalate_cloud": "Ask cloud model",
    "compile_report": "Compile report",
    "detect_each_frame": "Detect in each frame",
    "track_objects": "Follow objects",
    "time_zones": "Time zones and stops",
    "render_overlays": "Draw into the video",
    "encode_video": "Put the video together",
}


def percent(share: float, decimals: int = 0) -> str:
    """``0.1234`` as ``12 %``; a share that would round to nothing as ``< 1 %``."""
    smallest = 10**-decimals
    value = share * 100
    return f"< {smallest:g} %" if 0 < value < smallest / 2 else f"{value:.{decimals}f} %"


def money(amount: str, currency: str = "USD") -> str:
    """An exact decimal with at least two decimals and no needless ones: ``USD 0.0042``."""
    value = Decimal(amount)
    text = f"{value:,.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{currency} {whole}.{rest.ljust(2, '0')}"


def frame_rate(ratio: str) -> str:
    """``30000/1001`` as ``29.97 fps``."""
    try:
        return f"{float(Fraction(ratio)):.3f}".rstrip("0").rstrip(".") + " fps"
    except (ValueError, ZeroDivisionError):
        return "unknown frame rate"


def percentage(part: float, whole: float) -> str:
    """A share as a length in SVG, always with a point and never beyond the picture; 0 of nothing."""
    return f"{min(100.0, max(0.0, 100 * part / whole if whole else 0.0)):.4f}".rstrip("0").rstrip(".") + "%"

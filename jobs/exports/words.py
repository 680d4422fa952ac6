"""Numbers of a report as a reader sees them.

Everything is made into text here, so that a template never formats a number by the language of the site.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from detect.types import DetectionSource, Placement

_MINUTE, _HOUR = 60, 3600

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
}


def moment(seconds: float, decimals: int = 1) -> str:
    """A place in the video: ``0:04.2``, ``12:03.0``, ``1:02:03.0``."""
    scale = 10**decimals
    units = round(seconds * scale)
    whole, rest = divmod(units, scale)
    hours, minutes, second = whole // _HOUR, whole // _MINUTE % _MINUTE, whole % _MINUTE
    text = f"{hours}:{minutes:02d}:{second:02d}" if hours else f"{minutes}:{second:02d}"
    return f"{text}.{rest:0{decimals}d}" if decimals else text


def length(seconds: float) -> str:
    """A length of time: ``4.2 s``, ``3 min 04 s``, ``1 h 02 min``."""
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    if round(seconds) < _HOUR:
        minutes, rest = divmod(round(seconds), _MINUTE)
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / _MINUTE), _MINUTE)
    return f"{hours} h {minutes:02d} min"


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


def plural(count: int, one: str, many: str = "") -> str:
    """``1 brand``, ``3 brands``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percentage(part: float, whole: float) -> str:
    """A share as a length in SVG, always with a point and never beyond the picture; 0 of nothing."""
    return f"{min(100.0, max(0.0, 100 * part / whole if whole else 0.0)):.4f}".rstrip("0").rstrip(".") + "%"

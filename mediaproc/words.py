"""Numbers as people read them, in text that no template formats by the language of the site."""

from __future__ import annotations

_MINUTE, _HOUR = 60, 3600


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


def plural(count: int, one: str, many: str = "") -> str:
    """``1 brand``, ``3 brands``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"

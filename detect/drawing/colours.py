"""Which colour is whose: classes differ by hue, tracks of one class by shade, and a track keeps its own."""

from __future__ import annotations

import colorsys

from detect.drawing.canvas import Rgb

#: Steps of a hue circle that stay apart however many are taken.
_GOLDEN = 0.618034
_FIRST_HUE = 0.53
_SHADES = ((0.0, 0.8, 1.0), (0.04, 0.5, 1.0), (-0.04, 0.95, 0.92), (0.02, 0.65, 0.9), (-0.02, 0.35, 1.0))
_ZONES: tuple[Rgb, ...] = ((255, 214, 64), (96, 214, 255), (255, 128, 192), (144, 238, 110), (198, 150, 255))
STOPWATCH: Rgb = (255, 72, 48)


def track_colour(kind: int, track_id: int) -> Rgb:
    """The colour of a track of the class at position ``kind``."""
    offset, saturation, value = _SHADES[track_id % len(_SHADES)]
    red, green, blue = colorsys.hsv_to_rgb((_FIRST_HUE + kind * _GOLDEN + offset) % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def zone_colour(number: int) -> Rgb:
    """The colour of the zone at a position of the list."""
    return _ZONES[number % len(_ZONES)]

"""How hard a match is to read: three levels, from a sharp broadcast to what an analyst would grumble about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detect.errors import MediaprocError

LedChange = Literal["cut", "fade", "roll", "wipe"]


class UnknownLevelError(MediaprocError):
    """A level of difficulty that does not exist."""


@dataclass(frozen=True)
class Level:
    """Parameters of one level. Pixel figures are for a 720-line picture and scale with its height.

    ``wide_board``, ``mid_board`` and ``angle_board`` are board heights in the three kinds of wider shot; lettering is
    about half of that. ``angle`` is how far, in degrees, the angled camera looks along the boards instead of at them.
    """

    name: str
    brands: int
    logos: int
    shot_seconds: tuple[float, float]
    wide_board: float
    mid_board: float
    angle_board: float
    angle: float
    jersey_cap: float
    """Height of the jersey sponsor's capitals, metres."""
    pan_speed: float
    """Top speed of the play, and of the cameras that follow it, metres per second."""
    sway: float
    """How far the cameras swing to and fro, metres at the boards: with a slow shutter boards blur and clear again."""
    zoom: float
    """Largest relative change of the focal length within a shot: boards too small to read at first grow readable."""
    whip_pan: float
    """Metres covered by a sudden pan inside some shots, 0 for none."""
    roll: float
    """Largest tilt of the horizon from the angled places, radians."""
    shutter: float
    """Part of the frame time the shutter stays open: motion blur."""
    defocus: float
    """Blur of the background behind a close-up, pixels (standard deviation)."""
    softness: float
    """Resolution of the camera as a part of the picture's, 1 for sharp."""
    led_seconds: tuple[float, float]
    led_changes: tuple[LedChange, ...]
    """Ways an LED page gives way to the next."""
    led_scroll: float
    """Share of LED pages that run along the strip while they are on."""
    led_behind_goal: bool
    """LED boards behind the goal too, with a schedule of their own; painted ones otherwise."""
    glare: float
    """Strength of the reflections wandering over the boards, 0 to 1."""
    touchline_people: int
    """People standing or running right in front of the boards."""
    look_alikes: bool
    """Boards whose words resemble a brand's name."""
    noise: float
    """Standard deviation of the picture's noise, grey levels of 255."""
    crf: int
    """x264 constant rate factor: higher is a lower bitrate."""


LEVELS = {
    level.name: level
    for level in (
        Level(
            name="easy", brands=8, logos=1, shot_seconds=(5.0, 7.5),
            wide_board=46, mid_board=84, angle_board=64, angle=38, jersey_cap=0.105,
            pan_speed=2.5, sway=0.8, zoom=0.08, whip_pan=0, roll=0, shutter=0.3, defocus=2.5, softness=1.0,
            led_seconds=(3.2, 5.0), led_changes=("cut",), led_scroll=0, led_behind_goal=False,
            glare=0.0, touchline_people=1, look_alikes=False, noise=1.0, crf=21,
        ),
        Level(
            name="medium", brands=10, logos=2, shot_seconds=(3.5, 6.5),
            wide_board=32, mid_board=64, angle_board=52, angle=52, jersey_cap=0.085,
            pan_speed=4.0, sway=3.0, zoom=0.2, whip_pan=14, roll=0.012, shutter=0.6, defocus=4.5, softness=0.9,
            led_seconds=(2.8, 4.6), led_changes=("cut", "fade", "roll"), led_scroll=0, led_behind_goal=True,
            glare=0.4, touchline_people=6, look_alikes=True, noise=2.5, crf=26,
        ),
        Level(
            name="hard", brands=12, logos=3, shot_seconds=(2.2, 5.0),
            wide_board=20, mid_board=42, angle_board=40, angle=64, jersey_cap=0.065,
            pan_speed=6.0, sway=6.0, zoom=0.45, whip_pan=26, roll=0.025, shutter=0.8, defocus=7.0, softness=0.75,
            led_seconds=(2.0, 4.0), led_changes=("cut", "fade", "roll", "wipe"), led_scroll=0.3, led_behind_goal=True,
            glare=0.75, touchline_people=12, look_alikes=True, noise=4.0, crf=31,
        ),
    )
}  # fmt: skip


def get_level(name: str) -> Level:
    """The level called ``name``. Raises :class:`UnknownLevelError`, naming the ones there are."""
    try:
        return LEVELS[name]
    except KeyError:
        raise UnknownLevelError(f"unknown level {name!r}; choose one of {', '.join(LEVELS)}.") from None

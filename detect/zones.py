"""Zones of the picture in which time is taken: what people draw, and what comes out."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from detect.types import Value

Fraction01 = Annotated[float, Meta(ge=0, le=1)]
#: What of an object has to be inside: the middle of its box, the middle of its lower edge (feet, wheels), or any part.
Anchor = Literal["centre", "bottom", "any"]
#: What a zone's time stands for in the metrics of a pit stop; empty for nothing but itself.
Measure = Literal[
    "",
    "fuel",
    "front_left_tyre",
    "front_right_tyre",
    "back_left_tyre",
    "back_right_tyre",
    "driver_out",
    "driver_in",
]


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A named polygon. ``points`` are ``(x, y)`` in fractions of the upright picture's width and height, in order
    around it; ``classes`` are those that count, all where empty.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    points: Annotated[tuple[tuple[Fraction01, Fraction01], ...], Meta(min_length=3, max_length=100)]
    classes: tuple[str, ...] = ()
    anchor: Anchor = "bottom"
    measure: Measure = ""


class Visit(Value, frozen=True):
    """One object in a zone, ``start`` to ``end`` seconds of the video, each with its uncertainty (±, seconds).

    ``cut`` tells that the object was inside already when the video began, or still when it ended or was lost.
    """

    start: float
    end: float
    track_id: int
    label: str
    start_uncertainty: float
    end_uncertainty: float
    cut: Literal["", "start", "end", "both"] = ""


class ZoneTime(Value, frozen=True):
    """A zone's ``visits`` in the order of time. ``seconds`` is how long somebody was inside, overlaps once."""

    name: str
    measure: Measure
    seconds: float
    uncertainty: float
    visits: list[Visit]


class Stop(Value, frozen=True):
    """A car standing still, ``start`` to ``end`` seconds of the video; ``cut`` as in :class:`Visit`."""

    start: float
    end: float
    track_id: int
    label: str
    start_uncertainty: float
    end_uncertainty: float
    cut: Literal["", "start", "end", "both"] = ""

    @property
    def seconds(self) -> float:
        return self.end - self.start

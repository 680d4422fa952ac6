"""Zones of the picture in which time is taken: what people draw, and what comes out."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from detect.errors import ConfigError
from detect.types import Value

Point = tuple[float, float]
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


def check_zones(zones: Sequence[Zone], class_names: Collection[str] = ()) -> None:
    """Refuse zones in which no time can be taken: ``ConfigError`` names the zone and what is wrong with it.

    ``class_names`` are those that the weights know; where they are given, the zones' classes must be among them.
    """
    seen: set[str] = set()
    for zone in zones:
        if not zone.name.strip():
            raise ConfigError("a zone has no name: give each a name of its own")
        if zone.name in seen:
            raise ConfigError(f"two zones are called '{zone.name}': give each a name of its own")
        seen.add(zone.name)
        fault = _shape_fault(zone.points)
        if fault:
            raise ConfigError(f"the zone '{zone.name}' {fault}")
        unknown = [name for name in zone.classes if class_names and name not in class_names]
        if unknown:
            raise ConfigError(
                f"the zone '{zone.name}' counts {', '.join(unknown)}, which the weights do not know: "
                f"they know {', '.join(class_names)}"
            )


def _shape_fault(points: Sequence[Point]) -> str:
    """What keeps points from being a polygon; empty where nothing does."""
    for number, (x, y) in enumerate(points, 1):
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return f"lies outside the picture: its point {number} is ({x:g}, {y:g}), both must be 0 to 1"
    if len(points) < 3:
        return f"has {len(points)} points: it needs 3 or more"
    for (one, first), (other, second) in combinations(enumerate(points, 1), 2):
        if first == second:
            return f"has the same point twice: its points {one} and {other} are both ({first[0]:g}, {first[1]:g})"
    sides = list(zip(points, [*points[1:], points[0]], strict=True))
    area = math.fsum(a[0] * b[1] - b[0] * a[1] for a, b in sides) / 2
    if all(abs(_turn(points[0], points[1], point)) < _FLAT for point in points):
        return "has no area: its points lie on one line"
    for (one, side), (other, second_side) in combinations(enumerate(sides), 2):
        neighbours = other - one in (1, len(sides) - 1)
        if _fold_back(side, second_side) if neighbours else _touch(side, second_side):
            return f"crosses or touches itself: its sides {one + 1} and {other + 1} meet"
    return "has no area" if abs(area) < _FLAT else ""


#: Twice an area, in fractions of the picture, that is none: far below a pixel's.
_FLAT = 1e-12


def _turn(a: Point, b: Point, c: Point) -> float:
    """Twice the signed area of a triangle: on which side of ``a`` to ``b`` lies ``c``."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _touch(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether two line segments have a point in common."""
    turns = [_turn(*one, point) for point in other] + [_turn(*other, point) for point in one]
    signs = [0 if abs(turn) < _FLAT else math.copysign(1, turn) for turn in turns]
    if signs[0] * signs[1] < 0 and signs[2] * signs[3] < 0:
        return True
    ends = [(one, point) for point in other] + [(other, point) for point in one]
    return any(sign == 0 and _within(segment, point) for sign, (segment, point) in zip(signs, ends, strict=True))


def _within(segment: tuple[Point, Point], point: Point) -> bool:
    """Whether a point of the segment's line lies on the segment."""
    return all(min(a, b) <= value <= max(a, b) for a, b, value in zip(*segment, point, strict=True))


def _fold_back(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether two sides that share a corner lie on each other."""
    shared = one[1] if one[1] in other else one[0]
    first = one[0] if shared == one[1] else one[1]
    second = other[0] if shared == other[1] else other[1]
    ahead = (first[0] - shared[0]) * (second[0] - shared[0]) + (first[1] - shared[1]) * (second[1] - shared[1])
    return abs(_turn(shared, first, second)) < _FLAT and ahead > 0

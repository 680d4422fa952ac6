"""Running times for the picture, and the times that measures stand for."""

from __future__ import annotations

import math
from typing import Any

import pytest

from detect.stages.time_zones import TimeZonesOutput
from detect.zone_timing import measures, stop_clock, zone_clock, zone_time
from detect.zones import Stop, Visit, Zone, ZoneTime


def visit(start: float, end: float, track: int = 1, uncertainty: float = 0.02) -> Visit:
    return Visit(start, end, track, "person", uncertainty, uncertainty)


def counted(*visits: Visit, name: str = "box", measure: Any = "") -> ZoneTime:
    return zone_time(Zone(name=name, points=((0, 0), (1, 0), (1, 1)), measure=measure), visits)


def stop(start: float, end: float) -> Stop:
    return Stop(start, end, 9, "car", 0.05, 0.07)


def test_a_zones_clock_runs_while_somebody_is_inside_and_ends_at_its_total():
    zone = counted(visit(2, 4), visit(1, 3, 2), visit(3.5, 3.6, 3), visit(6, 7))
    assert zone.seconds == pytest.approx(4)
    told = [zone_clock(zone, at) for at in (0, 1, 2.5, 3.55, 4, 5, 6.5, 9)]
    assert told == [
        (0, False),
        (0, True),
        (1.5, True),
        (pytest.approx(2.55), True),
        (3, False),
        (3, False),
        (3.5, True),
        (4, False),
    ]


def test_a_stops_clock():
    assert [stop_clock(stop(1, 3), at) for at in (0, 1, 2, 3, 4)] == [
        (0, False),
        (0, True),
        (1, True),
        (2, False),
        (2, False),
    ]


def test_measures_count_what_lies_in_the_stop():
    zones = [
        counted(visit(1, 3), visit(5, 6), visit(9, 10), name="hose", measure="fuel"),
        counted(visit(2, 2.5, uncertainty=0.2), name="wheel", measure="front_left_tyre"),
        counted(visit(0, 0.5), name="door", measure="driver_out"),
        counted(visit(0, 99), name="lane"),
    ]
    output = TimeZonesOutput(zones=zones, stops=[stop(0.2, 0.9), stop(2, 9.5)], stop=1)
    found = measures(output)
    assert list(found) == ["fuel", "front_left_tyre", "driver_out"]
    assert found["fuel"].seconds == pytest.approx(1 + 1 + 0.5)
    assert found["fuel"].uncertainty == pytest.approx(math.hypot(0.05, 0.02, 0.02, 0.02, 0.02, 0.07))
    assert tuple(found["front_left_tyre"]) == pytest.approx((0.5, math.hypot(0.2, 0.2)))
    assert tuple(found["driver_out"]) == (0, 0)


def test_without_a_stop_measures_count_everything():
    zones = [counted(visit(1, 3), visit(5, 6), measure="fuel")]
    assert measures(TimeZonesOutput(zones=zones, stops=[]))["fuel"].seconds == pytest.approx(3)


def test_zones_of_one_measure_count_an_instant_once():
    zones = [counted(visit(1, 3), measure="fuel"), counted(visit(2, 4, 2), name="other", measure="fuel")]
    found = measures(TimeZonesOutput(zones=zones, stops=[]))
    assert tuple(found["fuel"]) == pytest.approx((3, math.hypot(0.02, 0.02)))

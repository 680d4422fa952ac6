"""Which zones are refused, and with what words."""

from __future__ import annotations

import numpy as np
import pytest

from detect.errors import ConfigError
from detect.options import convert_options
from detect.stages.time_zones import TimeZones
from detect.zones import Zone, check_zones

SQUARE = ((0.1, 0.1), (0.4, 0.1), (0.4, 0.4), (0.1, 0.4))


def zone(*points: tuple[float, float], name: str = "Fuelling", classes: tuple[str, ...] = ()) -> Zone:
    return Zone(name=name, points=points, classes=classes)


@pytest.mark.parametrize(
    "points",
    [
        SQUARE,
        SQUARE[::-1],
        ((0, 0), (1, 0), (1, 1), (0, 1)),
        ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.5, 0.3), (0.1, 0.9)),
        ((0.1, 0.1), (0.25, 0.1), (0.4, 0.1), (0.4, 0.4), (0.1, 0.4)),
    ],
    ids=["square", "the other way round", "the whole picture", "concave", "a point on a side"],
)
def test_polygons_are_taken(points):
    check_zones([zone(*points)])


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (((0.1, 0.1), (0.4, 0.4), (0.4, 0.1), (0.1, 0.4)), "crosses or touches itself: its sides 1 and 3 meet"),
        (((0.1, 0.1), (0.5, 0.5), (0.9, 0.9)), "has no area"),
        ((SQUARE[0], SQUARE[1], SQUARE[2], SQUARE[0]), "has the same point twice: its points 1 and 4"),
        (((0.1, 0.1), (0.9, 0.1), (0.5, 0.5), (0.5, 0.1), (0.5, 0.9)), "crosses or touches itself"),
        (((0.1, 0.1), (0.9, 0.1), (0.5, 0.1), (0.5, 0.5)), "crosses or touches itself: its sides 1 and 2 meet"),
        (((0.1, 0.1), (1.2, 0.1), (0.5, 0.5)), "lies outside the picture: its point 2 is (1.2, 0.1)"),
        (((0.1, 0.1), (float("nan"), 0.1), (0.5, 0.5)), "lies outside the picture: its point 2"),
        (SQUARE[:2], "has 2 points: it needs 3 or more"),
    ],
    ids=["crosses", "flat", "same point", "touches", "folds back", "outside", "not a number", "too few"],
)
def test_shapes_without_an_inside_are_refused_with_the_zones_name(points, said):
    with pytest.raises(ConfigError) as refused:
        check_zones([zone(*SQUARE, name="Good"), zone(*points)])
    assert "the zone 'Fuelling'" in refused.value.message
    assert said in refused.value.message


def test_random_stars_are_taken_and_lose_their_shape_when_two_corners_change_places():
    rng = np.random.default_rng(3)
    for _ in range(50):
        angles = np.linspace(0, 2 * np.pi, int(rng.integers(5, 40)), endpoint=False)
        radius = rng.uniform(0.1, 0.5, len(angles))
        points = [(0.5 + r * np.cos(a), 0.5 + r * np.sin(a)) for a, r in zip(angles, radius, strict=True)]
        check_zones([zone(*points)])
    square = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]
    with pytest.raises(ConfigError, match="crosses"):
        check_zones([zone(*square)])


def test_names_are_there_and_differ():
    with pytest.raises(ConfigError, match="two zones are called 'Fuelling'"):
        check_zones([zone(*SQUARE), zone(*SQUARE)])
    with pytest.raises(ConfigError, match="a zone has no name"):
        check_zones([zone(*SQUARE, name="  ")])


def test_unknown_classes_are_named_with_those_there_are_where_these_are_known():
    counted = [zone(*SQUARE, classes=("car", "mechanic"))]
    check_zones(counted)
    with pytest.raises(ConfigError, match=r"'Fuelling' counts mechanic, which .* they know person, car"):
        check_zones(counted, ("person", "car"))


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([[0, 0], [1.5, 0], [1, 1]], "time_zones.zones[1].points[1][0] = 1.5 of 'Fuelling': Expected `float` <= 1.0"),
        ([[0, 0], [1, 0], [1, -1]], "time_zones.zones[1].points[2][1] = -1 of 'Fuelling': Expected `float` >= 0.0"),
        ([[0, 0], [1, 0]], "time_zones.zones[1].points = [[0, 0], [1, 0]] of 'Fuelling'"),
    ],
)
def test_values_out_of_range_are_named_by_zone_and_place(points, said):
    zones = [{"name": "Good", "points": SQUARE}, {"name": "Fuelling", "points": points}]
    with pytest.raises(ConfigError) as refused:
        convert_options(TimeZones(), {"zones": zones})
    assert refused.value.message.startswith(said)
    assert "0 to 1" in refused.value.message
    assert "Good" not in refused.value.message

"""How deep inside of a polygon something is."""

from __future__ import annotations

import numpy as np
import pytest

from detect.zone_polygons import Polygon

# a C, open to the right
CONCAVE = np.array(
    [(100, 100), (500, 100), (500, 200), (200, 200), (200, 400), (500, 400), (500, 500), (100, 500)], float
)
SQUARE = np.array([(100, 100), (300, 100), (300, 300), (100, 300)], float)


def depths(corners: np.ndarray, anchor: str, *boxes: tuple[float, float, float, float]) -> list[float]:
    return Polygon(corners, anchor).depths(np.array(boxes, float)).tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("point", "depth"),
    [((150, 300), 50), ((350, 300), -100), ((490, 150), 10), ((600, 150), -100), ((50, 50), -np.hypot(50, 50))],
    ids=["in the back", "in the opening", "in an arm", "beside it", "off a corner"],
)
def test_a_point_in_a_concave_polygon(point, depth):
    x, y = point
    assert depths(CONCAVE, "centre", (x - 10, y - 6, x + 10, y + 6)) == pytest.approx([depth])
    assert depths(CONCAVE, "bottom", (x - 10, y - 90, x + 10, y)) == pytest.approx([depth])


@pytest.mark.parametrize(
    ("box", "depth"),
    [
        ((250, 250, 400, 350), -50),
        ((320, 320, 330, 330), -np.hypot(20, 20)),
        ((290, 100, 400, 200), 10),
        ((0, 0, 1000, 1000), 300),
        ((150, 150, 160, 160), 60),
    ],
    ids=["in the opening of the C", "off a corner", "reaches in", "all around", "all inside"],
)
def test_a_box_and_a_polygon(box, depth):
    corners = CONCAVE if box[0] == 250 else SQUARE
    assert depths(corners, "any", box) == pytest.approx([depth])


def test_a_box_across_a_polygon_without_a_corner_in_it_overlaps_it():
    assert depths(SQUARE, "any", (0, 150, 1000, 200))[0] > 0
    assert depths(SQUARE, "any", (0, 310, 1000, 330))[0] == pytest.approx(-10)


def test_overlap_and_its_depth_agree_with_points_tried_one_by_one():
    rng = np.random.default_rng(4)
    left_top = rng.uniform(0, 600, (300, 2))
    boxes = np.concatenate([left_top, left_top + rng.uniform(5, 200, (300, 2))], axis=1)
    found = Polygon(CONCAVE, "any").depths(boxes)
    steps = np.linspace(0, 1, 40)
    for box, depth in zip(boxes, found, strict=True):
        x, y = (
            part.ravel()
            for part in np.meshgrid(*(low + steps * (high - low) for low, high in zip(box[:2], box[2:], strict=True)))
        )
        points = Polygon(CONCAVE, "centre").depths(np.stack([x, y, x, y], axis=1))
        assert (depth > 0) == (points.max() > 0) or abs(points.max()) < 5
        if depth < 0:
            assert depth == pytest.approx(points.max(), abs=5)


def test_a_point_more_on_a_side_changes_nothing():
    rng = np.random.default_rng(5)
    more = np.insert(CONCAVE, 1, (300, 100), axis=0)
    left_top = rng.uniform(0, 600, (200, 2))
    boxes = np.concatenate([left_top, left_top + 40], axis=1)
    for anchor in ("centre", "bottom", "any"):
        one, other = Polygon(CONCAVE, anchor).depths(boxes), Polygon(more, anchor).depths(boxes)
        if anchor == "any":
            assert np.array_equal(one > 0, other > 0)
            one, other = np.minimum(one, 0), np.minimum(other, 0)
        assert other == pytest.approx(one)

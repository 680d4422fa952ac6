from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detect import geometry
from detect.types import Box

coordinate = st.integers(-40, 120)
size = st.integers(0, 60)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), coordinate, coordinate, size, size)
solid_boxes = boxes.filter(lambda box: box.area > 0)
intervals = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=12
)


def pixels(*many: Box) -> set[tuple[int, int]]:
    return {(x, y) for box in many for x in range(box.x1, box.x2) for y in range(box.y1, box.y2)}


@given(boxes, boxes)
def test_iou_counts_pixels(a: Box, b: Box) -> None:
    union = pixels(a, b)
    expected = len(pixels(a) & pixels(b)) / len(union) if union else 0.0
    assert geometry.iou(a, b) == pytest.approx(expected)
    assert geometry.iou(a, b) == geometry.iou(b, a)


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_iou_matrix_agrees_with_iou(left: list[Box], right: list[Box]) -> None:
    matrix = geometry.iou_matrix([tuple(_xyxy(box)) for box in left], [tuple(_xyxy(box)) for box in right])
    assert matrix.shape == (len(left), len(right))
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            assert matrix[i, j] == pytest.approx(geometry.iou(a, b))


@given(solid_boxes, st.lists(boxes, max_size=5))
def test_covered_share_counts_pixels_once(box: Box, others: list[Box]) -> None:
    inside = pixels(box)
    assert geometry.covered_share(box, others) == pytest.approx(len(inside & pixels(*others)) / len(inside))


@given(solid_boxes, solid_boxes)
def test_overlap_share_is_cover_by_one(a: Box, b: Box) -> None:
    assert geometry.overlap_share(a, b) == pytest.approx(geometry.covered_share(a, [b]))


@given(boxes)
def test_clip_stays_inside_and_loses_nothing_inside(box: Box) -> None:
    clipped = geometry.clip_box(box, 50, 40)
    assert pixels(clipped) == pixels(box) & pixels(Box(0, 0, 50, 40))
    assert 0 <= clipped.x1 <= clipped.x2 <= 50 and 0 <= clipped.y1 <= clipped.y2 <= 40


@given(st.lists(st.tuples(solid_boxes, st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 1)), max_size=10))
def test_nms_keeps_a_maximal_set_of_separate_boxes(items: list[tuple[Box, float, int]]) -> None:
    corners = [_xyxy(box) for box, _, _ in items]
    scores = [score for _, score, _ in items]
    classes = [kind for _, _, kind in items]
    kept = geometry.nms(corners, scores, 0.4, classes)
    assert [scores[i] for i in kept] == sorted((scores[i] for i in kept), reverse=True)
    for position, i in enumerate(kept):
        for j in kept[position + 1 :]:
            assert classes[i] != classes[j] or geometry.iou(items[i][0], items[j][0]) <= 0.4 + 1e-9
    for dropped in set(range(len(items))) - set(kept):
        assert any(
            classes[i] == classes[dropped]
            and scores[i] >= scores[dropped]
            and geometry.iou(items[i][0], items[dropped][0]) > 0.4 - 1e-9
            for i in kept
        )


def test_nms_prefers_the_earlier_of_equals_and_checks_lengths() -> None:
    same = [[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]]
    assert geometry.nms(same, [0.5, 0.5, 0.9], 0.5) == [2, 0]
    assert geometry.nms(same, [0.5, 0.5, 0.9], 0.5, [0, 1, 0]) == [2, 0, 1]
    assert geometry.nms(np.empty((0, 4)), [], 0.5) == []
    with pytest.raises(ValueError, match="3 boxes and 1 scores"):
        geometry.nms(same, [0.5], 0.5)


@given(
    st.floats(0.2, 1.3),
    st.permutations(range(4)),
    st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    st.floats(1.5, 40),
)
def test_order_quad_is_clockwise_from_top_left(
    angle: float, shuffle: list[int], centre: tuple[float, float], aspect: float
) -> None:
    tilt = angle - 0.75  # up to 31 degrees either way
    corners = [(-aspect, -1.0), (aspect, -1.0), (aspect, 1.0), (-aspect, 1.0)]
    turned = [
        (centre[0] + x * math.cos(tilt) - y * math.sin(tilt), centre[1] + x * math.sin(tilt) + y * math.cos(tilt))
        for x, y in corners
    ]
    ordered = geometry.order_quad([turned[i] for i in shuffle])
    assert geometry.polygon_area(ordered) == pytest.approx(4 * aspect)
    assert geometry.is_convex(ordered)
    assert ordered[0] == pytest.approx(turned[0])


def test_convexity() -> None:
    square = [(0, 0), (4, 0), (4, 4), (0, 4)]
    assert geometry.is_convex(square) and geometry.is_convex(square[::-1])
    assert not geometry.is_convex([(0, 0), (4, 4), (4, 0), (0, 4)])  # crossing
    assert not geometry.is_convex([(0, 0), (4, 0), (1, 1), (0, 4)])  # dented
    assert not geometry.is_convex([(0, 0), (2, 0), (4, 0), (0, 4)])  # a corner that does not turn
    star = [(math.sin(2 * k * 2 * math.pi / 5), -math.cos(2 * k * 2 * math.pi / 5)) for k in range(5)]
    assert not geometry.is_convex(star)


@given(intervals, st.integers(0, 4))
def test_merge_covers_the_same_and_leaves_real_gaps(items: list[tuple[int, int]], gap: int) -> None:
    merged = geometry.merge_intervals(items, gap)
    covered = {x for start, end in items for x in range(start, end)}
    within = {x for start, end in merged for x in range(start, end)}
    assert covered <= within
    assert all(second[0] - first[1] > gap for first, second in pairwise(merged))
    if gap == 0:
        assert within == covered
        assert geometry.covered_length(items) == len(covered)


@given(intervals)
def test_merge_twice_changes_nothing_and_order_does_not_matter(items: list[tuple[int, int]]) -> None:
    merged = geometry.merge_intervals(items)
    assert geometry.merge_intervals(merged) == merged == geometry.merge_intervals(items[::-1])


def test_intervals_stay_exact_fractions() -> None:
    third = Fraction(1, 3)
    assert geometry.merge_intervals([(third, 2 * third), (Fraction(0), third)]) == [(Fraction(0), 2 * third)]
    with pytest.raises(ValueError, match="before its start"):
        geometry.merge_intervals([(2, 1)])


@given(solid_boxes, st.floats(0, 2))
def test_expand_grows_inside_the_picture(box: Box, share: float) -> None:
    assume(box.x1 >= 0 and box.y1 >= 0)
    grown = geometry.expand_box(box, share, 300, 300)
    assert pixels(box) <= pixels(grown) and grown.x2 <= 300 and grown.y2 <= 300 and grown.x1 >= 0 and grown.y1 >= 0


def test_enclosing_and_quads_of_boxes() -> None:
    assert geometry.enclosing([Box(1, 2, 3, 4), Box(0, 3, 2, 9)]) == Box(0, 2, 3, 9)
    with pytest.raises(ValueError, match="at least one"):
        geometry.enclosing([])
    quad = geometry.box_quad(Box(1, 2, 8, 9))
    assert geometry.order_quad(quad) == quad
    assert geometry.quad_box([(-3.2, 1.5), (4.1, 0.9), (4.0, 7.2), (0.0, 7.0)], 4, 20) == Box(0, 0, 4, 8)


def _xyxy(box: Box) -> tuple[int, int, int, int]:
    return (box.x1, box.y1, box.x2, box.y2)

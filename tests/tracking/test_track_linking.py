"""Joining broken tracks and filling gaps."""

from __future__ import annotations

import numpy as np
import pytest

from detect.track_linking import Tracklet, fill_gaps, join_broken
from tests.tracking.scenes import box_at

SECONDS = np.arange(200) / 25


def straight(
    first: int, last: int, *, x: float = 0, y: float = 200, speed: float = 100, kind: int = 0, **size
) -> Tracklet:
    """Frames ``first`` to ``last`` of something that is at ``x`` in frame 0 and moves at ``speed`` pixels a second."""
    frames = np.arange(first, last + 1, dtype=np.int32)
    boxes = [box_at(x + speed * SECONDS[frame], y, **size) for frame in frames]
    return Tracklet(
        frames, np.array(boxes, np.float32), np.full(len(frames), 0.8, np.float32), np.full(len(frames), kind)
    )


def spans(tracks: list[Tracklet]) -> list[tuple[int, int]]:
    return [(int(one.frames[0]), int(one.frames[-1])) for one in tracks]


def join(*tracks: Tracklet, most_seconds: float = 1.0, reach: float = 0.5) -> list[Tracklet]:
    return join_broken(tracks, SECONDS, most_seconds=most_seconds, reach=reach)


def test_what_goes_on_where_the_first_would_have_got_to_is_joined():
    (only,) = join(straight(0, 30), straight(45, 80))
    assert only.frames.tolist() == [*range(31), *range(45, 81)]
    assert len(only.boxes) == len(only.scores) == len(only.kinds) == len(only)


def test_the_order_given_does_not_matter_and_chains_are_joined():
    assert spans(join(straight(90, 120), straight(0, 30), straight(45, 80))) == [(0, 120)]


@pytest.mark.parametrize(
    "other",
    [
        straight(45, 80, kind=1),
        straight(45, 80, y=290),
        straight(45, 80, x=-90),
        straight(45, 80, width=120),
        straight(45, 80, x=360, speed=-100),
        straight(20, 80),
    ],
    ids=["class", "aside", "behind", "size", "goes the other way", "begins before the end"],
)
def test_others_are_not_joined(other):
    assert len(join(straight(0, 30), other)) == 2


def test_not_after_too_long():
    assert len(join(straight(0, 30), straight(55, 80))) == 1
    assert len(join(straight(0, 30), straight(56, 80))) == 2


def test_each_is_joined_with_the_best_alone():
    tracks = join(straight(0, 30), straight(40, 80, y=215), straight(42, 80, y=201))
    assert spans(tracks) == [(0, 80), (40, 80)]
    assert float(tracks[0].boxes[-1][1]) == pytest.approx(201 - 60)


def test_only_the_best_of_two_goes_on_in_one():
    tracks = join(straight(0, 30, y=215), straight(0, 30, y=199), straight(40, 80, y=200))
    assert spans(tracks) == [(0, 30), (0, 80)]


def test_a_reach_of_nothing_joins_none():
    assert len(join(straight(0, 30, speed=0), straight(40, 80, speed=0), reach=0)) == 2


def test_two_that_are_away_at_once_do_not_change_places():
    up, down = {"y": 150, "speed": 100}, {"y": 260, "speed": -100, "x": 500}
    tracks = join(straight(0, 30, **up), straight(0, 30, **down), straight(50, 80, **up), straight(50, 80, **down))
    assert spans(tracks) == [(0, 80), (0, 80)]
    for one in tracks:
        assert len({float(box[1]) for box in one.boxes}) == 1


def test_gaps_are_filled_on_lines_over_time_not_over_frames():
    seconds = np.array([0, 1, 2, 10, 11.0])
    boxes = np.array([box_at(0, 100), box_at(110, 100)], np.float32)
    track = Tracklet(np.array([0, 4], np.int32), boxes, np.ones(2, np.float32), np.array([2, 1], np.int32))
    filled = fill_gaps(track, seconds, most_seconds=11)
    assert filled.frames.tolist() == [0, 1, 2, 3, 4]
    assert filled.boxes[:, [0, 2]].mean(axis=1) == pytest.approx([0, 10, 20, 100, 110])
    assert filled.scores.tolist() == [1, 0, 0, 0, 1]
    assert filled.kinds.tolist() == [2, 2, 2, 2, 1]
    assert fill_gaps(track, seconds, most_seconds=10.9) is track


def test_the_class_is_by_vote_and_the_first_of_two_with_as_many():
    kinds, scores = np.array([3, 1, 1], np.int32), np.array([0.9, 0.5, 0.5], np.float32)
    track = Tracklet(np.arange(3, dtype=np.int32), np.zeros((3, 4), np.float32), scores, kinds)
    assert track.kind == 1
    assert Tracklet(track.frames[:2], track.boxes[:2], np.array([0.5, 0.5], np.float32), kinds[:2]).kind == 1

"""What is one place from sample to sample, and where it is between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from detect.exposures import FoundEdges, SampleClock
from detect.tracing import Trace, Tracer
from detect.types import Box, Edge, Observation

FRAME = 0.04
WIDTH, HEIGHT = 1000, 500


def clock(count: int = 20, *, cuts: Sequence[float] = (), until: dict[int, float] | None = None) -> SampleClock:
    """Samples at 0, 0.5, 1 … seconds; those in ``until`` stay on screen for longer than a frame."""
    times = [index / 2 for index in range(count)]
    return SampleClock(
        sequences=tuple(range(count)),
        times=tuple(times),
        until=tuple((until or {}).get(index, time + FRAME) for index, time in enumerate(times)),
        end=count / 2,
        frame_seconds=FRAME,
        cuts=tuple(cuts),
    )


def seen(places: dict[int, tuple[int, int]], width: int = 100, height: int = 40) -> list[Observation]:
    """Boxes by sequence, each at its left and top edge."""
    return [Observation(sequence, Box(x, y, x + width, y + height), 0.9) for sequence, (x, y) in places.items()]


def trace(*found: list[Observation], at: SampleClock | None = None, **how: Any) -> list[Trace[str]]:
    """Traces of a brand's detections, in order of time."""
    values = {"in_scene": True, "surely": True, "stands_for": {}, **how}
    tracer: Tracer[str] = Tracer(at or clock(), values.pop("stands_for"), width=WIDTH, height=HEIGHT)
    for observations in found:
        tracer.follow("Acme", observations, **values)
    return sorted(tracer.traces(), key=lambda one: (one.start, one.points[0, 1]))


def rows(one: Trace[str]) -> list[list[float]]:
    return one.points.round(4).tolist()


def test_points_are_shares_of_the_picture_at_the_times_of_the_samples() -> None:
    (one,) = trace(seen({4: (100, 50), 5: (200, 100)}))
    assert rows(one)[1:3] == [[2.0, 0.1, 0.1, 0.1, 0.08], [2.5, 0.2, 0.2, 0.1, 0.08]]


def test_it_begins_and_ends_half_way_to_the_samples_that_do_not_show_it() -> None:
    (one,) = trace(seen({4: (100, 50), 5: (100, 50)}))
    assert [one.start, one.end] == pytest.approx([1.77, 2.77])


def test_it_begins_and_ends_where_the_report_found_the_edges() -> None:
    spans = clock().spans({4, 5, 6}, FoundEdges({4: Edge(1.9, 0.05)}, {6: Edge(3.06, 0.05)}))
    (one,) = trace(seen({4: (100, 50), 5: (100, 50), 6: (100, 50)}), spans=spans)
    assert [one.start, one.end] == pytest.approx([1.9, 3.06])
    (later,) = trace(seen({5: (100, 50)}), spans=spans)
    assert [later.start, later.end] == pytest.approx([2.27, 2.77])


def test_it_begins_and_ends_at_cuts() -> None:
    (one,) = trace(seen({4: (100, 50), 5: (100, 50)}), at=clock(cuts=[1.84, 2.96]))
    assert (one.start, one.end) == (1.84, 2.96)


def test_a_cut_parts_it_in_two_that_meet() -> None:
    first, second = trace(seen({4: (100, 50), 5: (100, 50), 6: (100, 50)}), at=clock(cuts=[2.2]))
    assert (first.end, second.start) == (2.2, 2.2)


def test_an_absence_parts_it_in_two() -> None:
    first, second = trace(seen({4: (100, 50), 6: (100, 50)}))
    assert first.end < 2.5 < second.start


def test_frames_that_a_kept_one_stands_for_belong_to_it() -> None:
    (one,) = trace(seen({4: (100, 50), 7: (160, 50)}), stands_for={4: (5, 6)})
    assert [row[:2] for row in rows(one)[1:5]] == [[2.0, 0.1], [2.5, 0.1], [3.0, 0.1], [3.5, 0.16]]


def test_a_picture_that_stands_still_does_not_drift() -> None:
    """A sample that stayed for seconds: the next one is another picture, and nothing moved until then."""
    still = SampleClock((4, 20), (2.0, 10.0), (10.0, 10.04), 11.0, FRAME)
    (one,) = trace(seen({4: (100, 50), 20: (500, 50)}), at=still)
    assert [row[:2] for row in rows(one)][1:4] == [[2.0, 0.1], [10.0, 0.1], [10.0, 0.5]]


def test_a_track_that_was_followed_is_one_however_far_it_moved() -> None:
    assert len(trace(seen({4: (0, 50), 5: (800, 50)}))) == 1
    assert len(trace(seen({4: (0, 50), 5: (800, 50)}), surely=False)) == 2


def test_places_side_by_side_are_followed_each_by_itself() -> None:
    boards = [*seen({4: (100, 50), 5: (160, 50)}), *seen({4: (400, 50), 5: (460, 50)})]
    left, right = trace(boards, surely=False)
    assert [row[1] for row in rows(left)[1:3]] == [0.1, 0.16]
    assert [row[1] for row in rows(right)[1:3]] == [0.4, 0.46]


def test_a_box_of_another_size_is_another_place() -> None:
    assert len(trace([*seen({4: (100, 50)}), *seen({5: (100, 50)}, width=300)], surely=False)) == 2


def test_what_was_lost_and_found_at_the_next_sample_is_one() -> None:
    (one,) = trace(seen({4: (100, 50)}), seen({5: (170, 50)}), seen({6: (240, 50), 7: (300, 50)}))
    assert (one.seen_from, one.seen_to) == (2.0, 3.5)


def test_the_board_beside_it_is_not_what_was_lost() -> None:
    assert len(trace(seen({4: (100, 50)}), seen({5: (210, 50)}))) == 2


def test_outside_it_is_taken_to_have_moved_with_the_scene() -> None:
    pan = seen({index: (900 - 100 * index, 50) for index in range(3, 7)})
    once = seen({4: (100, 300)})
    tracer: Tracer[str] = Tracer(clock(), {}, width=WIDTH, height=HEIGHT)
    tracer.follow("Acme", pan, in_scene=True, surely=True)
    tracer.follow("Bolt", once, in_scene=True, surely=True)
    tracer.follow("Score", seen({4: (10, 10)}), in_scene=False, surely=True)
    found = {one.name: one for one in tracer.traces()}
    assert rows(found["Bolt"])[1][:2] == [2.0, 0.1]
    assert [row[1] for row in rows(found["Bolt"])] == pytest.approx([0.1 + 0.046, 0.1, 0.1 - 0.054], abs=1e-3)
    assert {row[1] for row in rows(found["Score"])} == {0.01}


def test_graphics_taken_for_boards_do_not_hold_up_the_scene() -> None:
    tracer: Tracer[str] = Tracer(clock(), {}, width=WIDTH, height=HEIGHT)
    for number in range(5):
        tracer.follow(f"Fixed {number}", seen(dict.fromkeys(range(10), (10, 10))), in_scene=True, surely=True)
    tracer.follow("Acme", seen({index: (900 - 100 * index, 50) for index in range(3, 7)}), in_scene=True, surely=True)
    found = {one.name: one for one in tracer.traces()}
    assert rows(found["Acme"])[0][1] == pytest.approx(0.6 + 0.046, abs=1e-3)
    assert {row[1] for row in rows(found["Fixed 0"])} == {0.01}


def test_what_is_known_and_what_is_guessed() -> None:
    (moving,) = trace(seen({4: (100, 50), 5: (200, 50)}))
    assert (moving.seen_from, moving.seen_to) == (2.0, 2.5)
    (staying,) = trace(seen({4: (100, 50), 5: (100, 50)}))
    assert (staying.seen_from, staying.seen_to) == (staying.start, staying.end)


def test_samples_that_do_not_count_are_left_out() -> None:
    (one,) = trace(seen({4: (100, 50), 5: (100, 50), 8: (100, 50)}), spans=clock().spans({4, 5}))
    assert one.end < 3


def test_an_observation_on_a_frame_that_was_never_sampled_is_a_fault() -> None:
    with pytest.raises(ValueError, match="never sampled"):
        trace(seen({99: (0, 0)}))

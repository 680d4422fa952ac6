"""The stage that follows objects, on made-up frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.checkpoints import serde
from detect.errors import CancelledError
from detect.stages.track_objects import TrackObjectsOutput
from tests.tracking.scenes import NAMES, Frame, box_at, chunks, ids_by_frame, track

FRAME = 40


def walk(frames: int, *, start: float = 100, step: float = 4, y: float = 200, name: str = "person") -> list[Frame]:
    """Somebody walks to the right, a frame each 40 ms."""
    return [(index * FRAME, [(name, 0.9, box_at(start + step * index, y))]) for index in range(frames)]


def together(*scenes: Sequence[Frame]) -> list[Frame]:
    return [(group[0][0], [thing for _, things in group for thing in things]) for group in zip(*scenes, strict=True)]


def centre_of(output: TrackObjectsOutput, number: int) -> dict[int, float]:
    """Where the object with this id is from left to right, by the frame's timestamp."""
    found = {}
    for frame in output.objects:
        for box, own in zip(frame.boxes, frame.ids, strict=True):
            if own == number:
                found[frame.pts] = float(box[0] + box[2]) / 2
    return found


def test_one_object_is_one_track_from_its_first_to_its_last_sight():
    output = track(chunks([*walk(30), (30 * FRAME, []), (31 * FRAME, [])]))
    (only,) = output.tracks
    assert (only.id, only.label, only.start, only.end, only.sightings) == (1, "person", 0, 29 * FRAME, 30)
    assert only.confidence == pytest.approx(0.9)
    assert ids_by_frame(output) == [[1]] * 30 + [[], []]


def test_the_boxes_are_those_that_were_found():
    frames = walk(20, step=7.3)
    output = track(chunks(frames))
    for frame, (_, things) in zip(output.objects, frames, strict=True):
        assert frame.boxes[0] == pytest.approx(things[0][2], abs=0.01)
        assert frame.scores[0] == pytest.approx(0.9)


def test_the_first_sight_counts_also_in_the_middle_of_the_video():
    output = track(chunks([(index * FRAME, []) for index in range(5)] + [(200 + t, seen) for t, seen in walk(10)]))
    assert output.tracks[0].start == 200
    assert output.tracks[0].sightings == 10


def test_weak_sights_before_a_sure_one_belong_to_the_track():
    scores = [0.3, 0.35, 0.4] + [0.8] * 7 + [0.15] * 5
    frames = [(t, [("person", score, things[0][2])]) for (t, things), score in zip(walk(15), scores, strict=True)]
    (only,) = track(chunks(frames)).tracks
    assert (only.start, only.end) == (0, 14 * FRAME)


def test_the_unsure_are_followed_as_well_as_the_sure():
    frames = [(t, [("person", 0.35, seen[0][2])]) for t, seen in walk(20, step=20)]
    (only,) = track(chunks(frames), confidence=0.3).tracks
    assert only.sightings == 20


def test_what_is_never_sure_is_left_out():
    frames = [(t, [("person", 0.45, things[0][2])]) for t, things in walk(20)]
    output = track(chunks(frames))
    assert output.tracks == []
    assert output.stats["left_out"] == 1
    assert len(track(chunks(frames), confidence=0.45).tracks) == 1


def test_numbers_are_given_in_the_order_of_first_sights():
    late, early = walk(40, y=500), walk(40, y=100, name="car")
    frames = together([(t, seen if t >= 400 else []) for t, seen in late], early)
    output = track(chunks(frames))
    assert [(one.id, one.label, one.start) for one in output.tracks] == [(1, "car", 0), (2, "person", 400)]


def test_two_that_cross_keep_their_numbers():
    right = walk(60, start=100, step=8, y=200)
    left = walk(60, start=572, step=-8, y=230)
    output = track(chunks(together(right, left)))
    assert len(output.tracks) == 2
    first, second = (list(centre_of(output, number).values()) for number in (1, 2))
    assert first == sorted(first)
    assert second == sorted(second, reverse=True)
    assert min(len(first), len(second)) == 60


def test_behind_a_pillar_it_stays_the_same_and_the_gap_is_filled():
    frames = [(t, [] if 15 <= index < 27 else seen) for index, (t, seen) in enumerate(walk(45, step=5))]
    output = track(chunks(frames))
    (only,) = output.tracks
    assert only.sightings == 33
    assert ids_by_frame(output) == [[1]] * 45
    filled = [frame for frame in output.objects if frame.scores[0] == 0]
    assert [frame.pts for frame in filled] == [index * FRAME for index in range(15, 27)]
    for frame in filled:
        assert frame.boxes[0] == pytest.approx(box_at(100 + 5 * frame.pts / FRAME, 200), abs=0.01)
    assert output.stats["filled"] == 12


def test_gaps_are_filled_only_where_asked_for():
    frames = [(t, [] if 15 <= index < 27 else seen) for index, (t, seen) in enumerate(walk(45, step=5))]
    output = track(chunks(frames), fill_seconds=0.4)
    assert len(output.tracks) == 1
    assert [len(ids) for ids in ids_by_frame(output)] == [1] * 15 + [0] * 12 + [1] * 18


def test_after_too_long_out_of_sight_it_is_another():
    frames = [(t, [] if 20 <= index < 50 else seen) for index, (t, seen) in enumerate(walk(70, step=0))]
    assert [(one.start, one.end) for one in track(chunks(frames)).tracks] == [(0, 760), (2000, 2760)]
    assert len(track(chunks(frames), lost_seconds=1.24).tracks) == 1
    assert len(track(chunks(frames), lost_seconds=1.23).tracks) == 2


def test_missed_now_and_then_it_is_one():
    frames = [(t, [] if index % 4 == 3 else seen) for index, (t, seen) in enumerate(walk(60))]
    output = track(chunks(frames))
    assert len(output.tracks) == 1
    assert ids_by_frame(output)[:59] == [[1]] * 59


@pytest.mark.parametrize("lost_seconds", [0, 0.01, 1.0])
def test_an_object_in_every_frame_is_never_lost(lost_seconds):
    assert len(track(chunks(walk(30)), lost_seconds=lost_seconds).tracks) == 1


def test_seconds_count_whatever_the_frame_rate():
    # 25 frames a second, then 5: the object stands, is away for 0.8 s, then for 1.2 s.
    times = [*range(0, 1000, 40), *range(1000, 9000, 200)]
    away = [(1000, 1600), (4000, 5000)]
    still = ("car", 0.9, box_at(300, 300, 200, 100))
    frames = [(t, [] if any(start <= t <= end for start, end in away) else [still]) for t in times]
    assert [(one.start, one.end) for one in track(chunks(frames)).tracks] == [(0, 3800), (5200, 8800)]


def test_motion_is_carried_on_over_frames_that_are_missing_from_the_file():
    # 12 px a frame: in the gap of 0.6 s the object moves on by three of its widths.
    frames = [frame for index, frame in enumerate(walk(60, step=12)) if not 30 <= index < 44]
    output = track(chunks(frames), join_within=0)
    assert len(output.tracks) == 1


def test_short_tracks_are_left_out_by_their_time_on_screen():
    frames = [(t, seen if index < 5 else []) for index, (t, seen) in enumerate(walk(20))]
    assert len(track(chunks(frames), min_seconds=0.2).tracks) == 1
    assert track(chunks(frames), min_seconds=0.21).tracks == []


def test_a_flash_in_one_frame_is_no_track():
    frames = [(t, seen if index == 7 else []) for index, (t, seen) in enumerate(walk(20))]
    assert track(chunks(frames), min_seconds=0).tracks == []


def test_the_class_is_that_of_the_surest_votes_in_every_frame():
    names = ["bus", "bus", "car"] * 10
    scores = {"bus": 0.3, "car": 0.9}
    frames = [(t, [(name, scores[name], seen[0][2])]) for (t, seen), name in zip(walk(30), names, strict=True)]
    output = track(chunks(frames))
    assert [one.label for one in output.tracks] == ["car"]
    assert {int(kind) for frame in output.objects for kind in frame.kinds} == {NAMES.index("car")}


def test_one_object_taken_for_two_classes_at_once_is_one():
    frames = [
        (t, [*seen, ("bus", 0.6, box_at(100 + 4 * index, 201))]) for index, (t, seen) in enumerate(walk(20, name="car"))
    ]
    assert [one.label for one in track(chunks(frames)).tracks] == ["car"]
    assert len(track(chunks(frames), same_above=1.0).tracks) == 2


def test_a_person_in_front_of_a_car_stays_two():
    frames = together(walk(20), [(t, [("car", 0.8, (20, 100, 420, 280))]) for t, _ in walk(20)])
    assert {one.label for one in track(chunks(frames)).tracks} == {"person", "car"}


def test_without_objects_there_is_an_entry_for_every_frame():
    output = track(chunks([(index * FRAME, []) for index in range(25)]))
    assert output.tracks == []
    assert ids_by_frame(output) == [[]] * 25
    assert output.ended == 25 * FRAME


def test_one_frame():
    frames = walk(1)
    assert track(chunks(frames)).tracks == []
    output = track(chunks(frames), min_seconds=0)
    assert [(one.start, one.end, one.sightings) for one in output.tracks] == [(0, 0, 1)]


def test_no_frame_at_all():
    output = track(chunks([]))
    assert (output.tracks, len(output.objects.times)) == ([], 0)


def test_boxes_without_area_are_no_objects():
    frames = [(t, [*seen, ("car", 0.9, (50, 50, 50, 90))]) for t, seen in walk(10)]
    assert [one.label for one in track(chunks(frames)).tracks] == ["person"]


@pytest.mark.parametrize("size", [1, 7, 200])
def test_where_chunks_begin_makes_no_difference(size):
    frames = together(walk(50), walk(50, start=500, step=-8, y=240, name="car"))
    assert serde.encode(track(chunks(frames, size=size))) == serde.encode(track(chunks(frames, size=10)))


def test_times_and_problems_are_those_of_the_chunks():
    frames = [(90_000 + t, seen) for t, seen in walk(30)]
    outputs = [type(one)(**{**fields(one), "problems": [f"part {n}"]}) for n, one in enumerate(chunks(frames))]
    output = track(outputs)
    assert (output.time_base, output.origin, output.ended) == ("1/1000", 90_000, 90_000 + 30 * FRAME)
    assert output.objects.times.tolist() == [t for t, _ in frames]
    assert output.problems == ["part 0", "part 1", "part 2"]
    assert output.tracks[0].start == 90_000


def fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


class _OnceEach(Sequence):
    """Chunks that can be loaded once each, in their order."""

    def __init__(self, chunks: Sequence[Any]) -> None:
        self._chunks = chunks
        self.loaded: list[int] = []

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: Any) -> Any:
        self.loaded.append(index)
        return self._chunks[index]

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self._chunks)):
            yield self[index]


def test_chunks_are_loaded_once_and_in_order():
    outputs = _OnceEach(chunks(walk(35)))
    track(outputs)
    assert outputs.loaded == [0, 1, 2, 3]


def test_progress_is_told_frame_by_frame_and_ends_at_its_total():
    steps: list[tuple[int, int]] = []
    track(chunks(walk(30)), progress=lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps[:30]] == list(range(1, 31))
    shares = [done / total for done, total in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_it_can_be_stopped_at_any_frame():
    seen = []

    def stop() -> None:
        seen.append(1)
        if len(seen) == 12:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        track(chunks(walk(30)), checkpoint=stop)
    assert len(seen) == 12


_boxes = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 120), st.integers(1, 120)).map(
    lambda four: (four[0], four[1], four[0] + four[2], four[1] + four[3])
)
_things = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(10, 100).map(lambda share: share / 100), _boxes), max_size=5
)
_videos = st.lists(st.tuples(st.integers(1, 500), _things), max_size=25)


@settings(max_examples=60, deadline=None)
@given(_videos, st.sampled_from([0, 0.1, 2.0]), st.sampled_from([0, 0.3]))
def test_whatever_is_found(steps, lost_seconds, min_seconds):
    times = np.cumsum([step for step, _ in steps]).tolist()
    frames = [(time, things) for time, (_, things) in zip(times, steps, strict=True)]
    options = {"lost_seconds": lost_seconds, "min_seconds": min_seconds, "confidence": 0.3}
    output = track(chunks(frames), **options)
    assert output.objects.times.tolist() == times
    rows = list(output.objects)
    assert len(rows) == len(frames)
    for frame in rows:
        assert len(set(frame.ids.tolist())) == len(frame.ids) == len(frame.boxes)
    assert [one.id for one in output.tracks] == list(range(1, len(output.tracks) + 1))
    assert [one.start for one in output.tracks] == sorted(one.start for one in output.tracks)
    for one in output.tracks:
        scores = {f.pts: float(f.scores[f.ids == one.id][0]) for f in rows if one.id in f.ids}
        assert (min(scores), max(scores)) == (one.start, one.end)
        assert sum(score > 0 for score in scores.values()) == one.sightings
        assert max(scores.values()) >= np.float32(0.3)
    assert serde.encode(track(chunks(frames), **options)) == serde.encode(output)

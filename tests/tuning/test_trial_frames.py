"""Which frames settings are tried on."""

from __future__ import annotations

import pytest

from jobs.branches.trial_frames import FrameTimes, job_brand_frames, job_frame_times, missed_frames
from jobs.models import DetectJob
from tests.matches import Finished
from tests.report.factories import detection
from tests.trees.made import a_job, matched_job

# two a second; a cut at 5 s and one at 10 s; every third frame was dropped as a near-duplicate
TIMES = FrameTimes(
    seconds={number: number / 2 for number in range(30)},
    kept=[number for number in range(30) if number % 3],
    cuts=[5.0, 10.0],
)


class TestTimes:
    def test_of_a_part(self):
        assert TIMES.between(1, 4, 99) == [2, 4, 5, 7, 8]
        assert TIMES.between(1, 4, 2) == [4, 7]
        assert TIMES.between(4, 1, 9) == []
        assert TIMES.end == 14.5

    def test_shots(self):
        assert [TIMES.shot(number) for number in (0, 9, 10, 19, 20)] == [0, 0, 1, 1, 2]

    def test_of_no_frames(self):
        none = FrameTimes({}, [], [])
        assert none.between(0, none.end, 9) == missed_frames(none, [1], 9) == []


class TestMissed:
    def test_the_others_of_the_same_shots(self):
        assert missed_frames(TIMES, [11, 13], 99) == [10, 14, 16, 17, 19]

    def test_the_nearest_where_there_are_more(self):
        assert missed_frames(TIMES, [14], 2) == [13, 16]
        assert missed_frames(TIMES, [4], 3) == [2, 5, 7]

    def test_equally_near_ones_are_spread(self):
        assert missed_frames(TIMES, [2, 11, 22], 3) == [1, 10, 23]
        assert missed_frames(TIMES, [2, 11, 22], 2) == [1, 23]

    def test_none_where_every_frame_of_the_shots_has_it(self):
        assert missed_frames(TIMES, [number for number in TIMES.kept if number >= 20], 9) == []
        assert missed_frames(TIMES, [], 9) == []

    def test_frames_that_are_not_of_this_timeline(self):
        assert missed_frames(TIMES, [999], 9) == []


@pytest.mark.django_db
class TestOfAJob:
    def test_frames_of_a_finished_match(self, job: DetectJob, finished: Finished, django_assert_max_num_queries):
        times = job_frame_times(job)
        assert times is not None
        samples = {one.sequence: one.timestamp for part in finished.output("extract_frames") for one in part.samples}
        assert times.seconds == samples
        assert times.kept == [number for part in finished.output("filter_scenes") for number in part.kept]
        with django_assert_max_num_queries(2):
            assert job_frame_times(job) is times

    def test_brands_of_a_finished_match(self, job: DetectJob, finished: Finished):
        found = job_brand_frames(job)
        (output,) = finished.output("match_brands")
        assert set(found) == {one.brand for one in output.detections}
        assert sorted(map(len, found.values()), reverse=True) == list(map(len, found.values()))
        assert all(frames == sorted(set(frames)) for frames in found.values())

    def test_detections_of_one_brand_are_joined(self, storage):
        job = matched_job(detections=[detection("Acme", [4, 5]), detection("Bolt", [1]), detection("Acme", [5, 2])])
        assert job_brand_frames(job) == {"Acme": [2, 4, 5], "Bolt": [1]}

    def test_before_anything_was_done(self):
        job = a_job()
        assert job_frame_times(job) is None
        assert job_brand_frames(job) == {}

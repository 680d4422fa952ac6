"""A stage tried beside what the job has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.errors import ConfigError, NotFoundError
from detect.tuning import differing, spread
from detect.types import Box, Region
from jobs.branches.trials import process_tuner, stage_compare, stage_try
from jobs.models import DetectJob
from tests.matches import Finished


def region(x: int, label: str = "board", *, width: int = 100) -> Region:
    return Region(Box(x, 0, x + width, 50), 0.9, label)


class TestDiffering:
    def test_the_same_are_none(self):
        assert differing([region(0), region(200)], [region(200), region(0)]) == ([], [])

    def test_what_one_side_alone_has(self):
        assert differing([region(0), region(200)], [region(200), region(400), region(600)]) == ([0], [1, 2])

    def test_nothing_on_a_side(self):
        assert differing([], [region(0)]) == ([], [0])
        assert differing([region(0)], []) == ([0], [])
        assert differing([], []) == ([], [])

    def test_one_that_moved_by_less_than_half_is_the_same(self):
        assert differing([region(0)], [region(30)]) == ([], [])
        assert differing([region(0)], [region(40)]) == ([0], [0])

    def test_another_label_is_another_region(self):
        assert differing([region(0, "ACME")], [region(0, "ACNE")]) == ([0], [0])

    def test_the_best_pair_counts(self):
        """Were the first pair taken, the second one would be left alone."""
        assert differing([region(0), region(20)], [region(20)]) == ([0], [])
        assert differing([region(20)], [region(0), region(20), region(40)]) == ([], [0, 2])

    @given(st.lists(st.integers(0, 40), max_size=8), st.lists(st.integers(0, 40), max_size=8))
    def test_what_is_left_on_both_sides_pairs_up(self, before, after):
        one, other = [region(10 * x) for x in before], [region(10 * x) for x in after]
        lost, gained = differing(one, other)
        assert len(one) - len(lost) == len(other) - len(gained)
        assert differing(other, one) == (gained, lost) or sorted(before) != sorted(set(before))


@pytest.mark.parametrize(("count", "taken"), [(3, [1, 5, 8]), (10, list(range(10))), (99, list(range(10))), (0, [])])
def test_spread_is_even(count, taken):
    assert spread(range(10), count) == taken


@pytest.mark.django_db
class TestCompare:
    @pytest.fixture(autouse=True)
    def _nothing_kept(self):
        process_tuner.cache_clear()

    @pytest.mark.parametrize("stage", ["detect_edges", "detect_objects", "match_brands"])
    def test_the_present_side_is_what_the_run_stored(self, job: DetectJob, finished: Finished, stage: str):
        pairs = stage_compare(job_id=job.id, stage=stage, sequences=[0, 3], overrides={}, debug=False)
        assert list(pairs) == [0, 3]
        output = finished.output(stage)[0]
        for sequence, pair in pairs.items():
            stored = (
                output.regions[sequence]
                if stage != "match_brands"
                else [
                    Region(seen.box, one.confidence, one.brand)
                    for one in output.detections
                    for seen in one.observations
                    if seen.sequence == sequence
                ]
            )
            assert pair.present == pair.tried == stored
            assert pair.lost == pair.gained == []

    @pytest.mark.parametrize(
        ("stage", "overrides"),
        [
            ("detect_edges", {"max_regions": 1}),
            ("run_ocr", {"min_confidence": 1.0}),
            ("match_brands", {"min_confidence": 1.0}),
        ],
    )
    def test_both_sides_are_what_trying_either_gives(self, job: DetectJob, stage: str, overrides: dict[str, float]):
        asked: dict[str, Any] = {"job_id": job.id, "stage": stage, "sequences": [0], "debug": False}
        pair = stage_compare(**asked, overrides=overrides)[0]
        assert pair.present == stage_try(**asked, overrides={}).regions[0]
        assert pair.tried == stage_try(**asked, overrides=overrides).regions[0]
        assert len(pair.present) > len(pair.tried)
        assert len(pair.lost) - len(pair.gained) == len(pair.present) - len(pair.tried)

    def test_overlays_of_edges_on_both_sides(self, job: DetectJob):
        overrides = {"max_angle_degrees": 5}
        asked: dict[str, Any] = {
            "job_id": job.id,
            "stage": "detect_edges",
            "sequences": [0],
            "overrides": overrides,
        }
        plain, drawn = stage_compare(**asked, debug=False)[0], stage_compare(**asked, debug=True)[0]
        assert plain.present_overlays is plain.tried_overlays is None
        assert drawn.present_overlays is not None and drawn.tried_overlays is not None
        assert drawn.present_overlays.horizontal_count > drawn.tried_overlays.horizontal_count

    def test_a_value_that_cannot_be_used_and_a_job_that_is_not_there(self, job: DetectJob):
        with pytest.raises(ConfigError, match=r"detect_edges\.max_angle_degrees = 99"):
            stage_compare(
                job_id=job.id, stage="detect_edges", sequences=[0], overrides={"max_angle_degrees": 99}, debug=False
            )
        with pytest.raises(NotFoundError):
            stage_compare(job_id=job.source_asset_id, stage="detect_edges", sequences=[0], overrides={}, debug=False)

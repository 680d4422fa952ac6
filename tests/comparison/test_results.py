"""Two jobs or checkpoints of one video, side by side over REST."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from detect.models import Checkpoint, StageOutput
from jobs.api.comparisons import ComparisonSerializer
from jobs.branches.comparisons import results_compare
from jobs.models import DetectJob
from jobs.services import job_replay
from tests.report.factories import detection
from tests.trees.made import a_job, an_asset, matched_job, run

pytestmark = pytest.mark.django_db

ACME, BOLT = detection("Acme", [0, 1, 2, 3]), detection("Bolt", [6, 7, 8])


def get(client: Any, left: object, right: object) -> Any:
    return client.get(f"/detect/compare?left={left}&right={right}")


def node(job: DetectJob, stage: str) -> uuid.UUID:
    return Checkpoint.objects.get(job_id=job.id, stage=stage).id


class TestReports:
    def test_what_a_replay_lost(self, viewer):
        job = run(matched_job(detections=[ACME, BOLT], unresolved=[]))
        again = run(
            job_replay(parent=job, start_stage="compile_report", overrides={"compile_report": {"min_seconds": 1.6}})
        )
        answer = get(viewer, job.id, again.id)
        assert answer.status_code == 200
        found = answer.json()
        assert found["stage"] == "compile_report"
        assert [one["brand"] for one in found["lost"]] == ["Bolt"]
        assert (found["gained"], found["renamed"], found["moved"]) == ([], [], [])
        assert found["lost"][0]["evidence"]["sequence"] in (6, 7, 8)
        assert found["config_differences"] == {"compile_report": {"min_seconds": [0.0, 1.6]}}
        assert found["totals"][0]["brand"] == "Bolt"
        assert found["seconds_difference"] == found["totals"][0]["difference"] < 0
        assert found["cost_difference_usd"] == "0"

    def test_the_other_way_round_it_was_gained(self, viewer):
        job, again = run(matched_job(detections=[ACME], unresolved=[])), run(matched_job(detections=[ACME, BOLT]))
        assert [one["brand"] for one in get(viewer, job.id, again.id).json()["gained"]] == ["Bolt"]
        assert [one["brand"] for one in get(viewer, again.id, job.id).json()["lost"]] == ["Bolt"]

    def test_a_result_is_like_itself(self, viewer):
        job = run(matched_job(detections=[ACME, BOLT]))
        found = get(viewer, job.id, node(job, "compile_report")).json()
        assert (found["gained"], found["lost"], found["renamed"], found["moved"]) == ([], [], [], [])
        assert found["config_differences"] == {}
        assert (found["seconds_difference"], found["time_difference_seconds"]) == (0, 0)
        assert found["left"] == found["right"]

    def test_renamed_says_from_and_to(self, viewer):
        job = run(matched_job(detections=[ACME], unresolved=[]))
        other = run(matched_job(detections=[detection("Acne", [0, 1, 2, 3])], unresolved=[]))
        [renamed] = get(viewer, job.id, other.id).json()["renamed"]
        assert (renamed["from"], renamed["to"]) == ("Acme", "Acne")

    def test_time_is_what_the_outputs_took_whoever_reuses_them(self, viewer):
        job = run(matched_job(detections=[ACME], unresolved=[]))
        again = run(
            job_replay(parent=job, start_stage="compile_report", overrides={"compile_report": {"min_seconds": 0.1}})
        )
        reports = StageOutput.objects.filter(stage="compile_report").order_by("created_at")
        first = get(viewer, job.id, again.id).json()["time_difference_seconds"]
        StageOutput.objects.filter(key=reports.filter(seconds__gt=0).values_list("key", flat=True)[1]).update(
            seconds=10
        )
        assert get(viewer, job.id, again.id).json()["time_difference_seconds"] - first > 9

    def test_it_is_what_is_documented(self, viewer):
        job = run(matched_job(detections=[ACME], unresolved=[]))
        other = run(matched_job(detections=[detection("Acme", [2, 3, 4, 5]), BOLT], unresolved=[]))
        found = get(viewer, job.id, other.id).json()
        shape: Any = ComparisonSerializer()
        assert set(found) == set(shape.fields)
        for name in ("gained", "moved", "totals"):
            assert found[name]
            assert all(set(row) == set(shape.fields[name].child.fields) for row in found[name])


class TestBeforeTheReport:
    def test_what_was_recognised_is_compared_as_a_report_would_show_it(self, viewer):
        job, other = matched_job(detections=[ACME]), matched_job(detections=[ACME, BOLT])
        early = get(viewer, node(job, "match_brands"), node(other, "match_brands")).json()
        assert early["stage"] == "match_brands"
        late = get(viewer, run(job).id, run(other).id).json()
        assert late["stage"] == "compile_report"
        for name in ("gained", "lost", "renamed", "moved", "totals"):
            assert early[name] == late[name]

    def test_the_latest_stage_of_both_counts(self, viewer):
        job, other = run(matched_job(detections=[ACME])), matched_job(detections=[ACME, BOLT])
        found = get(viewer, job.id, other.id).json()
        assert found["stage"] == "match_brands"
        assert found["left"]["checkpoint_id"] == str(node(job, "match_brands"))

    def test_a_job_that_did_not_get_that_far(self, viewer):
        job = run(matched_job())
        early = node(job, "run_ocr")
        answer = get(viewer, job.id, early)
        assert answer.status_code == 400
        assert "got as far as run_ocr" in answer.json()["detail"]
        assert get(viewer, a_job().id, job.id).status_code == 400


class TestRefused:
    def test_different_videos(self, viewer):
        job, other = run(matched_job()), run(matched_job(asset=an_asset(sha256="cd" * 32)))
        answer = get(viewer, job.id, other.id)
        assert answer.status_code == 400
        assert "different videos" in answer.json()["detail"]

    def test_unknown_ids(self, viewer):
        job = run(matched_job())
        assert get(viewer, job.id, uuid.uuid4()).status_code == 404
        assert get(viewer, "nonsense", job.id).status_code == 400
        assert viewer.get("/detect/compare").status_code == 400

    def test_nobody_gets_it_without_a_key(self, client):
        assert get(client, uuid.uuid4(), uuid.uuid4()).status_code == 401


class TestQueries:
    def test_they_do_not_grow_with_what_is_compared(self, django_assert_num_queries):
        small = run(matched_job(detections=[ACME], unresolved=[]))
        brands = [detection(f"Brand {number}", [number % 10]) for number in range(60)]
        large = run(matched_job(detections=brands, unresolved=[]))
        for left, right in ((small, small), (small, large), (large, large)):
            with django_assert_num_queries(9):
                results_compare(left.id, right.id)
        early = [node(job, "match_brands") for job in (small, large)]
        for left_id, right_id in ((early[0], early[0]), (early[0], early[1])):
            with django_assert_num_queries(9):
                results_compare(left_id, right_id)

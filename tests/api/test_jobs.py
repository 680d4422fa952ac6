"""Jobs over REST: submit, list, change, pause, resume, cancel, delete."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from brands.models import KnownBrand
from detect.models import Checkpoint, SourceAsset, Timeline
from jobs.choices import JobStatus
from jobs.models import DetectJob


def submit(client: APIClient, asset: SourceAsset, headers: dict[str, str] | None = None, **body):
    return client.post("/detect/jobs", {"asset_id": str(asset.id), **body}, format="json", headers=headers or {})


def act(client: APIClient, job: DetectJob, action: str):
    return client.post(f"/detect/jobs/{job.id}/{action}")


class TestSubmit:
    def test_a_job_waits_for_workers(self, operator: APIClient, asset: SourceAsset) -> None:
        answer = submit(operator, asset, tags=["final", "final"], priority=3, brands=["Acme"])
        assert answer.status_code == 201, answer.json()
        job = DetectJob.objects.get(id=answer.json()["id"])
        assert (job.status, job.priority, job.tags) == (JobStatus.PENDING, 3, ["final"])
        assert job.task_id
        assert job.requested_by == "key:operator"
        assert KnownBrand.objects.get().canonical_name == "Acme"

    def test_same_request_again_is_the_same_job(self, operator: APIClient, asset: SourceAsset) -> None:
        first, second = submit(operator, asset), submit(operator, asset)
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["id"] == second.json()["id"]

    def test_an_idempotency_key_names_one_request(self, operator: APIClient, asset: SourceAsset) -> None:
        named = {"Idempotency-Key": "monday"}
        first = submit(operator, asset, headers=named)
        DetectJob.objects.update(status=JobStatus.RUNNING)
        DetectJob.objects.update(status=JobStatus.COMPLETED)
        assert submit(operator, asset, headers=named).json()["id"] == first.json()["id"]
        other = submit(operator, asset, headers=named, profile="motorsport")
        assert other.status_code == 409
        assert "monday" in other.json()["detail"]
        assert submit(operator, asset, headers={"Idempotency-Key": "tuesday"}).status_code == 201

    @pytest.mark.parametrize(
        ("body", "names"),
        [
            ({"profile": "chess"}, "chess"),
            ({"config_overrides": {"run_ocrs": {}}}, "run_ocrs"),
            ({"config_overrides": {"run_ocr": {"nothing": 1}}}, "nothing"),
            ({"config_overrides": {"extract_frames": {"fps": 10_000}}}, "fps"),
            ({"config_overrides": "fast"}, "config_overrides"),
            ({"asset_id": "nonsense"}, "asset_id"),
            ({"path": "/etc/passwd"}, "exactly one"),
            ({"cost_limit_usd": "-1"}, "cost_limit_usd"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_made(
        self, operator: APIClient, asset: SourceAsset, body: dict[str, Any], names: str
    ) -> None:
        answer = submit(operator, asset, **body)
        assert answer.status_code == 400
        assert names in answer.json()["detail"]
        assert not DetectJob.objects.exists()

    def test_unknown_asset(self, operator: APIClient) -> None:
        answer = operator.post("/detect/jobs", {"asset_id": str(uuid.uuid4())}, format="json")
        assert answer.status_code == 404

    def test_a_file_outside_the_roots_is_refused(self, operator: APIClient) -> None:
        answer = operator.post("/detect/jobs", {"path": "/etc/passwd"}, format="json")
        assert answer.status_code == 403
        assert not DetectJob.objects.exists()

    def test_one_that_starts_later(self, operator: APIClient, asset: SourceAsset) -> None:
        answer = submit(operator, asset, schedule_seconds=3600)
        assert answer.json()["scheduled_for"] > answer.json()["created_at"]


class TestSteering:
    @pytest.fixture
    def waiting(self, operator: APIClient, asset: SourceAsset) -> DetectJob:
        return DetectJob.objects.get(id=submit(operator, asset).json()["id"])

    def test_pause_and_resume(self, operator: APIClient, waiting: DetectJob) -> None:
        assert act(operator, waiting, "pause").json()["status"] == "paused"
        answer = act(operator, waiting, "resume")
        assert answer.json()["status"] == "pending"
        assert answer.json()["task_id"] != waiting.task_id

    def test_cancel_is_final_and_can_be_said_twice(self, operator: APIClient, waiting: DetectJob) -> None:
        assert act(operator, waiting, "cancel").json()["status"] == "cancelled"
        assert act(operator, waiting, "cancel").status_code == 200
        for action in ("pause", "resume"):
            answer = act(operator, waiting, action)
            assert answer.status_code == 409
            assert "cancelled" in answer.json()["detail"]

    def test_priority_and_tags(self, operator: APIClient, waiting: DetectJob) -> None:
        address = reverse("detect-job", args=[waiting.id])
        answer = operator.patch(address, {"priority": 9, "tags": ["cup"]}, format="json")
        assert (answer.json()["priority"], answer.json()["tags"]) == (9, ["cup"])
        assert operator.patch(address, {"priority": "high"}, format="json").status_code == 400

    def test_delete(self, operator: APIClient, waiting: DetectJob) -> None:
        assert operator.delete(f"/detect/jobs/{waiting.id}").status_code == 204
        assert operator.get(f"/detect/jobs/{waiting.id}").status_code == 404
        assert not Timeline.objects.exists()

    def test_a_running_job_is_not_deleted(self, operator: APIClient, waiting: DetectJob) -> None:
        DetectJob.objects.update(status=JobStatus.RUNNING)
        assert operator.delete(f"/detect/jobs/{waiting.id}").status_code == 409

    def test_unknown_jobs(self, operator: APIClient) -> None:
        for action in ("pause", "resume", "cancel"):
            answer = operator.post(f"/detect/jobs/{uuid.uuid4()}/{action}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_job_that_others_branch_off_is_kept(operator: APIClient, job: DetectJob) -> None:
    replayed = operator.post("/detect/replay", {"job_id": str(job.id), "start_stage": "compile_report"}, format="json")
    assert replayed.status_code == 200, replayed.json()
    answer = operator.delete(f"/detect/jobs/{job.id}")
    assert answer.status_code == 409
    assert operator.delete(f"/detect/jobs/{replayed.json()['job_id']}").status_code == 204
    assert Checkpoint.objects.filter(job_id=job.id).exists(), "what it branched off from stays"
    assert operator.delete(f"/detect/jobs/{job.id}").status_code == 204
    assert not Checkpoint.objects.exists()


def test_the_list_is_filtered_and_paged(operator: APIClient, asset: SourceAsset) -> None:
    for number in range(3):
        submit(operator, asset, tags=[f"day{number}"], config_overrides={"extract_frames": {"fps": number + 1}})
    everything = operator.get("/detect/jobs").json()
    assert everything["total"] == 3
    assert [job["tags"] for job in everything["jobs"]] == [["day2"], ["day1"], ["day0"]]
    assert operator.get("/detect/jobs?tag=day1").json()["total"] == 1
    assert [job["tags"] for job in operator.get("/detect/jobs?limit=1&offset=1").json()["jobs"]] == [["day1"]]
    assert operator.get("/detect/jobs?status=completed").json() == {"jobs": [], "total": 0}
    assert operator.get("/detect/jobs?status=sleeping").status_code == 400


def test_the_report_of_a_finished_job(operator: APIClient, job: DetectJob) -> None:
    answer = operator.get(f"/detect/jobs/{job.id}/report")
    assert answer.status_code == 200
    assert (answer.json()["schema"], answer.json()["job_id"]) == ("mediaproc.report/1", str(job.id))
    assert answer.json()["brands"]


def test_a_job_that_has_not_ended_has_no_report(operator: APIClient, asset: SourceAsset) -> None:
    job = submit(operator, asset).json()["id"]
    answer = operator.get(f"/detect/jobs/{job}/report")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "pending" in answer.json()["detail"]

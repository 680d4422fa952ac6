"""``POST /detect/replay`` and ``/detect/retry``, as existing clients call them."""

from __future__ import annotations

import uuid

import pytest
from rest_framework.test import APIClient

from detect.models import Checkpoint, StageOutput
from detect.stages.compile_report import CompileReport
from jobs.choices import JobStatus, RunType
from jobs.models import DetectJob


def replay(client: APIClient, job_id: object, stage: str = "match_brands", **body):
    return client.post("/detect/replay", {"job_id": str(job_id), "start_stage": stage, **body}, format="json")


def retry(client: APIClient, job_id: object, **body):
    return client.post("/detect/retry", {"job_id": str(job_id), **body}, format="json")


def test_a_replay_answers_when_it_has_completed(operator: APIClient, job: DetectJob) -> None:
    before = list(Checkpoint.objects.filter(job_id=job.id).values())
    answer = replay(operator, job.id, config_overrides={"match_brands": {"min_similarity": 0.95}})
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    made = DetectJob.objects.get(id=body["job_id"])
    assert (body["status"], body["start_stage"]) == ("completed", "match_brands")
    assert (body["detections"], body["brands_found"]) == (made.total_detections, made.brands_found)
    assert made.brands_found > 0
    assert (made.status, made.run_type, made.parent_job_id) == (JobStatus.COMPLETED, RunType.REPLAY, job.id)
    assert list(Checkpoint.objects.filter(job_id=job.id).values()) == before, "what was there stays as it was"


def test_the_branch_hangs_where_it_begins(operator: APIClient, job: DetectJob) -> None:
    made = replay(operator, job.id).json()["job_id"]
    nodes = operator.get(f"/detect/checkpoints/{made}").json()
    assert [node["stage_index"] for node in nodes] == list(range(9))
    assert [node["job_id"] for node in nodes] == [str(job.id)] * 5 + [made] * 4


def test_what_is_not_changed_is_not_computed(operator: APIClient, job: DetectJob) -> None:
    stored = StageOutput.objects.filter(stage="run_ocr").count()
    replay(operator, job.id, "run_ocr")
    assert StageOutput.objects.filter(stage="run_ocr").count() == stored


@pytest.mark.parametrize(
    ("body", "code", "names"),
    [
        ({"start_stage": "run_orc"}, 400, "run_orc"),
        ({"config_overrides": {"match_brands": {"min_similarity": 7}}}, 400, "min_similarity"),
        ({"config_overrides": {"match_brands": {"max_similarity": 1}}}, 400, "max_similarity"),
        ({"config_overrides": {"run_ocr": {"detect_side": 640}}}, 400, "run_ocr"),
        ({"job_id": str(uuid.uuid4())}, 404, "no job"),
        ({"job_id": "no id"}, 404, "no id"),
        ({"job_id": None}, 400, "job_id"),
    ],
)
def test_refused(operator: APIClient, job: DetectJob, body: dict[str, object], code: int, names: str) -> None:
    given = {"job_id": str(job.id), "start_stage": "match_brands", **body}
    answer = operator.post("/detect/replay", given, format="json")
    assert answer.status_code == code, answer.json()
    assert names in answer.json()["detail"]
    assert answer.json()["code"]
    assert DetectJob.objects.count() == 1


def test_nothing_to_replay_from(operator: APIClient, job: DetectJob) -> None:
    Checkpoint.objects.filter(job_id=job.id, stage_index__gte=3).delete()
    assert replay(operator, job.id).status_code == 409
    assert retry(operator, job.id).status_code == 409


def test_a_run_that_fails_says_why(operator: APIClient, job: DetectJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("the abacus is out of beads")

    monkeypatch.setattr(CompileReport, "run", fail)
    answer = replay(operator, job.id, config_overrides={"compile_report": {"min_seconds": 0.25}})
    assert answer.status_code == 500
    assert "abacus" in answer.json()["detail"]
    assert DetectJob.objects.exclude(id=job.id).get().status == JobStatus.FAILED


def test_a_retry_is_queued(operator: APIClient, job: DetectJob) -> None:
    answer = retry(operator, job.id, config_overrides={"escalate_cloud": {"provider": "other"}})
    assert answer.status_code == 200, answer.json()
    made = DetectJob.objects.get(id=answer.json()["job_id"])
    assert answer.json()["status"] == "queued"
    assert answer.json()["task_id"] == made.task_id != ""
    assert (made.status, made.run_type, made.replay_from_stage) == (JobStatus.PENDING, RunType.RETRY, "escalate_vlm")
    assert made.scheduled_for is None


def test_a_retry_may_wait(operator: APIClient, job: DetectJob) -> None:
    answer = retry(operator, job.id, start_stage="escalate_cloud", schedule_seconds=3600)
    made = DetectJob.objects.get(id=answer.json()["job_id"])
    assert made.scheduled_for is not None
    assert 3590 < (made.scheduled_for - made.created_at).total_seconds() < 3610


def test_limits_stand_on_the_job(operator: APIClient, job: DetectJob) -> None:
    made = retry(operator, job.id, cost_limit_usd="0.25", call_limit=4).json()["job_id"]
    kept = DetectJob.objects.get(id=made)
    assert (str(kept.cost_limit_usd), kept.call_limit) == ("0.250000", 4)

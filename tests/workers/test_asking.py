"""Asking for jobs: the same request again, and what may be done with a job when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from detect.errors import ConfigError, ConflictError
from jobs.choices import JobStatus
from jobs.lifecycle import job_cancel, job_delete, job_pause, job_resume
from jobs.models import DetectJob
from jobs.services import Order, job_replay
from jobs.states import job_move
from tests.workers.conftest import Toys, fresh, toy_job, work_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_transaction(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is one, which is rolled back: its connection is not to be renewed on the way."""
    monkeypatch.setattr("jobs.work.execute.close_old_connections", lambda: None)


def named(key: str, by: str = "key:ana") -> Order:
    return Order(queued=True, requested_by=by, idempotency_key=key)


def test_same_key_and_request_is_the_same_job_ended_or_not() -> None:
    job = toy_job(order=named("a"))
    assert toy_job(order=named("a")).id == job.id
    work_until_idle()
    assert fresh(job).status == JobStatus.COMPLETED
    assert toy_job(order=named("a")).id == job.id
    assert DetectJob.objects.count() == 1


def test_same_key_for_another_request_is_refused() -> None:
    job = toy_job(order=named("a"))
    with pytest.raises(ConflictError, match=f"was used for another request, job {job.id}"):
        toy_job(letter="y", order=named("a"))
    assert DetectJob.objects.count() == 1


def test_keys_of_others_are_others() -> None:
    assert toy_job(order=named("a")).id != toy_job(letter="y", order=named("a", by="key:ben")).id


def test_another_key_after_the_end_is_another_job() -> None:
    job = toy_job(order=named("a"))
    work_until_idle()
    assert toy_job(order=named("b")).id != job.id


def test_unfinished_request_is_found_without_a_key() -> None:
    job = toy_job()
    assert toy_job().id == job.id
    job_pause(fresh(job))
    assert toy_job().id == job.id
    assert fresh(job).status == JobStatus.PENDING, "and gone on with"


def test_invalid_request_leaves_no_row() -> None:
    with pytest.raises(ConfigError, match=r"nap\.seconds"):
        toy_job(seconds=1000)
    assert not DetectJob.objects.exists()


def test_replay_branches_off_and_reuses(toys: Toys) -> None:
    parent = toy_job()
    work_until_idle()
    begun = toys.begun()
    changed = {"close": {"factor": 2}}
    child = job_replay(parent=fresh(parent), start_stage="close", overrides=changed, order=Order(queued=True))
    work_until_idle()
    assert fresh(child).status == JobStatus.COMPLETED
    assert toys.begun() - begun == {"close 0": 1}


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.CANCELLED])
def test_only_a_paused_or_failed_job_is_resumed(status: JobStatus) -> None:
    job = toy_job()
    if status == JobStatus.COMPLETED:
        job_move(job, JobStatus.RUNNING)
    if status != JobStatus.PENDING:
        job_move(job, status)
    with pytest.raises(ConflictError, match=f"is {status}"):
        job_resume(fresh(job))


def test_cancelling_twice_is_cancelling() -> None:
    job = toy_job()
    job_cancel(job)
    job_cancel(fresh(job))
    assert fresh(job).status == JobStatus.CANCELLED
    with pytest.raises(ConflictError):
        job_pause(fresh(job))


def test_completed_job_cannot_be_cancelled() -> None:
    job = toy_job()
    work_until_idle()
    with pytest.raises(ConflictError):
        job_cancel(fresh(job))


def test_running_job_cannot_be_deleted() -> None:
    job = toy_job()
    job_move(job, JobStatus.RUNNING)
    with pytest.raises(ConflictError, match="cancel it first"):
        job_delete(fresh(job))
    job_cancel(fresh(job))
    job_delete(fresh(job))
    assert not DetectJob.objects.exists()


def test_job_that_runs_by_now_cannot_be_deleted() -> None:
    """What the caller read a moment ago does not count."""
    job = toy_job()
    job_move(fresh(job), JobStatus.RUNNING)
    with pytest.raises(ConflictError, match="cancel it first"):
        job_delete(job)


def test_resumed_job_is_due_at_once() -> None:
    job = toy_job(order=Order(queued=True, scheduled_for=timezone.now() + timedelta(hours=1)))
    job_pause(job)
    job_resume(fresh(job))
    assert fresh(job).scheduled_for is None

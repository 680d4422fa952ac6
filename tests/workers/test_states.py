"""What may follow what in a job's life: held by the database itself."""

from __future__ import annotations

from itertools import product

import pytest
from django.db import Error, connection, transaction

from detect.errors import ConflictError
from jobs.choices import ENDED, TRANSITIONS, EventKind, JobStatus
from jobs.models import DetectJob, JobEvent
from jobs.states import job_move
from tests.workers.conftest import Toys, fresh, toy_job

pytestmark = pytest.mark.django_db

PAIRS = [(before, after) for before, after in product(JobStatus, JobStatus) if before != after]
#: The ways into each state from the first one.
WAYS: dict[JobStatus, list[JobStatus]] = {
    JobStatus.PENDING: [],
    JobStatus.RUNNING: [JobStatus.RUNNING],
    JobStatus.PAUSED: [JobStatus.PAUSED],
    JobStatus.COMPLETED: [JobStatus.RUNNING, JobStatus.COMPLETED],
    JobStatus.FAILED: [JobStatus.FAILED],
    JobStatus.CANCELLED: [JobStatus.CANCELLED],
}


def write(job: DetectJob, status: str) -> None:
    """Past all of our code."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_detectjob SET status = %s WHERE id = %s", [status, job.id])


def job_that_is(status: JobStatus) -> DetectJob:
    job = toy_job()
    for step in WAYS[status]:
        write(job, step)
    return fresh(job)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_database_allows_what_the_table_says_and_nothing_else(toys: Toys, before: JobStatus, after: JobStatus) -> None:
    job = job_that_is(before)
    if (before, after) in TRANSITIONS:
        write(job, after)
        assert fresh(job).status == after
    else:
        with pytest.raises(Error, match="Invalid transition"):
            write(job, after)
        assert fresh(job).status == before


@pytest.mark.parametrize("before", JobStatus)
def test_database_knows_no_other_states(toys: Toys, before: JobStatus) -> None:
    job = job_that_is(before)
    for word in ("queued", "", "Completed"):
        with pytest.raises(Error):
            write(job, word)
    assert fresh(job).status == before


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_service_says_what_cannot_be(toys: Toys, before: JobStatus, after: JobStatus) -> None:
    job = job_that_is(before)
    if (before, after) in TRANSITIONS:
        job_move(job, after)
        assert (job.status, fresh(job).status) == (after, after)
        return
    with pytest.raises(ConflictError, match=f"is {before}: it cannot become {after}"):
        job_move(job, after)
    assert (job.status, fresh(job).status) == (before, before)


@pytest.mark.parametrize("status", JobStatus)
def test_every_change_is_told_with_it(toys: Toys, status: JobStatus) -> None:
    job = toy_job()
    for step in WAYS[status]:
        job_move(job, step)
    told = JobEvent.objects.filter(job=job, kind=EventKind.UPDATE).order_by("number")
    assert [event.data["status"] for event in told] == WAYS[status]
    assert (fresh(job).completed_at is not None) == (status in ENDED)


def test_what_is_refused_is_not_told(toys: Toys) -> None:
    job = job_that_is(JobStatus.COMPLETED)
    events = JobEvent.objects.filter(job=job).count()
    with pytest.raises(ConflictError):
        job_move(job, JobStatus.RUNNING)
    assert JobEvent.objects.filter(job=job).count() == events


def test_job_known_by_an_older_state_is_refused(toys: Toys) -> None:
    """What the caller read a moment ago does not count."""
    job = toy_job()
    job_move(fresh(job), JobStatus.CANCELLED)
    with pytest.raises(ConflictError, match="is cancelled: it cannot become running"):
        job_move(job, JobStatus.RUNNING)

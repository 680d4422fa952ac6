"""How often a worker tells of a unit while it goes."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.utils import timezone

from detect.registry import Tells, load_pipeline
from jobs.choices import EventKind, JobStatus
from jobs.models import DetectJob, JobEvent
from jobs.runs import job_reading, job_runner
from jobs.work.advance import job_advance
from jobs.work.units import unit_claim
from jobs.work.watch import Watch
from tests.workers.conftest import Toys, fresh, toy_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(toys: Toys) -> DetectJob:
    job = toy_job()
    job_advance(job.id)
    return fresh(job)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second passes, however slow the machine: only items count."""
    monkeypatch.setattr("jobs.work.watch.time", SimpleNamespace(monotonic=lambda: 0.0))


def watch_of(job: DetectJob, tells: Tells) -> Watch:
    lease = unit_claim(queue="cpu", owner="otherhost:1:1")
    assert lease is not None
    with job_reading(job, None, [load_pipeline(job.pipeline).stages[0]]) as request:
        run = job_runner(job).stage_run(request, 0, None)
    run.runner.pipeline = replace(run.runner.pipeline, tells=tells)
    return Watch(lease, lambda: False, job, run)


def lines(job: DetectJob) -> list[str]:
    told = JobEvent.objects.filter(job=job, kind=EventKind.LOG).order_by("number")
    return [event.data["line"] for event in told]


@pytest.mark.usefixtures("frozen")
def test_progress_moves_within_the_items_that_the_pipeline_names(job: DetectJob) -> None:
    watch = watch_of(job, Tells(progress=10))
    moved, before = [0], fresh(job).progress
    for done in range(1, 101):
        watch.progress(done, 100)
        now = fresh(job).progress
        assert now >= before
        if now > before:
            moved.append(done)
        before = now
    assert moved == list(range(0, 101, 10))
    assert before == pytest.approx(1 / 9)  # the first of three chunks of the first of three stages


@pytest.mark.usefixtures("frozen")
def test_lines_come_within_the_items_that_it_names_and_at_the_end(job: DetectJob) -> None:
    before = lines(job)
    watch = watch_of(job, Tells(log=150))
    for done in range(1, 341):
        watch.progress(done, 340)
    watch.close()
    assert lines(job)[len(before) :] == [
        "cut, part 1 of 3: 150 of 340",
        "cut, part 1 of 3: 300 of 340",
        "cut, part 1 of 3: all 340",
    ]


@pytest.mark.usefixtures("frozen")
def test_else_only_the_clock_counts(job: DetectJob, monkeypatch: pytest.MonkeyPatch) -> None:
    before, logged = fresh(job).progress, lines(job)
    watch = watch_of(job, Tells())
    for done in range(1, 90):
        watch.progress(done, 100)
    watch.close()
    assert fresh(job).progress == before
    monkeypatch.setattr("jobs.work.watch.time", SimpleNamespace(monotonic=lambda: 1.5))
    watch.progress(90, 100)
    assert fresh(job).progress == pytest.approx(0.9 / 9)
    assert lines(job) == logged


@pytest.mark.usefixtures("frozen")
def test_a_job_that_was_stopped_is_not_moved(job: DetectJob) -> None:
    watch = watch_of(job, Tells(progress=10))
    watch.progress(10, 100)
    DetectJob.objects.filter(id=job.id).update(status=JobStatus.CANCELLED, completed_at=timezone.now())
    before = fresh(job).progress
    watch.progress(50, 100)
    assert fresh(job).progress == before

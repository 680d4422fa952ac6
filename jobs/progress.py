"""How far a job is: written to its row and told as events, not more often than people can see."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, FloatField, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from detect.events import RunListener, StageResult
from detect.registry import Pipeline
from jobs.choices import EventKind, JobStatus, UnitState
from jobs.events import event_append, log_append
from jobs.models import DetectJob, WorkUnit
from jobs.states import job_tell

SECONDS_BETWEEN_WRITES = 1.0
_LEAST_PROGRESS = 0.02  # below it there is too little to tell the time left from


class JobProgress:
    """Follows a run in this process: keeps the job's row and events up to date and passes on to another listener."""

    def __init__(self, job: DetectJob, pipeline: Pipeline, listener: RunListener) -> None:
        self._job = job
        self._pipeline = pipeline
        self._listener = listener
        self._index = 0
        self._written = 0.0

    def stage_started(self, stage: str, index: int, units: int) -> None:
        self._index = index
        self._written = time.monotonic()
        with transaction.atomic():
            DetectJob.objects.filter(id=self._job.id).update(current_stage=stage, stage_started_at=timezone.now())
            progress_write(self._job.id, self._pipeline.progress(index, 0))
        self._listener.stage_started(stage, index, units)

    def stage_progress(self, stage: str, fraction: float) -> None:
        if time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES:
            self._written = time.monotonic()
            progress_write(self._job.id, self._pipeline.progress(self._index, fraction))
        self._listener.stage_progress(stage, fraction)

    def stage_finished(self, result: StageResult) -> None:
        stage_tell(self._job.id, result)
        self._listener.stage_finished(result)


@transaction.atomic
def progress_write(job_id: UUID, progress: float, *, fps: float | None = None) -> None:
    """Set how much of a running job is done, 0-1, never less than before, and tell it with the time left."""
    jobs = DetectJob.objects.filter(id=job_id, status=JobStatus.RUNNING)
    share = Value(min(1.0, progress), output_field=FloatField())
    if not jobs.update(progress=Greatest(F("progress"), share)):
        return  # it was stopped meanwhile: nothing is told after its end
    started_at, done = jobs.values_list("started_at", "progress").get()
    seconds_left = None
    if started_at is not None and done >= _LEAST_PROGRESS:
        seconds_left = (timezone.now() - started_at).total_seconds() * (1 - done) / done
    job_tell(job_id, fps=fps, seconds_left=seconds_left)


def shared_progress_write(job: DetectJob, pipeline: Pipeline, index: int) -> float:
    """The same where workers share a stage: what they have done of it together, and how many items a second.

    Returns the share 0-1 of the stage that is done.
    """
    units = list(WorkUnit.objects.filter(job=job, stage_index=index).values("state", "items_done", "items_total"))
    fractions = [
        1.0 if unit["state"] == UnitState.DONE else unit["items_done"] / max(1, unit["items_total"]) for unit in units
    ]
    done = sum(unit["items_done"] for unit in units)
    since = DetectJob.objects.filter(id=job.id).values_list("stage_started_at", flat=True).first()
    seconds = (timezone.now() - since).total_seconds() if since else 0.0
    share = sum(fractions) / max(1, len(fractions))
    progress_write(job.id, pipeline.progress(index, share), fps=done / seconds if done and seconds > 0 else None)
    return share


def progress_nudge(job_id: UUID, progress: float) -> None:
    """Set how much of a running job is done as :func:`progress_write` does, in one statement and without an event."""
    share = Value(min(1.0, progress), output_field=FloatField())
    running = DetectJob.objects.filter(id=job_id, status=JobStatus.RUNNING)
    running.update(progress=Greatest(F("progress"), share))


@transaction.atomic
def stage_tell(job_id: UUID, result: StageResult) -> None:
    """Append that a stage has ended, and the line about it for people."""
    data: dict[str, Any] = {
        "stage": result.stage,
        "index": result.index,
        "units": result.units,
        "reused": result.reused,
        "seconds": round(result.seconds, 3),
        "skipped": result.skipped,
        "incomplete": result.incomplete,
        "stats": result.stats,
    }
    event_append(job_id=job_id, kind=EventKind.STAGE, data=data)
    log_append(job_id=job_id, line=f"{result.stage}: {result.seconds:.2f} s, {describe_stage(result)}")


def describe_stage(result: StageResult) -> str:
    """What a stage did, in a few words."""
    if result.skipped:
        return f"skipped: {result.skipped}"
    figures = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in list(result.stats.items())[:4])
    if result.reused == result.units:
        return f"reused ({figures})" if figures else "reused"
    return figures + (f" ({result.reused} of {result.units} chunks reused)" if result.reused else "")

"""From the engine's jobs to the state of a batch: what they tell is told on, and what they leave is put together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, FloatField, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Least, NullIf
from django.utils import timezone

from detect.errors import ConflictError
from jobs.annotation.events import batch_log, batch_tell, log_line, storable, update_of
from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo
from jobs.annotation.states import ENDED, BatchState
from jobs.annotation.tasks import tasks_announce
from jobs.choices import EventKind, JobStatus
from jobs.lifecycle import job_cancel
from jobs.models import DetectJob, JobEvent

#: Begins the name under which a batch asks for the engine's jobs.
REQUESTED_BY = "batch:"
#: Of a run whose pipeline has ended: its files are still to be written.
_BEFORE_EXPORT = 0.99
_MOST_EVENTS = 500
_MOST_NAMED = 5
_LONGEST_PATH_SHOWN = 120
_LONGEST_STAGE = 300
# what a client says of a video's length is not to drown the others
_MOST_SECONDS = 1e6
_OPEN_JOBS = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED)


def batches_follow() -> None:
    """Bring every batch up to date whose engine's jobs have told something; those of cancelled ones are cancelled."""
    active = AnnotationJob.objects.exclude(state__in=ENDED)
    for job_id in active.filter(Exists(_behind(OuterRef("id")))).values_list("id", flat=True):
        batch_follow(job_id)
    _call_off()


def batches_follow_job(detect_job_id: UUID) -> None:
    """Bring the batches up to date that an engine's job belongs to."""
    runs = AnnotationRun.objects.filter(detect_job_id=detect_job_id).exclude(video__job__state__in=ENDED)
    for job_id in set(runs.values_list("video__job_id", flat=True)):
        batch_follow(job_id)


@transaction.atomic
def batch_follow(job_id: UUID) -> None:
    """Tell on what the engine's jobs of a batch have told since, and what that makes of the batch."""
    job = AnnotationJob.objects.select_for_update().filter(id=job_id).first()
    if job is not None and job.state not in ENDED:
        batch_settle(job)


def batch_settle(job: AnnotationJob, lines: Sequence[str] = ()) -> None:
    """Bring a locked batch up to date with the engine's jobs and with its runs, and end it once these have all ended.

    ``lines`` are told first. Only what has changed is looked at: a batch may have thousands of videos.
    """
    before = update_of(job)
    told = [*lines, *_heard(job)]
    _settle_videos(job)
    runs = AnnotationRun.objects.filter(video__job=job)
    if job.state == BatchState.QUEUED and runs.exclude(state=BatchState.QUEUED).exists():
        job.state, job.started_at = BatchState.RUNNING, timezone.now()
    job.progress = max(job.progress, _progress(runs))
    job.current_stage = _stage_of(runs)
    job.save(update_fields=["state", "started_at", "progress", "current_stage"])
    tasks_announce()
    batch_log(job.id, told)
    if not runs.exclude(state__in=ENDED).exists():
        job.error = _failures(job, runs)
        batch_end(job, BatchState.FAILED if job.error else BatchState.SUCCEEDED)
    elif update_of(job) != before:
        batch_tell(job)


def batch_end(job: AnnotationJob, state: BatchState) -> None:
    """End a locked batch, with whatever of it has not ended. The event that tells it is its last."""
    AnnotationRun.objects.filter(video__job=job).exclude(state__in=ENDED).update(state=state)
    AnnotationVideo.objects.filter(job=job).exclude(state__in=ENDED).update(state=state)
    job.state, job.finished_at, job.current_stage = state, timezone.now(), ""
    if state == BatchState.SUCCEEDED:
        job.progress = 1.0
    job.save(update_fields=["state", "finished_at", "current_stage", "progress", "error"])
    batch_log(
        job.id, [log_line(timezone.now(), "error" if job.error else "info", job.error or f"the batch has {state}")]
    )
    batch_tell(job)


def run_end(run: AnnotationRun, state: BatchState, error: str = "") -> None:
    run.state, run.error = state, storable(error)
    run.save(update_fields=["state", "error"])


def _behind(job: Any) -> QuerySet[AnnotationRun]:
    """Runs of a batch whose engine's job has told something since, or was deleted."""
    news = Q(detect_job__last_event__gt=F("seen_event"))
    return AnnotationRun.objects.filter(news | Q(state=BatchState.RUNNING, detect_job=None), video__job=job)


def _heard(job: AnnotationJob) -> list[str]:
    """Log lines of the engine's jobs since they were last asked for; their runs are as far as they are now."""
    found = _behind(job).select_related("video", "detect_job").defer("detect_job__known_brands")
    runs = list(found.order_by("video__position", "position"))
    lines: list[str] = []
    for run in runs:
        lines += _news(run)
        if run.state == BatchState.RUNNING:
            _follow_run(run)
    AnnotationRun.objects.bulk_update(runs, ["seen_event", "progress"])
    return lines


def _call_off() -> None:
    """Cancel engine's jobs of batches that were cancelled by a process which died over it."""
    asked = DetectJob.objects.filter(requested_by__startswith=REQUESTED_BY, status__in=_OPEN_JOBS)
    jobs = {job: UUID(job.requested_by.removeprefix(REQUESTED_BY)) for job in asked.defer("known_brands")}
    canceled = AnnotationJob.objects.filter(id__in=set(jobs.values()), state=BatchState.CANCELED)
    for job_id in canceled.values_list("id", flat=True):
        for job in (job for job, batch in jobs.items() if batch == job_id):
            with suppress(ConflictError):  # it has completed by now
                job_cancel(job)


def _news(run: AnnotationRun) -> list[str]:
    """Log lines that a run's job has told since they were last asked for."""
    if run.detect_job is None:
        return []
    after = JobEvent.objects.filter(job=run.detect_job, number__gt=run.seen_event)
    events = list(after.order_by("number")[:_MOST_EVENTS])
    if len(events) < _MOST_EVENTS:
        run.seen_event = max(run.seen_event, run.detect_job.last_event)  # what is missing was forgotten in time
    lines = []
    for event in events:
        run.seen_event = max(run.seen_event, event.number)
        if event.kind == EventKind.LOG:
            lines.append(log_line(event.created_at, event.data["level"], f"{_name(run)}: {event.data['line']}"))
    return lines


def _follow_run(run: AnnotationRun) -> None:
    """What its engine's job makes of a run. One that has ended waits for its files to be written."""
    job = run.detect_job
    if job is None:
        run_end(run, BatchState.FAILED, "its job was deleted")
        return
    run.progress = _BEFORE_EXPORT if job.status == JobStatus.COMPLETED else min(job.progress, _BEFORE_EXPORT)


def _settle_videos(job: AnnotationJob) -> None:
    """End the videos of which every run has ended."""
    going = AnnotationRun.objects.filter(video=OuterRef("id")).exclude(state__in=ENDED)
    for video in AnnotationVideo.objects.filter(~Exists(going), job=job, state=BatchState.RUNNING):
        failed = video.runs.exclude(state=BatchState.SUCCEEDED).order_by("position")
        video.error = "; ".join(f"{run.pipeline}: {run.error}" for run in failed)
        video.state = BatchState.FAILED if video.error else BatchState.SUCCEEDED
        video.save(update_fields=["state", "error"])


def _progress(runs: QuerySet[AnnotationRun]) -> float:
    """Share of the whole work, each video counted by its length."""
    kind: FloatField[float, float] = FloatField()
    length = Coalesce(NullIf(F("video__duration"), Value(0.0), output_field=kind), Value(1.0))
    weight = Least(length, Value(_MOST_SECONDS), output_field=kind)
    done = Case(When(state__in=ENDED, then=Value(1.0)), default=F("progress"), output_field=kind)
    sums = runs.aggregate(done=Sum(weight * done, output_field=kind), all=Sum(weight, output_field=kind))
    return min(1.0, (sums["done"] or 0.0) / (sums["all"] or 1.0))


def _stage_of(runs: QuerySet[AnnotationRun]) -> str:
    """What is being done to the first run that is not done; empty where none has begun."""
    at = runs.filter(state=BatchState.RUNNING).order_by("video__position", "position")
    found = at.values_list("video__path", "pipeline", "progress", "detect_job__current_stage").first()
    if found is None:
        return ""
    path, pipeline, progress, stage = found
    shown = path if len(path) <= _LONGEST_PATH_SHOWN else f"…{path[-_LONGEST_PATH_SHOWN:]}"
    told = "writing files" if progress >= _BEFORE_EXPORT else stage or "waiting"
    return f"{shown} · {pipeline}: {told}"[:_LONGEST_STAGE]


def _name(run: AnnotationRun) -> str:
    return f"{run.video.path} · {run.pipeline}"


def _failures(job: AnnotationJob, runs: QuerySet[AnnotationRun]) -> str:
    """What went wrong in one sentence; empty where nothing did."""
    failed = runs.exclude(state=BatchState.SUCCEEDED)
    count = failed.count()
    if not count:
        return ""
    named = failed.select_related("video").order_by("video__position", "position")[:_MOST_NAMED]
    told = "; ".join(f"{_name(run)}: {run.error or run.state}" for run in named)
    more = f"; and {count - _MOST_NAMED} more" if count > _MOST_NAMED else ""
    how = "failed" if count == runs.count() else "partly failed"
    bad = failed.order_by().values("video").distinct().count()
    return f"{how}, {bad} of {job.videos.count()} videos: {told}{more}"

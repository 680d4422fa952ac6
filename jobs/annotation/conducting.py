"""From the engine's jobs to the state of a batch: what they tell is told on, and what they leave is put together."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.annotation.events import batch_log, batch_tell, log_line, update_of
from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo
from jobs.annotation.states import ENDED, BatchState
from jobs.annotation.tasks import tasks_announce
from jobs.choices import EventKind, JobStatus
from jobs.models import JobEvent

#: Of a run whose pipeline has ended: its files are still to be written.
_BEFORE_EXPORT = 0.99
_MOST_EVENTS = 500
_MOST_NAMED = 5


def batches_follow() -> None:
    """Bring every batch up to date whose engine's jobs have told something."""
    behind = AnnotationRun.objects.filter(detect_job__last_event__gt=F("seen_event"))
    gone = AnnotationRun.objects.filter(state=BatchState.RUNNING, detect_job=None)
    for runs in (behind, gone):
        active = runs.exclude(video__job__state__in=ENDED).order_by()
        for job_id in active.values_list("video__job_id", flat=True).distinct():
            batch_follow(job_id)


def batches_follow_job(detect_job_id: UUID) -> None:
    """Bring the batches up to date that an engine's job belongs to."""
    runs = AnnotationRun.objects.filter(detect_job_id=detect_job_id).exclude(video__job__state__in=ENDED)
    for job_id in set(runs.values_list("video__job_id", flat=True)):
        batch_follow(job_id)


@transaction.atomic
def batch_follow(job_id: UUID) -> None:
    """Tell on what the engine's jobs of a batch have told since, and what that makes of the batch."""
    job = AnnotationJob.objects.select_for_update().get(id=job_id)
    if job.state in ENDED:
        return
    runs = list(
        AnnotationRun.objects.filter(video__job=job)
        .select_related("video", "detect_job")
        .order_by("video__position", "position")
    )
    lines: list[str] = []
    for run in runs:
        lines += _news(run)
        if run.state == BatchState.RUNNING:
            _follow_run(run)
    batch_log(job.id, lines)
    tasks_announce()
    batch_settle(job, runs)


def batch_settle(job: AnnotationJob, runs: Sequence[AnnotationRun]) -> None:
    """Set a locked batch's progress and stage from its runs, and end it once they have all ended."""
    before = update_of(job)
    videos = {run.video_id: run.video for run in runs}
    for video in videos.values():
        _settle_video(video, [run for run in runs if run.video_id == video.id])
    if any(run.state != BatchState.QUEUED for run in runs) and job.state == BatchState.QUEUED:
        job.state, job.started_at = BatchState.RUNNING, timezone.now()
    job.progress = max(job.progress, _progress(runs))
    at = next((run for run in runs if run.state == BatchState.RUNNING), None)
    job.current_stage = "" if at is None else _stage_of(at)
    job.save(update_fields=["state", "started_at", "progress", "current_stage"])
    if all(run.state in ENDED for run in runs):
        failed = [run for run in runs if run.state != BatchState.SUCCEEDED]
        job.error = _failures(runs, failed)
        batch_end(job, BatchState.FAILED if failed else BatchState.SUCCEEDED)
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
    run.state, run.error = state, error
    run.save(update_fields=["state", "error"])


def _news(run: AnnotationRun) -> list[str]:
    """Log lines that a run's job has told since they were last asked for."""
    if run.detect_job is None or run.detect_job.last_event <= run.seen_event:
        return []
    events = JobEvent.objects.filter(job=run.detect_job, number__gt=run.seen_event).order_by("number")[:_MOST_EVENTS]
    lines = []
    for event in events:
        run.seen_event = event.number
        if event.kind == EventKind.LOG:
            lines.append(log_line(event.created_at, event.data["level"], f"{_name(run)}: {event.data['line']}"))
        elif event.kind == EventKind.STAGE:
            lines.append(log_line(event.created_at, "info", f"{_name(run)}: {event.data['stage']} done"))
    run.save(update_fields=["seen_event"])
    return lines


def _follow_run(run: AnnotationRun) -> None:
    """What its engine's job makes of a run. One that has ended waits for its files to be written."""
    job = run.detect_job
    if job is None:
        run_end(run, BatchState.FAILED, "its job was deleted")
        return
    run.progress = _BEFORE_EXPORT if job.status == JobStatus.COMPLETED else min(job.progress, _BEFORE_EXPORT)
    run.save(update_fields=["progress"])


def _settle_video(video: AnnotationVideo, runs: Sequence[AnnotationRun]) -> None:
    if video.state in ENDED or not all(run.state in ENDED for run in runs):
        return
    failed = [run for run in runs if run.state != BatchState.SUCCEEDED]
    video.state = BatchState.FAILED if failed else BatchState.SUCCEEDED
    video.error = "; ".join(f"{run.pipeline}: {run.error}" for run in failed)
    video.save(update_fields=["state", "error"])


def _progress(runs: Sequence[AnnotationRun]) -> float:
    """Share of the whole work, each video counted by its length."""
    weights = [run.video.duration or 1.0 for run in runs]
    done = [1.0 if run.state in ENDED else run.progress for run in runs]
    return sum(weight * share for weight, share in zip(weights, done, strict=True)) / max(1e-9, sum(weights))


def _stage_of(run: AnnotationRun) -> str:
    stage = "writing files" if run.progress >= _BEFORE_EXPORT else ""
    stage = stage or (run.detect_job.current_stage if run.detect_job else "") or "waiting"
    return f"{_name(run)}: {stage}"


def _name(run: AnnotationRun) -> str:
    return f"{run.video.path} · {run.pipeline}"


def _failures(runs: Sequence[AnnotationRun], failed: Sequence[AnnotationRun]) -> str:
    """What went wrong in one sentence; empty where nothing did."""
    if not failed:
        return ""
    bad = list(dict.fromkeys(run.video.path for run in failed))
    total = len({run.video_id for run in runs})
    told = "; ".join(f"{_name(run)}: {run.error or run.state}" for run in failed[:_MOST_NAMED])
    more = f"; and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    how = "failed" if len(failed) == len(runs) else "partly failed"
    return f"{how}, {len(bad)} of {total} videos: {told}{more}"

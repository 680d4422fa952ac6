"""What people do to jobs: queue, pause, resume, cancel, put first, delete."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from detect.errors import ConflictError
from detect.models import Checkpoint, ModelCharge, StageOutput, Timeline
from jobs.choices import JobStatus
from jobs.locks import driven_in_foreground
from jobs.made_files import folder_remove, made_forget
from jobs.models import AcceptedResult, DetectJob
from jobs.results.accepted import result_replace
from jobs.runs import first_outputs
from jobs.states import job_move
from jobs.work.tokens import announce_start, new_message_id
from jobs.work.units import units_reset


@transaction.atomic
def job_pause(job: DetectJob) -> None:
    """Stop a job after the pieces that are being worked on. Raises ``ConflictError`` for one that has ended."""
    job_move(job, JobStatus.PAUSED)


@transaction.atomic
def job_resume(job: DetectJob, *, scheduled_for: datetime | None = None) -> None:
    """Have workers go on with a job that was paused, failed or never begun. Raises ``ConflictError`` for any other."""
    if job.status not in (JobStatus.PAUSED, JobStatus.FAILED) and (job.status != JobStatus.PENDING or job.task_id):
        raise ConflictError(f"job {job.id} is {job.status}: only a paused or failed job can be resumed")
    units_reset(job)
    job_move(
        job,
        JobStatus.PENDING,
        error_message="",
        completed_at=None,
        scheduled_for=scheduled_for,
        started_at=None,
        task_id=new_message_id(),
    )
    if scheduled_for is None:
        announce_start(job.id, job.task_id)


@transaction.atomic
def job_reschedule(job: DetectJob, scheduled_for: datetime | None) -> None:
    """Have a job that waits start at another moment, None being now."""
    job_move(job, JobStatus.PENDING, scheduled_for=scheduled_for)
    if scheduled_for is None:
        announce_start(job.id, job.task_id)


@transaction.atomic
def job_cancel(job: DetectJob) -> None:
    """End a job for good; what it has is kept for others to reuse. Cancelled already, it stays so.

    Raises ``ConflictError`` for a job that has completed.
    """
    job_move(job, JobStatus.CANCELLED)


def job_change(job: DetectJob, *, priority: int | None = None, tags: list[str] | None = None) -> None:
    """Give a job another priority (higher goes first, from the next piece of work on) or other tags."""
    if priority is not None:
        job.priority = priority
    if tags is not None:
        job.tags = list(dict.fromkeys(tags))
    job.save(update_fields=["priority", "tags"])


@transaction.atomic
def job_delete(job: DetectJob) -> None:
    """Remove a job with its checkpoints, and its frames where no other job has the same.

    Where it was its video's accepted result, the newest other one takes its place.

    Raises ``ConflictError`` while it is worked on and while other jobs branch off it.
    """
    now = DetectJob.objects.select_for_update(of=("self",)).get(id=job.id)
    if now.status == JobStatus.RUNNING or driven_in_foreground(job.id):
        raise ConflictError(f"job {job.id} is running: cancel it first")
    if DetectJob.objects.filter(branch_point__job_id=job.id).exists():
        raise ConflictError(f"other jobs are replays of job {job.id}: delete them first")
    timeline, job_id, asset = job.timeline, job.id, job.source_asset
    shared = timeline is None or DetectJob.objects.filter(timeline=timeline).exclude(id=job_id).exists()
    frames = [] if shared else first_outputs(job)
    Checkpoint.objects.filter(job_id=job.id).delete()
    ModelCharge.objects.filter(job_id=job.id).delete()
    accepted = AcceptedResult.objects.select_for_update().filter(job_id=job_id).exists()
    job.delete()
    job.id = job_id
    if accepted:
        result_replace(asset)
    made_forget(asset)
    if timeline is not None and not shared:
        _delete_timeline(timeline, frames)


def _delete_timeline(timeline: Timeline, outputs: list[str]) -> None:
    """Remove a timeline, its frames and the outputs that stand for them: nobody may find these without the frames."""
    folder = f"{timeline.frames_prefix}/"
    timeline.delete()
    StageOutput.objects.filter(key__in=outputs).delete()
    transaction.on_commit(lambda: folder_remove(folder))

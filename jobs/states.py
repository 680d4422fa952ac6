"""The one place where a job changes its state. What may follow what is guarded by the database (jobs/choices.py)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from detect.errors import CancelledError, ConflictError
from jobs.choices import ENDED, TRANSITIONS, EventKind, JobStatus
from jobs.events import event_append
from jobs.models import DetectJob

_LOOK_EVERY = 1.0


def job_move(job: DetectJob, to: JobStatus, **fields: Any) -> None:
    """Bring a job into another state, with other fields, and tell it; to where it is already changes the fields alone.

    Raises ``ConflictError`` when it is, by now, in a state from which that cannot be.
    """
    allowed = [before.value for before, after in TRANSITIONS if after == to]
    if to in ENDED:
        fields.setdefault("completed_at", timezone.now())
    with transaction.atomic():
        changed = DetectJob.objects.filter(id=job.id, status__in=[*allowed, to]).update(status=to, **fields)
        if not changed:
            now = DetectJob.objects.filter(id=job.id).values_list("status", flat=True).first()
            raise ConflictError(f"job {job.id} is {now or 'deleted'}: it cannot become {to}")
        for name, value in {"status": to, **fields}.items():
            setattr(job, name, value)
        job_tell(job.id)


def still_wanted(job: DetectJob, checkpoint: Callable[[], None]) -> Callable[[], None]:
    """A checkpoint that also notices, within a second, that somebody else has paused, cancelled or deleted the job.

    It raises ``CancelledError`` then.
    """
    looked = time.monotonic()

    def check() -> None:
        nonlocal looked
        checkpoint()
        if time.monotonic() - looked >= _LOOK_EVERY:
            looked = time.monotonic()
            if not DetectJob.objects.filter(id=job.id, status=JobStatus.RUNNING).exists():
                raise CancelledError(f"job {job.id} was stopped by somebody else")

    return check


def job_tell(job_id: UUID, *, fps: float | None = None, seconds_left: float | None = None) -> None:
    """Append the job's present state as an event: everything a page shows of it while it runs."""
    state = DetectJob.objects.filter(id=job_id).values(
        "status", "current_stage", "progress", "brands_found", "error_message"
    )
    for now in state:
        event_append(
            job_id=job_id,
            kind=EventKind.UPDATE,
            data={
                "status": now["status"],
                "stage": now["current_stage"],
                "progress": round(now["progress"], 4),
                "fps": None if fps is None else round(fps, 2),
                "seconds_left": None if seconds_left is None else round(seconds_left, 1),
                "brands_found": now["brands_found"],
                "error": now["error_message"],
            },
        )

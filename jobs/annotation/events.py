"""What is told of batches: numbered per batch without gaps, and over all batches in the order of commits.

========== ============================================
kind       data
========== ============================================
job.update ``id state progress_pct current_stage``
job.log    ``id line``, with its time and how grave it is
========== ============================================

Whoever appends holds the batch's row until its transaction ends: append at the end of short ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from jobs.annotation.records import AnnotationEvent, AnnotationJob
from jobs.events import ALL_JOBS
from mediaproc.nudges import nudge

UPDATE, LOG = "job.update", "job.log"
#: Events a reader is given at once.
PAGE = 500
_ORDER = 0x616E6E6F  # any number, the same in every process


def batch_tell(job: AnnotationJob) -> None:
    """Append the batch's present state."""
    _append(job.id, UPDATE, [update_of(job)])


def batch_log(job_id: UUID, lines: Sequence[str]) -> None:
    """Append lines for people, each as :func:`log_line` makes them."""
    if lines:
        _append(job_id, LOG, [{"id": str(job_id), "line": storable(line)} for line in lines])


def log_line(at: datetime, level: str, text: str) -> str:
    return f"[{at:%H:%M:%S}] {level.upper():<7} {text}"


def storable(text: str) -> str:
    """A text of anybody's with what Postgres cannot hold (NUL, half of a surrogate pair) replaced."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def update_of(job: AnnotationJob) -> dict[str, Any]:
    """A batch's state as events and answers tell it."""
    return {
        "id": str(job.id),
        "state": str(job.state),
        "progress_pct": progress_pct(job),
        "current_stage": job.current_stage,
    }


def progress_pct(job: AnnotationJob) -> float:
    """0-100, one decimal; 100 once it has ended and not before."""
    share = round(100 * job.progress, 1)
    return share if job.finished_at else min(share, 99.9)


def batch_events_after(job_id: UUID | None, number: int) -> list[AnnotationEvent]:
    """The events after ``number``, oldest first, at most ``PAGE``; without ``job_id`` of all batches, by ``id``."""
    if job_id is None:
        return list(AnnotationEvent.objects.filter(id__gt=number).order_by("id")[:PAGE])
    return list(AnnotationEvent.objects.filter(job_id=job_id, number__gt=number).order_by("number")[:PAGE])


def logs_tail(job_id: UUID, lines: int) -> list[str]:
    """The last lines of a batch's log, oldest first."""
    newest = AnnotationEvent.objects.filter(job_id=job_id, kind=LOG).order_by("-number")[:lines]
    return [event.data["line"] for event in reversed(newest)]


def batch_events_prune(*, older_than: datetime) -> int:
    """Delete the events of batches that ended before ``older_than``, all but each one's last; returns how many."""
    old = AnnotationEvent.objects.filter(job__finished_at__lt=older_than)
    deleted: int = old.exclude(number=F("job__last_event")).delete()[0]
    return deleted


@transaction.atomic
def _append(job_id: UUID, kind: str, all_data: list[dict[str, Any]]) -> None:
    """The lock makes ids visible in their order, so that a reader of all batches misses none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ORDER])
    AnnotationJob.objects.filter(id=job_id).update(last_event=F("last_event") + len(all_data))
    last = AnnotationJob.objects.values_list("last_event", flat=True).get(id=job_id)
    first = last - len(all_data) + 1
    AnnotationEvent.objects.bulk_create(
        AnnotationEvent(job_id=job_id, number=first + offset, kind=kind, data=data)
        for offset, data in enumerate(all_data)
    )
    transaction.on_commit(lambda: nudge(ALL_JOBS, type="job.nudge", job_id=str(job_id)), robust=True)

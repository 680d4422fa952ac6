"""Durable events of a job: numbered from 1 without gaps, so that whoever was cut off asks for what came after.

========== ==========================================================================================================
kind       data
========== ==========================================================================================================
job.update ``status stage progress`` (0-1) ``fps seconds_left brands_found error``; figures not known are null
job.log    ``level`` (info warning error) ``line``
job.stage  ``stage index units reused seconds skipped incomplete stats``
job.brand  ``brand_id name confirmed``
========== ==========================================================================================================

The row of the job is locked while an event is numbered, so numbers become visible in their order: a reader that has
seen *n* will never find one below *n* that was not there before. The lock lasts until the caller's transaction ends:
append at the end of short transactions. A state in which a job ends is stored in one transaction with the event that
tells it, which is then the last: readers stop there.

Listeners are nudged after the commit (``mediaproc/nudges.py``); the truth is in Postgres. Readers find what they need
in ``docs/events.md``.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, OuterRef, Subquery

from jobs.choices import ENDED, EventKind
from jobs.models import DetectJob, JobEvent
from mediaproc.nudges import nudge

#: Group of the channel layer that every process with listeners joins. One for all jobs: the message names the job.
ALL_JOBS = "jobs"
#: Events a reader is given at once.
PAGE = 500
_LONGEST_LINE = 4000
_JOBS_PRUNED_AT_ONCE = 200

# one statement, so that an event costs one round trip; a job's row that is locked is waited for and read anew
_APPEND = """
WITH numbered AS (
    UPDATE jobs_detectjob SET last_event = last_event + 1 WHERE id = %s RETURNING id, last_event
)
INSERT INTO jobs_jobevent (job_id, number, kind, data, created_at)
SELECT id, last_event, %s, %s, clock_timestamp() FROM numbered RETURNING number
"""


def event_append(*, job_id: UUID, kind: EventKind, data: dict[str, Any]) -> int | None:
    """Number and store an event, and nudge those who listen once it is committed.

    Returns its number, or None for a job that was deleted. ``data`` is what JSON can hold; characters that Postgres
    cannot (NUL, half of a surrogate pair) are replaced. Raises ValueError for NaN and infinities.
    """
    body = json.dumps(_storable(data), allow_nan=False)
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, [job_id, EventKind(kind).value, body])
        row = cursor.fetchone()
    if row is None:
        return None
    transaction.on_commit(lambda: nudge(ALL_JOBS, type="job.nudge", job_id=str(job_id)), robust=True)
    number: int = row[0]
    return number


def log_append(*, job_id: UUID, line: str, level: str = "info") -> int | None:
    """A line for people, such as `[12:03:11] INFO …` in the interfaces that show logs; cut where it is very long."""
    shown = line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"
    return event_append(job_id=job_id, kind=EventKind.LOG, data={"level": level, "line": shown})


def events_after(*, job_id: UUID, number: int, limit: int = PAGE) -> list[JobEvent]:
    """The events after ``number``, oldest first, at most ``limit`` of them."""
    return list(JobEvent.objects.filter(job_id=job_id, number__gt=number).order_by("number")[:limit])


def events_prune(*, older_than: datetime) -> int:
    """Delete the events of jobs that ended before ``older_than``, all but each one's last update; returns how many.

    Numbers stay as they are: what is appended to such a job later goes on counting.
    """
    last_update = (
        JobEvent.objects.filter(job_id=OuterRef("job_id"), kind=EventKind.UPDATE)
        .order_by()
        .values("job_id")
        .annotate(last=Max("number"))
        .values("last")
    )
    jobs = list(DetectJob.objects.filter(status__in=ENDED, completed_at__lt=older_than).order_by().values_list("id"))
    deleted = 0
    for start in range(0, len(jobs), _JOBS_PRUNED_AT_ONCE):
        some = [job_id for (job_id,) in jobs[start : start + _JOBS_PRUNED_AT_ONCE]]
        # asked again at the moment of deleting: one of them may have been taken up again since
        events = JobEvent.objects.filter(job_id__in=some, job__status__in=ENDED, job__completed_at__lt=older_than)
        kept = events.filter(number=Subquery(last_update)).values("id")
        deleted += events.exclude(id__in=kept).delete()[0]
    return deleted


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(str(name)): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value

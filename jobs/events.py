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
seen *n* will never find one below *n* that was not there before. Listeners are nudged through the channel layer after
the commit; the nudge carries nothing and may be lost, for the truth is in Postgres.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction

from jobs.choices import EventKind
from jobs.models import JobEvent

logger = logging.getLogger(__name__)

#: Group of the channel layer for everything about all jobs.
ALL_JOBS = "jobs"


def job_group(job_id: UUID) -> str:
    """Group of the channel layer whose members are nudged when this job has a new event."""
    return f"job.{job_id}"


def event_append(*, job_id: UUID, kind: EventKind, data: dict[str, Any]) -> None:
    """Number and store an event, and nudge those who listen once it is committed. Nothing happens for a deleted job."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE jobs_detectjob SET last_event = last_event + 1 WHERE id = %s RETURNING last_event", [job_id]
            )
            row = cursor.fetchone()
        if row is None:
            return
        JobEvent.objects.create(job_id=job_id, number=row[0], kind=kind, data=data)
        transaction.on_commit(partial(_nudge, job_id), robust=True)


def log_append(*, job_id: UUID, line: str, level: str = "info") -> None:
    """A line for people, such as `[12:03:11] INFO …` in the interfaces that show logs."""
    event_append(job_id=job_id, kind=EventKind.LOG, data={"level": level, "line": line})


def events_after(*, job_id: UUID, number: int, limit: int = 500) -> list[JobEvent]:
    """The events after ``number``, oldest first, at most ``limit`` of them."""
    return list(JobEvent.objects.filter(job_id=job_id, number__gt=number).order_by("number")[:limit])


def _nudge(job_id: UUID) -> None:
    """Tell listeners to look. A channel layer that is down costs them a moment, for they look by themselves too."""
    layer = get_channel_layer()
    if layer is None:
        return
    for group in (job_group(job_id), ALL_JOBS):
        try:
            async_to_sync(layer.group_send)(group, {"type": "job.nudge", "job_id": str(job_id)})
        except Exception as error:  # noqa: BLE001 - whatever the layer raises, the event is stored
            logger.debug("no nudge for job %s: %s", job_id, error)
            return

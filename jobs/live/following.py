"""Following events: each once, in order, from any number on, over restarts of Postgres and Redis.

Server-Sent Events and websockets are two ways to say what comes out of :func:`follow` and :func:`follow_all`. Both are
asynchronous generators: close them (``contextlib.aclosing``) where they are left before their end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from jobs.choices import ENDED, EventKind
from jobs.events import PAGE, events_after
from jobs.live.watching import listening
from jobs.models import DetectJob, JobEvent

#: Follows the last event of a job that has ended: kind of what has no number.
END = "job.end"
DELETED = "deleted"

#: Seconds after which a connection is ended, so that its client comes again and shows that it still may.
LONGEST_CONNECTION = 600.0

_BETWEEN_OVERVIEWS = 0.25
_RECENT = timedelta(minutes=10)
_MOST_JOBS = 500
# an event is visible from its commit on, and its id is older: so many of the last ids are looked at again
_OVERLAP = 1000


@dataclass(frozen=True)
class Told:
    """An event as it is told; the end of a job has no number, for it is not stored."""

    job_id: UUID
    number: int | None
    kind: str
    data: dict[str, Any]


async def follow(job_id: UUID, after: int = 0) -> AsyncGenerator[Told, None]:
    """A job's events from ``after`` on, as they come. The last is ``job.end`` with ``status`` and ``last`` (number).

    A job that is not there, or is deleted meanwhile, ends with the status ``deleted``.
    """
    async with listening(job_id) as listener:
        while True:
            look = await listener.ask(_look, job_id, after)
            for told in look.told:
                yield told
                after = told.number or after
            if look.end:
                return
            if not look.more:
                await listener.news()


def follow_stored(job_id: UUID, after: int = 0) -> Iterator[Told]:
    """What :func:`follow` would tell without waiting: all that is there now, with the end if the job has ended."""
    while True:
        look = _look(job_id, after)
        for told in look.told:
            yield told
            after = told.number or after
        if look.end or not look.more:
            return


async def follow_all() -> AsyncGenerator[Told, None]:
    """The latest ``job.update`` of every job that is not ended or ended lately, then of each one that changes.

    For lists: updates that follow one another closely are told as the last of them. It has no end.
    """
    async with listening(None) as listener:
        told: dict[UUID, int] = {}
        question = _overview
        while True:
            for event in await listener.ask(question):
                if event.number > told.get(event.job_id, 0):
                    told[event.job_id] = event.number
                    yield Told(event.job_id, event.number, event.kind, event.data)
            question = _lately_updated
            await listener.news()
            await asyncio.sleep(_BETWEEN_OVERVIEWS)


@dataclass(frozen=True)
class _Look:
    """What a look found: whether the end is among it, and whether to look again before waiting."""

    told: list[Told]
    end: bool = False
    more: bool = False


def _look(job_id: UUID, after: int) -> _Look:
    """The state, and then the next events: where there are none, a state that has ended came with the last one."""
    head = DetectJob.objects.filter(id=job_id).values_list("status", "last_event").first()
    if head is None:
        return _Look([Told(job_id, None, END, {"status": DELETED, "last": after})], end=True)
    status, last = head
    events = events_after(job_id=job_id, number=after)
    if status in ENDED and not events:
        return _Look([Told(job_id, None, END, {"status": status, "last": last})], end=True)
    told = [Told(job_id, event.number, event.kind, event.data) for event in events]
    return _Look(told, more=status in ENDED or len(events) == PAGE)


def _overview() -> list[JobEvent]:
    """The latest update of each job that is under way or ended lately; where there are very many, of the newest."""
    since = timezone.now() - _RECENT
    jobs = DetectJob.objects.exclude(status__in=ENDED, completed_at__lt=since).order_by("-created_at")[:_MOST_JOBS]
    ids = list(jobs.values_list("id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event.id FROM unnest(%s) AS job (id) CROSS JOIN LATERAL (SELECT id FROM jobs_jobevent"
            " WHERE job_id = job.id AND kind = %s ORDER BY number DESC LIMIT 1) AS event",
            [ids, EventKind.UPDATE.value],
        )
        latest = [event_id for (event_id,) in cursor.fetchall()]
    return list(JobEvent.objects.filter(id__in=latest).order_by("id"))


def _lately_updated() -> list[JobEvent]:
    """The latest update of each job among the last events of all."""
    newest = JobEvent.objects.aggregate(last=Max("id"))["last"] or 0
    recent = JobEvent.objects.filter(id__gt=newest - _OVERLAP, kind=EventKind.UPDATE)
    latest = recent.order_by("job_id", "-number").distinct("job_id")
    return sorted(latest, key=lambda event: event.pk)

"""Messages in the queue for what batches need besides stages: taking a video in, and writing a run's files.

What is lost here is put in again by the reconciler; done twice it does no harm.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError
from rq.job import JobStatus as MessageStatus

from detect.errors import MediaprocError
from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo
from jobs.annotation.states import ENDED, BatchState
from jobs.choices import ENDED as JOB_ENDED
from jobs.choices import JobStatus, Queue
from jobs.work.tokens import get_queue, start_is_queued

logger = logging.getLogger(__name__)

#: Tasks of a kind in the queue at most: those after them follow when these are done.
_MOST_WAITING = 16
#: Runs of all batches that the engine has at a time, before more videos are taken in.
_MOST_AT_WORK = 32
#: How long what could not be reached is left alone.
PATIENCE = timedelta(seconds=10)
#: How long after the end of a batch files are looked for that somebody left who died.
_TIDIED_WITHIN = timedelta(days=1)
#: A worker needs less from taking a message to saying so.
_LONGEST_TAKING = timedelta(seconds=8)
#: A task may take so long: a video of many gigabytes is read once from end to end.
_LIMITS: dict[str, Any] = {"timeout": 6 * 3600, "result_ttl": 0, "failure_ttl": 3600}


def tasks_announce() -> None:
    """Have messages for the tasks that are due, once the transaction is committed; the queue may be away."""
    transaction.on_commit(_send)


def due_videos() -> list[int]:
    """Ids of the next videos to be taken in: so many that there is work, and not all of a large batch at once."""
    active = AnnotationJob.objects.exclude(state__in=ENDED)
    at_work = AnnotationRun.objects.filter(
        video__job__in=active, state=BatchState.RUNNING, detect_job__status__in=(JobStatus.PENDING, JobStatus.RUNNING)
    ).count()
    waiting = AnnotationVideo.objects.filter(_due(), job__in=active, state=BatchState.QUEUED)
    room = min(_MOST_WAITING, max(0, _MOST_AT_WORK - at_work))
    return list(waiting.order_by("job__queued_at", "position").values_list("id", flat=True)[:room])


def due_runs() -> list[int]:
    """Ids of the next runs whose engine's job has ended and whose files are to be written; and of those that ended
    while that was done, of which files may be left that nobody lists.
    """
    active = AnnotationJob.objects.exclude(state__in=ENDED)
    ready = AnnotationRun.objects.filter(
        _due(), video__job__in=active, state=BatchState.RUNNING, exported=False, detect_job__status__in=JOB_ENDED
    ).order_by("video__job__queued_at", "id")
    lately = AnnotationJob.objects.filter(Q(finished_at=None) | Q(finished_at__gte=timezone.now() - _TIDIED_WITHIN))
    left = AnnotationRun.objects.filter(
        _due(), video__job__in=lately, state__in=ENDED, exported=False, attempts__gt=0
    ).order_by("id")
    return [*(row.id for row in ready.only("id")[:_MOST_WAITING]), *(row.id for row in left.only("id")[:_MOST_WAITING])]


def tasks_top_up() -> None:
    """Put in what is due and not in the queue. Raises ``RedisError`` while the queue is down."""
    for name, ids in (("annotation_prepare", due_videos()), ("annotation_export", due_runs())):
        for number in reversed(ids):  # each goes to the front: the first of them last, and files before videos
            _put(name, number)


def _put(name: str, number: int) -> None:
    """A message, where there is none yet. Two with one name would trip over each other in the queue."""
    queue, message = get_queue(Queue.CPU), f"{name}-{number}"
    if start_is_queued(message):
        return
    lost = queue.fetch_job(message)
    if lost is not None:
        taken = lost.enqueued_at is not None and timezone.now() - lost.enqueued_at < _LONGEST_TAKING
        if taken and lost.get_status(refresh=False) == MessageStatus.QUEUED:
            return  # out of the queue, and its worker has not said yet that it is at it
        lost.delete()
    with suppress(DuplicateJobError):
        queue.enqueue_call(
            f"jobs.tasks.{name}", args=(str(number),), job_id=message, at_front=True, unique=True, **_LIMITS
        )


def _due() -> Q:
    return Q(not_before__isnull=True) | Q(not_before__lte=timezone.now())


def _send() -> None:
    try:
        tasks_top_up()
    except (RedisError, MediaprocError) as error:
        logger.warning("the queue is down, batches go on when it is back: %s", error)

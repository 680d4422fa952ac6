"""Messages in the queue: that there is work, not which. What is lost here, the reconciler puts in again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import django_rq
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq.job import JobStatus as MessageStatus

from detect.errors import MediaprocError
from jobs.choices import JobStatus, Queue, UnitState
from jobs.models import WorkUnit
from mediaproc.services import ensure_queue

logger = logging.getLogger(__name__)

#: Seconds: a unit may take so long; of a message nothing is kept once it is done, of one that failed for a while.
_LIMITS: dict[str, Any] = {"timeout": 6 * 3600, "result_ttl": 0, "failure_ttl": 3600}
#: Messages in a queue at most: who takes one works on unit after unit, and whoever is idle a second later gets more.
MOST_TOKENS = 16
#: A worker says more often that it is still at a message.
_LONGEST_PLANNING = timedelta(seconds=8)


def announce(queues: Iterable[str]) -> None:
    """Put a token into a queue for each of its names given, once the transaction is committed; enough are enough."""
    counted = Counter(queues)
    if counted:
        transaction.on_commit(lambda: _send_tokens(counted))


def announce_start(job_id: UUID, message_id: str) -> None:
    """Ask, once the transaction is committed, that a job be planned. ``message_id`` is the queue's name for that."""
    transaction.on_commit(lambda: _send_start(job_id, message_id))


def new_message_id() -> str:
    """A name for a message that is not in the queue yet."""
    return str(uuid4())


def open_units() -> Counter[str]:
    """How many units wait in each queue for a worker, now."""
    waiting = (
        WorkUnit.objects.filter(state=UnitState.READY, job__status=JobStatus.RUNNING)
        .filter(Q(not_before__isnull=True) | Q(not_before__lte=timezone.now()))
        .values_list("queue")
        .annotate(Count("id"))
        .order_by()
    )
    return Counter(dict(waiting))


def top_up() -> None:
    """Have tokens for the units that wait. Raises ``RedisError`` while the queue is down."""
    missing = {name: count - get_queue(name).count for name, count in open_units().items()}
    _put_tokens(Counter({name: count for name, count in missing.items() if count > 0}))


def start_is_queued(message_id: str) -> bool:
    """Whether the message that starts a job is still in the queue, or being worked on. Raises ``RedisError``.

    One that was lost with the worker that took it looks for half a minute as if it were in work, or for ever as if it
    were still to be taken. Sent again it does no harm: planning is done by one process at a time.
    """
    queue = get_queue(Queue.CPU)
    message = queue.fetch_job(message_id)
    if message is None:
        return False
    if message.get_status(refresh=False) == MessageStatus.STARTED:
        return message.last_heartbeat is not None and timezone.now() - message.last_heartbeat < _LONGEST_PLANNING
    return queue.get_job_position(message_id) is not None


def get_queue(name: str) -> RqQueue:
    """The queue of the installation by its name; the embedded server is started where it does not run."""
    ensure_queue()
    return django_rq.get_queue(name)


def _send_tokens(counted: Counter[str]) -> None:
    try:
        _put_tokens(counted)
    except (RedisError, MediaprocError) as error:
        logger.warning("the queue is down, work waits until it is back: %s", error)


def _put_tokens(counted: Counter[str]) -> None:
    for name, count in counted.items():
        queue = get_queue(name)
        wanted = min(count, MOST_TOKENS - queue.count)
        if wanted > 0:
            token = RqQueue.prepare_data("jobs.tasks.work", args=(name,), **_LIMITS)
            queue.enqueue_many([token] * wanted)


def _send_start(job_id: UUID, message_id: str) -> None:
    try:
        get_queue(Queue.CPU).enqueue_call(
            "jobs.tasks.advance", args=(str(job_id),), job_id=message_id, at_front=True, **_LIMITS
        )
    except (RedisError, MediaprocError) as error:
        logger.warning("the queue is down, job %s starts when it is back: %s", job_id, error)

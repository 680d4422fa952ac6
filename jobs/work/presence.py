"""Which workers there are, by what they told the queue lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError
from rq.worker import BaseWorker

from detect.errors import MediaprocError
from jobs.choices import Queue
from jobs.work.tokens import get_queue

_FRESH = timedelta(seconds=30)


@dataclass(frozen=True)
class Presence:
    """A worker that told of itself within the last half minute."""

    name: str
    host: str
    pid: int
    state: str
    queues: tuple[str, ...]


def workers_present() -> list[Presence]:
    """Every living worker; none while the queue is down."""
    try:
        workers = BaseWorker.all(connection=get_queue(Queue.CPU).connection)
    except (RedisError, MediaprocError):
        return []
    oldest = datetime.now(UTC) - _FRESH
    return [
        Presence(worker.name, worker.hostname or "", worker.pid or 0, worker.get_state(), tuple(worker.queue_names()))
        for worker in workers
        if worker.last_heartbeat is not None and worker.last_heartbeat.replace(tzinfo=UTC) >= oldest
    ]


def queues_served() -> set[str]:
    """Queues from which a living worker takes work."""
    return {queue for worker in workers_present() for queue in worker.queues}

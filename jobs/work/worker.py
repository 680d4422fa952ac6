"""The queue's worker: takes messages, has them done by its work horse, and keeps leases and heartbeats meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import Error, connection
from redis.exceptions import RedisError
from rq.job import Job
from rq.queue import Queue
from rq.timeouts import JobTimeoutException
from rq.worker import SimpleWorker

from detect.errors import MediaprocError
from jobs.tasks import Task, perform_with
from jobs.work.execute import job_fail, persistently
from jobs.work.horse import HorseDiedError, WorkHorse
from jobs.work.owners import this_process
from jobs.work.units import leases_renew, units_of_dead_process, units_release

logger = logging.getLogger(__name__)

_BEAT = 3.0  # seconds between heartbeats: a fifth of a lease
_PATIENCE = 8.0  # seconds a horse has to give back what it is at; `docker stop` waits for ten


class DetectWorker(SimpleWorker):
    """An RQ worker that stays small and never loads a model: its horse does, once."""

    max_connection_wait_time = 4  # seconds, at most, until it looks again whether a lost queue is back

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.owner = this_process()
        self._horse = WorkHorse(self.owner)
        self._message: Job | None = None
        perform_with(self._perform)

    @property
    def shutdown_was_asked_for(self) -> bool:
        return self._shutdown_requested_date is not None

    def execute_job(self, job: Job, queue: Queue) -> None:
        self._message = job
        try:
            super().execute_job(job, queue)
        finally:
            self._message = None

    def get_heartbeat_ttl(self, job: Job) -> int:
        return int(5 * _BEAT)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        self._horse.ask_to_stop()

    def teardown(self) -> None:
        try:
            super().teardown()  # type: ignore[no-untyped-call]
        except RedisError as error:
            logger.warning("the queue is away: %s", error)
        self._horse.close(_PATIENCE)

    def _perform(self, task: Task) -> None:
        """Runs within RQ's own execution of a message, so that its time limit and its records apply."""
        try:
            self._horse.give(task)
            beat = time.monotonic()
            while not self._horse.is_done(within=max(0.0, beat + _BEAT - time.monotonic())):
                beat = time.monotonic()
                self._beat()
        except JobTimeoutException:
            self._horse.kill()
            self._bury("it took longer than a unit may")
            raise
        except HorseDiedError as error:
            self._bury(str(error))
            raise
        self._in_database(units_release)

    def _beat(self) -> None:
        self._in_database(leases_renew)
        try:
            if self._message is not None:
                self.maintain_heartbeats(self._message)
        except RedisError as error:
            logger.warning("no heartbeat, the queue is away: %s", error)

    def _in_database(self, act: Callable[..., int]) -> None:
        try:
            act(owner=self.owner)
        except (Error, MediaprocError) as error:
            logger.warning("%s is left for later, the database is away: %s", act.__name__, error)
            connection.close()

    def _bury(self, reason: str) -> None:
        """Count a death against the unit it happened in, and let others have the unit."""
        for unit in persistently(lambda: units_of_dead_process(owner=self.owner, reason=reason)):
            persistently(partial(job_fail, unit.job_id, f"{unit.stage}, chunk {unit.chunk}: {reason}"))

"""Puts right what nobody else noticed. Run every second or so, by any number of processes; one at a time does it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import Error, connection, transaction
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from detect.errors import MediaprocError
from jobs.annotation.conducting import batches_follow
from jobs.annotation.tasks import tasks_top_up
from jobs.choices import JobStatus, UnitState
from jobs.events import log_append
from jobs.locks import driven_in_foreground
from jobs.models import DetectJob, WorkUnit
from jobs.states import job_move
from jobs.work.execute import job_fail
from jobs.work.tokens import announce_start, start_is_queued, top_up
from jobs.work.units import units_recover

logger = logging.getLogger(__name__)

_LOCK = 0x7265636F  # any number, the same in every process


def reconcile() -> None:
    """One round. What is down is left for the next round; nothing is raised for it."""
    for step in (_recover_units, _start_jobs, _pause_orphans, top_up):
        _attempt(step)
    _attempt(batches_follow, alone=False)  # holding one batch while it waits for another, it would stop workers
    _attempt(tasks_top_up)


def _recover_units() -> None:
    for unit in units_recover():
        job_fail(unit.job_id, f"{unit.stage}, chunk {unit.chunk}: {unit.error}, {unit.losses} times")


def _start_jobs() -> None:
    """Ask again that jobs be planned whose message was lost: due ones, and those left between two stages."""
    due = Q(status=JobStatus.PENDING) & (Q(scheduled_for__isnull=True) | Q(scheduled_for__lte=timezone.now()))
    open_units = WorkUnit.objects.exclude(state=UnitState.DONE).values("job_id")
    between = Q(status=JobStatus.RUNNING) & ~Q(id__in=open_units)
    for job_id, message_id in (
        DetectJob.objects.filter(due | between).exclude(task_id="").values_list("id", "task_id").order_by("created_at")
    ):
        if not start_is_queued(message_id):
            announce_start(job_id, message_id)


def _pause_orphans() -> None:
    """A job that ran in the foreground of a process that is gone waits for whoever wants to go on with it."""
    for job in DetectJob.objects.filter(status=JobStatus.RUNNING, task_id=""):
        with transaction.atomic():
            if not driven_in_foreground(job.id):
                log_append(job_id=job.id, line="its process ended; resume it to go on", level="warning")
                job_move(job, JobStatus.PAUSED)


def _attempt(step: Callable[[], None], *, alone: bool = True) -> None:
    """Do it, ``alone`` in one transaction while no other process is at any of these."""
    try:
        if not alone:
            step()
            return
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
                row = cursor.fetchone()
            if row and row[0]:
                step()
    except (RedisError, Error, MediaprocError) as error:
        logger.warning("%s is left for later: %s", step.__name__.strip("_"), error)
        connection.close()

"""What a worker's process does with a message from the queue."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db import close_old_connections

from detect.errors import CancelledError, MediaprocError, StorageError
from detect.persistence import database_errors, over_restarts
from detect.planner import reads_video
from detect.registry import load_pipeline
from detect.runner import StageRun
from jobs.annotation.conducting import batches_follow_job
from jobs.choices import JobStatus
from jobs.events import log_append
from jobs.findings import findings_tell
from jobs.models import DetectJob
from jobs.progress import SECONDS_BETWEEN_WRITES, shared_progress_write
from jobs.runs import job_reading, job_runner
from jobs.selectors import job_branch
from jobs.states import job_move
from jobs.work.advance import job_advance, stage_is_done
from jobs.work.tokens import announce
from jobs.work.units import (
    Lease,
    LeaseLostError,
    unit_claim,
    unit_fail,
    unit_give_back,
    unit_keep,
    unit_postpone,
)
from jobs.work.watch import Watch

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: What is computed is worth waiting for a database that is away for a moment.
_WAIT_FOR_DATABASE = 60.0
#: What was away for so many attempts, about an hour of them, is not taken for an outage any more.
_MOST_ATTEMPTS = 360
#: Seconds after which the queue is asked again what else there is to do.
_AT_ONE_GO = 2.0


def work(*, queue: str, owner: str, stop: Callable[[], bool] = lambda: False) -> None:
    """Work on one unit of a queue after another for a moment: a message for each would cost more than short ones do."""
    until = time.monotonic() + _AT_ONE_GO
    while work_once(queue=queue, owner=owner, stop=stop) and not stop():
        if time.monotonic() > until:
            persistently(lambda: announce([queue]))
            return


def work_once(*, queue: str, owner: str, stop: Callable[[], bool] = lambda: False) -> bool:
    """Take one unit of a queue and work on it; False when there was none.

    Nothing that goes wrong with the unit is raised: it is given back, tried again later, or fails its job. ``stop`` is
    asked between frames; once it says so, the unit is given back.
    """
    close_old_connections()
    lease = persistently(lambda: unit_claim(queue=queue, owner=owner))
    if lease is None:
        return False
    try:
        _run(lease, stop)
    except LeaseLostError as error:
        logger.info("%s", error)
        persistently(lambda: unit_give_back(lease))  # where it is still ours and its job was stopped
    except CancelledError:
        persistently(lambda: unit_give_back(lease))
        persistently(lambda: announce([queue]))
    except StorageError as error:
        if lease.attempt >= _MOST_ATTEMPTS:
            _fail(lease, error)
        else:
            logger.warning("%s %s of job %s waits: %s", lease.stage, lease.chunk, lease.job_id, error)
            persistently(partial(unit_postpone, lease, reason=str(error)))
    except Exception as error:  # noqa: BLE001 - whatever a stage raises is the unit's fault, not the worker's
        _fail(lease, error)
    else:
        if persistently(lambda: stage_is_done(lease.job_id, lease.stage_index)):
            advance(lease.job_id)
    return True


def advance(job_id: UUID) -> None:
    """Plan what comes next in a job; one that cannot go on fails with the reason."""
    close_old_connections()
    try:
        persistently(lambda: job_advance(job_id))
    except StorageError as error:
        logger.warning("job %s waits: %s", job_id, error)
    except Exception as error:
        logger.exception("job %s cannot go on", job_id)
        persistently(partial(job_fail, job_id, _reason(error)))
    persistently(partial(batches_follow_job, job_id))


def job_fail(job_id: UUID, reason: str) -> None:
    """Fail a job that still runs, with its reason."""
    job = DetectJob.objects.filter(id=job_id, status__in=(JobStatus.PENDING, JobStatus.RUNNING)).first()
    if job is not None:
        log_append(job_id=job_id, line=reason, level="error")
        job_move(job, JobStatus.FAILED, error_message=reason)


def persistently(act: Callable[[], T]) -> T:
    """Do something in the database, over its restarts. Raises ``StorageError`` once it stays away."""
    with database_errors():
        return over_restarts(act, within=_WAIT_FOR_DATABASE)


def _run(lease: Lease, stop: Callable[[], bool]) -> None:
    with database_errors(), _planned(lease) as (job, run):
        watch = Watch(lease, stop, job, run)
        run.runner.checkpoint = watch.check
        ref, found = run.run_unit(
            lease.chunk,
            progress=watch.progress,
            keep=lambda ref, packed: persistently(partial(unit_keep, lease, ref, packed)),
        )
        if found:
            persistently(partial(unit_keep, lease, ref, None))
        findings_tell(job.id, run, ref)
        watch.close()
        if _pace.allows(job.id):
            shared_progress_write(job, run.runner.pipeline, lease.stage_index)


@contextmanager
def _planned(lease: Lease) -> Iterator[tuple[DetectJob, StageRun]]:
    """The job and the stage of a unit, ready to be run. Raises ``LeaseLostError`` where the job is past that."""
    recent = _recent.find(lease)
    if recent is not None:
        yield recent
        return
    job = DetectJob.objects.select_related("timeline", "source_asset").filter(id=lease.job_id).first()
    if job is None:
        raise LeaseLostError(f"job {lease.job_id} was deleted")
    branch = job_branch(job)
    parent = branch[-1] if branch else None
    at = 0 if parent is None else parent.stage_index + 1
    if at != lease.stage_index:
        raise LeaseLostError(f"job {job.id} has left {lease.stage} behind")
    stage = load_pipeline(job.pipeline).stages[lease.stage_index]
    with job_reading(job, parent, [stage]) as request:
        run = job_runner(job).stage_run(request, lease.stage_index, parent)
        if not reads_video(stage):  # else the file is at hand for this block only
            _recent.remember(lease, job, run)
        yield job, run


def _fail(lease: Lease, error: Exception) -> None:
    reason = _reason(error)
    logger.warning("%s %s of job %s failed: %s", lease.stage, lease.chunk, lease.job_id, reason, exc_info=error)
    if persistently(partial(unit_fail, lease, reason=reason)):
        persistently(partial(job_fail, lease.job_id, f"{lease.stage}, chunk {lease.chunk}: {reason}"))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MediaprocError) else f"{type(error).__name__}: {error}"


class _Pace:
    """Keeps a process that does unit after unit from telling more often than people can see how far a job is."""

    def __init__(self) -> None:
        self._job: UUID | None = None
        self._told = 0.0

    def allows(self, job_id: UUID) -> bool:
        if job_id == self._job and time.monotonic() - self._told < SECONDS_BETWEEN_WRITES:
            return False
        self._job, self._told = job_id, time.monotonic()
        return True


_pace = _Pace()


class _Recent:
    """The stage that this process was at a moment ago: units that follow each other need not be planned one by one.

    A claim says that the stage is still open; a unit of a job that was changed meanwhile is refused when it is kept.
    """

    def __init__(self) -> None:
        self._of: tuple[UUID, int] | None = None
        self._planned: tuple[DetectJob, StageRun] | None = None
        self._until = 0.0

    def find(self, lease: Lease) -> tuple[DetectJob, StageRun] | None:
        fits = (lease.job_id, lease.stage_index) == self._of and time.monotonic() < self._until
        return self._planned if fits else None

    def remember(self, lease: Lease, job: DetectJob, run: StageRun) -> None:
        self._of, self._planned = (lease.job_id, lease.stage_index), (job, run)
        self._until = time.monotonic() + _AT_ONE_GO


_recent = _Recent()

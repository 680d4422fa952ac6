"""Running the replays of a batch: one after another in this process, or by the workers."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from django.db.models import QuerySet

from detect.errors import CancelledError, ConflictError, MediaprocError
from detect.events import StageResult
from detect.registry import load_pipeline
from jobs.bulk.batches import Planned
from jobs.bulk.book import Batch, BatchOrder, BatchWatch, Outcome, Result, Started
from jobs.choices import JobStatus
from jobs.lifecycle import job_pause, job_reschedule
from jobs.models import DetectJob
from jobs.services import job_run
from jobs.work.presence import workers_present

logger = logging.getLogger(__name__)

_LOOK_EVERY = 0.5


def batch_run_here(plan: Sequence[Planned], order: BatchOrder) -> list[Result]:
    """Run the open replays of ``plan`` in this process, one after another, and return what became of all of the plan.

    One that fails does not stop the others. Raises ``CancelledError`` when ``order.checkpoint`` does: everything
    finished is kept, and the replay that was under way is paused.
    """
    batch = Batch(plan, order)
    waiting = deque(one for one in plan if one.open)
    while waiting:
        _wait_until_open(order)
        try:
            started = batch.start(waiting[0], queued=False)
        except MediaprocError as error:
            batch.fail(waiting.popleft(), str(error))
            continue
        if started is None:
            batch.leave(list(waiting))
            break
        waiting.popleft()
        reason = _run(started, order)
        batch.end(started, Outcome.FAILED if reason else Outcome.COMPLETED, reason)
    return batch.results


def batch_run_queued(plan: Sequence[Planned], order: BatchOrder) -> list[Result]:
    """Give the open replays of ``plan`` to the workers, wait until they have ended, and return what became of them.

    With a moment to start at, nothing is waited for. Within a daily window no more are given at once than there are
    workers, and those that have not begun when it closes wait for the next one. Raises ``CancelledError`` when
    ``order.checkpoint`` does: replays that have not begun are then paused, those that run go on.
    """
    batch = Batch(plan, order)
    waiting = deque(one for one in plan if one.open)
    flying: list[Started] = []
    later = order.schedule.start is not None and order.schedule.start > order.now()
    short = False
    try:
        while waiting or flying:
            order.checkpoint()
            short = short or _hand_over(batch, waiting, flying)
            if later:
                for started in flying:
                    batch.end(started, Outcome.QUEUED)
                flying.clear()
            if short and not flying:
                batch.leave(list(waiting))
                break
            still = _land(batch, flying)
            short, flying = short and len(still) == len(flying), still
            if waiting and not flying:
                _wait_until_open(order)
            elif flying:
                _hold_back(flying, order)
                order.wait(_LOOK_EVERY)
    except (CancelledError, KeyboardInterrupt):
        _pause(flying, order)
        raise
    return batch.results


def _wait_until_open(order: BatchOrder) -> None:
    """Wait for the moment at which replays may start."""
    told = False
    while (opens := order.schedule.opens(order.now())) > order.now():
        if not told:
            order.watch.note(f"Waiting until {opens:%Y-%m-%d %H:%M} UTC.")
            told = True
        order.checkpoint()
        order.wait(min(1.0, (opens - order.now()).total_seconds()))


class _Shares:
    """A :class:`~detect.events.RunListener` that tells how much of a replay is done."""

    def __init__(self, started: Started, watch: BatchWatch) -> None:
        self._started, self._watch = started, watch
        self._pipeline = load_pipeline(started.job.pipeline)
        self._index = 0

    def stage_started(self, stage: str, index: int, units: int) -> None:
        self._index = index
        self.stage_progress(stage, 0)

    def stage_progress(self, stage: str, fraction: float) -> None:
        self._watch.progress(self._started.planned, self._pipeline.progress(self._index, fraction))

    def stage_finished(self, result: StageResult) -> None:
        return


def _run(started: Started, order: BatchOrder) -> str:
    """Run a replay to its end; returns why it failed, or nothing."""
    try:
        job_run(job=started.job, listener=_Shares(started, order.watch), checkpoint=order.checkpoint)
    except CancelledError as error:
        order.checkpoint()  # was it this batch that was to stop, or the replay alone?
        return str(error)
    except MediaprocError as error:
        return str(error)
    except Exception as error:
        logger.exception("replay %s failed", started.job.id)
        return f"{type(error).__name__}: {error}"
    return ""


def _hand_over(batch: Batch, waiting: deque[Planned], flying: list[Started]) -> bool:
    """Give the workers what may start now; returns whether it was money that ended it."""
    order = batch.order
    window = order.schedule.window is not None
    most = max(1, len(workers_present())) if window else len(waiting) + len(flying)
    while waiting and len(flying) < most:
        if window and order.schedule.opens(order.now()) > order.now():
            return False
        try:
            started = batch.start(waiting[0], queued=True)
        except MediaprocError as error:
            batch.fail(waiting.popleft(), str(error))
            continue
        if started is None:
            return True
        waiting.popleft()
        flying.append(started)
    return False


def _land(batch: Batch, flying: list[Started]) -> list[Started]:
    """Take note of those that have ended; returns the others."""
    found = DetectJob.objects.filter(id__in=[started.job.id for started in flying])
    now = {job.id: job for job in found.only("id", "status", "progress", "error_message")}
    left = []
    for started in flying:
        job = now.get(started.job.id)
        if job is None:
            batch.end(started, Outcome.FAILED, "it was deleted by somebody else")
        elif job.status == JobStatus.COMPLETED:
            batch.end(started, Outcome.COMPLETED)
        elif job.status in (JobStatus.PENDING, JobStatus.RUNNING):
            batch.order.watch.progress(started.planned, job.progress)
            left.append(started)
        else:
            batch.end(started, Outcome.FAILED, job.error_message or f"it was {job.status} by somebody else")
    return left


def _hold_back(flying: list[Started], order: BatchOrder) -> None:
    """Have replays that have not begun when the window has closed wait for the next one."""
    opens = order.schedule.opens(order.now())
    if order.schedule.window is None or opens <= order.now():
        return
    for job in _not_begun(flying).exclude(scheduled_for=opens):
        _unless_begun(partial(job_reschedule, job, opens))


def _pause(flying: list[Started], order: BatchOrder) -> None:
    for job in _not_begun(flying):
        _unless_begun(partial(job_pause, job))
    ids = [started.job.id for started in flying]
    running = DetectJob.objects.filter(id__in=ids, status=JobStatus.RUNNING).count()
    if running:
        order.watch.note(f"{running} of the replays are being worked on: the workers go on with them.")


def _not_begun(flying: list[Started]) -> QuerySet[DetectJob]:
    return DetectJob.objects.filter(id__in=[started.job.id for started in flying], status=JobStatus.PENDING)


def _unless_begun(act: Callable[[], None]) -> None:
    """A worker may have been faster."""
    try:
        act()
    except ConflictError as error:
        logger.info("%s", error)

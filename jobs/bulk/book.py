"""The books of a batch: what its replays may spend, which have been started, what became of them.

Each replay is started with the limits of its estimate, made anew at that moment, and only while the sum of all limits
stays within what may be spent. What a replay did not use is free for the next. Where a model charges more than was
reckoned, that is known from its first answer on, and every further replay is reckoned dearer by as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from detect.errors import ConflictError, MediaprocError
from detect.persistence import DatabaseLedger, spent_by
from detect.providers.budget import as_text
from detect.providers.limits import Spent
from jobs.bulk.batches import Planned, parent_of, replan
from jobs.bulk.schedules import Schedule
from jobs.choices import JobStatus
from jobs.lifecycle import job_change
from jobs.models import DetectJob
from jobs.services import Order, job_replay, job_take_up


class Outcome(StrEnum):
    COMPLETED = "completed"
    DONE = "done before"
    QUEUED = "queued"
    FAILED = "failed"
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Result:
    """What became of a planned replay. ``usd`` is what it has spent on models, ``reason`` why it did not complete."""

    planned: Planned
    outcome: Outcome
    replay_id: UUID | None = None
    reason: str = ""
    usd: Decimal = Decimal(0)
    brands_found: int = 0


class BatchWatch(Protocol):
    """Is told how a batch goes. Must return quickly and not raise."""

    def started(self, planned: Planned, replay_id: UUID) -> None: ...

    def progress(self, planned: Planned, share: float) -> None:
        """``share`` 0-1 of the replay is done."""

    def ended(self, result: Result) -> None: ...

    def note(self, text: str) -> None:
        """A sentence for people."""


@dataclass(frozen=True)
class BatchOrder:
    """How a batch is to be run. ``most_usd`` bounds what all its replays together spend on models, with what those of
    the same jobs and settings have spent before, unless the batch is run ``again``.
    """

    watch: BatchWatch
    checkpoint: Callable[[], None]
    wait: Callable[[float], None]
    tags: tuple[str, ...] = ()
    most_usd: Decimal | None = None
    again: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    requested_by: str = "command"
    now: Callable[[], datetime] = timezone.now


@dataclass
class Purse:
    """What may still be spent; ``most`` is None where nobody said.

    Once models charged ``overrun`` times what was reckoned, that much more is set aside for every further replay.
    """

    most: Decimal | None
    spent: Decimal
    overrun: Decimal
    reserved: Decimal = Decimal(0)

    def reserve(self, usd: Decimal) -> Decimal | None:
        """Set aside what a replay that was reckoned at ``usd`` can cost; None where so much is not left."""
        amount = usd * self.overrun
        if amount and self.most is not None and self.spent + self.reserved + amount > self.most:
            return None
        self.reserved += amount
        return amount

    def settle(self, reserved: Decimal, used: Decimal) -> None:
        self.reserved -= reserved
        self.spent += used


@dataclass(frozen=True)
class Started:
    """A replay under way: ``reserved`` dollars are kept for it beside those it had ``spent_before``."""

    planned: Planned
    job: DetectJob
    reserved: Decimal
    spent_before: Decimal


class Batch:
    """One run of a plan: its money, and its results so far."""

    def __init__(self, plan: Sequence[Planned], order: BatchOrder) -> None:
        self.order = order
        self.results = [self._not_run(one) for one in plan if not one.open]
        before = _spent_before(plan, again=order.again)
        self.purse = Purse(order.most_usd, before.usd, before.overrun)

    def start(self, planned: Planned, *, queued: bool) -> Started | None:
        """Make the replay, or take up the one that did not finish; None when there is not enough money for it.

        Raises ``MediaprocError`` when it cannot be started.
        """
        planned = replan(planned)
        assert planned.estimate is not None
        limits, usd = planned.estimate.limits, planned.estimate.usd
        before = DatabaseLedger(planned.begun).spent() if planned.begun else None
        reserved = self.purse.reserve(usd)
        if reserved is None:
            return None
        spent_before = before.usd if before else Decimal(0)
        order = Order(
            requested_by=self.order.requested_by,
            tags=list(dict.fromkeys([planned.wanted.settings.tag, *self.order.tags])),
            scheduled_for=self._scheduled(),
            cost_limit_usd=usd + spent_before,
            call_limit=(limits.calls or 0) + (before.calls if before else 0),
            queued=queued,
        )
        try:
            job = _take_up(planned.begun, order) if planned.begun else _replay(planned, order)
            if job.cost_limit_usd != order.cost_limit_usd:
                job = _take_up(job.id, order)  # somebody else asked for the same meanwhile
        except MediaprocError:
            self.purse.settle(reserved, Decimal(0))
            raise
        self.order.watch.started(planned, job.id)
        return Started(planned, job, reserved, spent_before)

    def end(self, started: Started, outcome: Outcome, reason: str = "") -> None:
        """Note how a replay has ended, and free the money it did not use."""
        spent = DatabaseLedger(started.job.id).spent()
        used = spent.usd
        self.purse.overrun = max(self.purse.overrun, spent.overrun)
        if outcome != Outcome.QUEUED:
            self.purse.settle(started.reserved, used - started.spent_before)
        found = DetectJob.objects.filter(id=started.job.id).values_list("brands_found", flat=True).first()
        self._add(Result(started.planned, outcome, started.job.id, reason, used, found or 0))

    def fail(self, planned: Planned, reason: str) -> None:
        """Note that a replay could not even be started."""
        self._add(Result(planned, Outcome.FAILED, planned.begun, reason))

    def leave(self, rest: Sequence[Planned]) -> None:
        """Note that there is not enough money for the first of ``rest``: none of them is started."""
        for planned in rest:
            self._add(Result(planned, Outcome.NOT_STARTED, planned.begun, self._too_dear(rest[0])))

    def _too_dear(self, planned: Planned) -> str:
        assert planned.estimate is not None and self.purse.most is not None
        left = max(Decimal(0), self.purse.most - self.purse.spent - self.purse.reserved)
        most = planned.estimate.usd * self.purse.overrun
        return (
            f"the replay of {str(planned.wanted.parent_id)[:8]} can cost ${as_text(most)}, "
            f"and ${as_text(left)} of ${as_text(self.purse.most)} are left"
        )

    def _scheduled(self) -> datetime | None:
        start = self.order.schedule.start
        return start if start is not None and start > self.order.now() else None

    def _add(self, result: Result) -> None:
        self.results.append(result)
        self.order.watch.ended(result)

    def _not_run(self, planned: Planned) -> Result:
        if planned.problem:
            return Result(planned, Outcome.FAILED, reason=planned.problem)
        assert planned.done is not None
        found = DetectJob.objects.filter(id=planned.done).values_list("brands_found", flat=True).first()
        return Result(planned, Outcome.DONE, planned.done, brands_found=found or 0)


def _replay(planned: Planned, order: Order) -> DetectJob:
    settings = planned.wanted.settings
    return job_replay(
        parent=parent_of(planned.wanted),
        start_stage=settings.start_stage,
        overrides=settings.overrides,
        order=order,
    )


def _take_up(job_id: UUID, order: Order) -> DetectJob:
    """Go on with a replay within new limits. Raises ``ConflictError`` for one that has gone meanwhile."""
    with transaction.atomic():
        job = DetectJob.objects.select_for_update(of=("self",)).filter(id=job_id).first()
        if job is None or job.status in (JobStatus.COMPLETED, JobStatus.CANCELLED):
            raise ConflictError(f"replay {job_id} was {job.status if job else 'deleted'} by somebody else meanwhile")
        job.cost_limit_usd, job.call_limit = order.cost_limit_usd, order.call_limit
        job.save(update_fields=["cost_limit_usd", "call_limit"])
        job_change(job, tags=[*job.tags, *order.tags])
        job_take_up(job, order)
    return job


def _spent_before(plan: Sequence[Planned], *, again: bool) -> Spent:
    """What replays of the same jobs with the same settings have spent so far; ``again`` counts unfinished ones only."""
    jobs = DetectJob.objects.filter(
        parent_job_id__in={one.wanted.parent_id for one in plan},
        tags__overlap=list({one.wanted.settings.tag for one in plan}),
    )
    if again:
        jobs = jobs.filter(id__in=[one.begun for one in plan if one.begun])
    return spent_by(jobs.values("id"))


def failed(results: Sequence[Result]) -> list[Result]:
    """Those that failed or could not be started."""
    return [result for result in results if result.outcome == Outcome.FAILED]

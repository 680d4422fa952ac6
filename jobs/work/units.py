"""Leases on units of work.

A lease is good for :data:`LEASE` and is renewed while its worker lives. Each has a number (``attempt``); whatever a
worker writes about a unit is refused once another lease was given out: a worker that was stopped, or cut off from the
database, and wakes up later changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from detect.checkpoints.store import OutputRef
from detect.errors import MediaprocError
from detect.persistence import DatabaseCheckpointStore
from jobs.choices import JobStatus, UnitState
from jobs.models import DetectJob, WorkUnit
from jobs.work.owners import has_died

LEASE = timedelta(seconds=15)
#: A unit that fails, or kills the process that works on it, so often fails its job.
MOST_FAILURES = 3
#: Workers may vanish with a unit for reasons of their own (a deployment, a host): it takes more of that to blame it.
MOST_LOSSES = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
# one statement, so that a claim costs one round trip; what others are claiming at the moment is passed over
_CLAIM = """
UPDATE jobs_workunit
SET state = 'running', owner = %(owner)s, attempt = attempt + 1, started_at = %(now)s, leased_until = %(until)s,
    items_done = 0
WHERE id = (
    SELECT unit.id FROM jobs_workunit unit JOIN jobs_detectjob job ON job.id = unit.job_id
    WHERE unit.queue = %(queue)s AND unit.state = 'ready' AND job.status = 'running'
        AND (unit.not_before IS NULL OR unit.not_before <= %(now)s)
    ORDER BY job.priority DESC, job.created_at, unit.stage_index, unit.chunk
    LIMIT 1 FOR UPDATE OF unit SKIP LOCKED
)
RETURNING id, attempt, job_id, stage, stage_index, chunk
"""


class LeaseLostError(MediaprocError):
    """The unit was given to another worker, or its job is not running any more: what was computed is thrown away."""


@dataclass(frozen=True)
class Lease:
    """The right to work on a unit and to store what comes of it."""

    unit_id: int
    attempt: int
    job_id: UUID
    stage: str
    stage_index: int
    chunk: int


def unit_claim(*, queue: str, owner: str) -> Lease | None:
    """Take the most urgent unit of a queue: highest priority, oldest job, earliest piece. None when there is none."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"queue": queue, "owner": owner, "now": now, "until": now + LEASE})
        row = cursor.fetchone()
    return None if row is None else Lease(*row)


def leases_renew(*, owner: str) -> int:
    """Extend every lease of a worker; returns how many it holds."""
    until = timezone.now() + LEASE
    return WorkUnit.objects.filter(owner=owner, state=UnitState.RUNNING).update(leased_until=until)


def lease_check(lease: Lease) -> None:
    """Raises ``LeaseLostError`` when the work is another's by now, or is not wanted any more."""
    if not _held(lease).filter(job__status=JobStatus.RUNNING).exists():
        raise LeaseLostError(f"{lease.stage} {lease.chunk} of job {lease.job_id} is not ours any more")


def unit_report(lease: Lease, *, done: int, total: int) -> None:
    """How many of a unit's items (frames, crops) are done."""
    _held(lease).update(items_done=done, items_total=total)


def unit_keep(lease: Lease, ref: OutputRef, packed: bytes | None) -> None:
    """Store a unit's output and mark it done, both or none; without ``packed`` the output is stored already.

    Raises ``LeaseLostError`` when another worker has the unit: the fence.
    """
    with transaction.atomic():
        marked = _held(lease).update(
            state=UnitState.DONE,
            output_key=ref.key,
            reused=packed is None,
            owner="",
            leased_until=None,
            error="",
            items_done=F("items_total"),
            finished_at=timezone.now(),
        )
        if not marked:
            raise LeaseLostError(f"{lease.stage} {lease.chunk} of job {lease.job_id} was given to another worker")
        if packed is not None:
            DatabaseCheckpointStore().put_output(ref, packed)


def unit_give_back(lease: Lease) -> None:
    """Let another worker have the unit; that nobody finished it is nobody's fault."""
    _held(lease).update(state=UnitState.READY, owner="", leased_until=None)


def units_release(*, owner: str) -> int:
    """Free what a worker that is at nothing still holds: its horse could not give it back while the database was away.

    Its heartbeats would otherwise keep it for as long as the worker lives. Returns how many units that were.
    """
    held = WorkUnit.objects.filter(owner=owner, state=UnitState.RUNNING)
    return held.update(state=UnitState.READY, owner="", leased_until=None)


def unit_postpone(lease: Lease, *, reason: str) -> None:
    """Something outside is down: try again soon, as often as it takes, and say why."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(lease.attempt, 8))
    _held(lease).update(
        state=UnitState.READY,
        owner="",
        leased_until=None,
        error=reason,
        not_before=timezone.now() + timedelta(seconds=pause),
    )


def unit_fail(lease: Lease, *, reason: str) -> bool:
    """An attempt failed. True when it was the last: the unit is given up."""
    with transaction.atomic():
        unit = _held(lease).select_for_update(of=("self",)).first()
        return unit is not None and _count_failure(unit, reason)


def units_of_dead_process(*, owner: str, reason: str) -> list[WorkUnit]:
    """The process that worked for ``owner`` was killed: its units failed once more. Returns those given up."""
    with transaction.atomic():
        held = WorkUnit.objects.select_for_update().filter(owner=owner, state=UnitState.RUNNING)
        return [unit for unit in held if _count_failure(unit, reason)]


def units_recover() -> list[WorkUnit]:
    """Take back the units of workers that are gone: lease run out, or seen to be dead. Returns those given up."""
    given_up = []
    with transaction.atomic():
        for unit in WorkUnit.objects.select_for_update(skip_locked=True).filter(state=UnitState.RUNNING):
            if (unit.leased_until is None or unit.leased_until < timezone.now()) or has_died(unit.owner):
                unit.losses += 1
                unit.error = f"the worker {unit.owner} vanished"
                unit.state = UnitState.FAILED if unit.losses >= MOST_LOSSES else UnitState.READY
                unit.owner, unit.leased_until = "", None
                unit.save(update_fields=["losses", "error", "state", "owner", "leased_until"])
                if unit.state == UnitState.FAILED:
                    given_up.append(unit)
    return given_up


def units_reset(job: DetectJob) -> None:
    """Give every unit of a job that is tried again its full number of attempts."""
    WorkUnit.objects.filter(job=job, state__in=(UnitState.FAILED, UnitState.READY)).update(
        state=UnitState.READY, failures=0, losses=0, not_before=None
    )


def held_elsewhere(job_id: UUID) -> Iterable[str]:
    """The living workers that hold a unit of a job."""
    units = WorkUnit.objects.filter(job_id=job_id, state=UnitState.RUNNING, leased_until__gte=timezone.now())
    return [owner for owner in units.values_list("owner", flat=True) if not has_died(owner)]


def _count_failure(unit: WorkUnit, reason: str) -> bool:
    unit.failures += 1
    unit.error = reason
    unit.state = UnitState.FAILED if unit.failures >= MOST_FAILURES else UnitState.READY
    unit.owner, unit.leased_until = "", None
    unit.not_before = timezone.now() + timedelta(seconds=unit.failures)
    unit.save(update_fields=["failures", "error", "state", "owner", "leased_until", "not_before"])
    return unit.state == UnitState.FAILED


def _held(lease: Lease) -> QuerySet[WorkUnit]:
    return WorkUnit.objects.filter(id=lease.unit_id, attempt=lease.attempt, state=UnitState.RUNNING)

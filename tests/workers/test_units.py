"""Leases: who may work on what, and whose results count."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from detect.checkpoints.outputs import make_ref
from detect.models import StageOutput
from jobs.choices import JobStatus, UnitState
from jobs.lifecycle import job_change, job_pause, job_resume
from jobs.models import DetectJob, WorkUnit
from jobs.services import Order
from jobs.states import job_move
from jobs.work.advance import job_advance
from jobs.work.owners import has_died, this_process
from jobs.work.units import (
    LEASE,
    MOST_FAILURES,
    MOST_LOSSES,
    Lease,
    LeaseLostError,
    lease_check,
    leases_renew,
    unit_claim,
    unit_fail,
    unit_give_back,
    unit_keep,
    unit_postpone,
    unit_report,
    units_of_dead_process,
    units_recover,
    units_release,
)
from tests.workers.conftest import Toys, fresh, toy_job, units
from tests.workers.toy import CutOutput

HERE, ELSEWHERE = "otherhost:1:1", "otherhost:2:1"  # of other hosts nobody here can say that they died


@pytest.fixture
def job(db: None, toys: Toys) -> DetectJob:
    return planned()


def planned(chunks: int = 3, **order: Any) -> DetectJob:
    """A job whose first stage is waiting for workers."""
    job = toy_job(chunks, letter=str(DetectJob.objects.count()), order=Order(queued=True, **order))
    job_advance(job.id)
    return fresh(job)


def claim(owner: str = HERE, queue: str = "cpu") -> Lease:
    lease = unit_claim(queue=queue, owner=owner)
    assert lease is not None
    return lease


def expire(lease: Lease) -> None:
    WorkUnit.objects.filter(id=lease.unit_id).update(leased_until=timezone.now() - timedelta(seconds=1))


def keep(lease: Lease, text: str = "x") -> None:
    unit_keep(lease, *make_ref(f"{lease.stage}{lease.chunk}{text}", lease.stage, CutOutput(text=text), seconds=1.0))


def state_of(lease: Lease) -> str:
    return WorkUnit.objects.get(id=lease.unit_id).state


def test_earliest_piece_of_the_oldest_job_first(job: DetectJob) -> None:
    younger = planned()
    claimed = [claim() for _ in range(6)]
    assert [(lease.job_id, lease.chunk) for lease in claimed] == [(of.id, n) for of in (job, younger) for n in range(3)]
    assert unit_claim(queue="cpu", owner=HERE) is None


def test_higher_priority_first(job: DetectJob) -> None:
    planned()
    urgent = planned(priority=5)
    assert claim().job_id == urgent.id


def test_new_priority_counts_at_once(job: DetectJob) -> None:
    younger = planned()
    assert claim().job_id == job.id
    job_change(younger, priority=1)
    assert claim().job_id == younger.id
    job_change(job, priority=2)
    assert claim().job_id == job.id


def test_queues_are_kept_apart(job: DetectJob) -> None:
    WorkUnit.objects.filter(job=job, chunk=1).update(queue="gpu")
    assert claim(queue="gpu").chunk == 1
    assert unit_claim(queue="gpu", owner=HERE) is None
    assert [claim().chunk, claim().chunk] == [0, 2]


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.FAILED])
def test_jobs_that_do_not_run_are_left_alone(job: DetectJob, status: JobStatus) -> None:
    job_move(job, status)
    assert unit_claim(queue="cpu", owner=HERE) is None


def test_lease_that_is_renewed_stays(job: DetectJob) -> None:
    lease = claim()
    expire(lease)
    assert leases_renew(owner=HERE) == 1
    assert units_recover() == []
    lease_check(lease)
    unit = WorkUnit.objects.get(id=lease.unit_id)
    assert unit.leased_until is not None
    assert LEASE * 0.9 < unit.leased_until - timezone.now() <= LEASE


def test_expired_lease_is_given_to_another(job: DetectJob) -> None:
    lease = claim()
    assert units_recover() == [], "not before its time"
    assert claim(ELSEWHERE).chunk == 1
    expire(lease)
    units_recover()
    again = claim(ELSEWHERE)
    assert (again.unit_id, again.attempt) == (lease.unit_id, lease.attempt + 1)


def test_former_holder_changes_nothing(job: DetectJob) -> None:
    """The fence: whatever it does, the unit is as its new holder has it."""
    lease = claim()
    expire(lease)
    units_recover()
    again = claim(ELSEWHERE)
    before = WorkUnit.objects.filter(id=lease.unit_id).values().get()

    with pytest.raises(LeaseLostError):
        lease_check(lease)
    with pytest.raises(LeaseLostError):
        keep(lease, "stale")
    unit_report(lease, done=7, total=9)
    unit_give_back(lease)
    unit_postpone(lease, reason="stale")
    assert unit_fail(lease, reason="stale") is False
    assert leases_renew(owner=HERE) == 0

    assert WorkUnit.objects.filter(id=lease.unit_id).values().get() == before
    assert not StageOutput.objects.exists()
    keep(again)
    assert state_of(again) == UnitState.DONE
    with pytest.raises(LeaseLostError):
        keep(lease, "stale")
    assert [output.key for output in StageOutput.objects.all()] == ["cut0x"]


def test_unit_given_back_is_blamed_on_nobody(job: DetectJob) -> None:
    unit_give_back(claim())
    again = claim()
    unit = WorkUnit.objects.get(id=again.unit_id)
    assert (again.chunk, unit.failures, unit.losses) == (0, 0, 0)


def test_outage_is_blamed_on_nobody(job: DetectJob) -> None:
    for _ in range(MOST_FAILURES + MOST_LOSSES):
        lease = claim()
        assert lease.chunk == 0
        unit_postpone(lease, reason="the storage is away")
        assert claim().chunk == 1, "it waits a little"
        WorkUnit.objects.filter(job=job).update(not_before=None, state=UnitState.READY)
    unit = units(job)[0]
    assert (unit.failures, unit.losses, unit.error) == (0, 0, "the storage is away")


def test_pauses_of_an_outage_stay_short(job: DetectJob) -> None:
    for _ in range(12):
        unit_postpone(claim(), reason="away")
        unit = units(job)[0]
        assert unit.not_before is not None
        assert unit.not_before - timezone.now() <= timedelta(seconds=10)
        WorkUnit.objects.filter(id=unit.id).update(not_before=None)


def test_third_failure_is_the_last(job: DetectJob) -> None:
    outcomes = []
    for _ in range(MOST_FAILURES):
        WorkUnit.objects.filter(job=job).update(not_before=None)
        outcomes.append(unit_fail(claim(), reason="bad"))
    assert outcomes == [False, False, True]
    assert (units(job)[0].state, units(job)[0].error) == (UnitState.FAILED, "bad")
    assert claim().chunk == 1


def test_death_counts_as_a_failure_of_what_was_held(job: DetectJob) -> None:
    other = claim(ELSEWHERE)
    claim(HERE)
    assert units_of_dead_process(owner=HERE, reason="killed") == []
    failures = {unit.chunk: unit.failures for unit in units(job)}
    assert failures == {0: 0, 1: 1, 2: 0}
    lease_check(other)


def test_worker_that_vanishes_ten_times_is_no_accident(job: DetectJob) -> None:
    for number in range(MOST_LOSSES):
        expire(claim())
        given_up = units_recover()
        assert len(given_up) == (number == MOST_LOSSES - 1)
    assert units(job)[0].state == UnitState.FAILED


def test_dead_process_of_this_host_is_not_waited_for(job: DetectJob) -> None:
    host, pid, started = this_process().rsplit(":", 2)
    assert not has_died(this_process())
    gone = f"{host}:{pid}:{int(started) - 1}"  # this number belonged to another process
    assert has_died(gone)
    assert not has_died(f"x{gone}"), "of other hosts nothing is known"
    mine, lost = claim(this_process()), claim(gone)
    units_recover()
    assert (state_of(mine), state_of(lost)) == (UnitState.RUNNING, UnitState.READY)


def test_what_an_idle_worker_still_holds_is_freed(job: DetectJob) -> None:
    other, mine = claim(ELSEWHERE), claim(HERE)
    assert units_release(owner=HERE) == 1
    assert (state_of(mine), state_of(other)) == (UnitState.READY, UnitState.RUNNING)
    with pytest.raises(LeaseLostError):
        keep(mine)
    assert WorkUnit.objects.get(id=mine.unit_id).losses == 0


def test_resumed_job_has_its_attempts_back(job: DetectJob) -> None:
    for _ in range(MOST_FAILURES):
        WorkUnit.objects.filter(job=job).update(not_before=None)
        unit_fail(claim(), reason="bad")
    job_move(job, JobStatus.FAILED, error_message="bad")
    job_resume(job)
    unit = units(job)[0]
    assert (unit.state, unit.failures, unit.losses, unit.not_before) == (UnitState.READY, 0, 0, None)


def test_paused_while_it_is_worked_on_the_piece_is_not_wanted(job: DetectJob) -> None:
    lease = claim()
    job_pause(job)
    with pytest.raises(LeaseLostError):
        lease_check(lease)


def test_no_unit_is_claimed_twice(transactional_db: None, toys: Toys) -> None:
    """Eight at once, each with a connection of its own."""
    planned(40)
    claimed: list[Lease] = []

    def take() -> None:
        with closing(connection):
            while (lease := unit_claim(queue="cpu", owner=HERE)) is not None:
                claimed.append(lease)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lease.chunk for lease in claimed) == list(range(40))
    assert {lease.attempt for lease in claimed} == {1}

"""Workers and the scheduler as processes: stopped, killed, frozen, and beside a run in the foreground."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from detect.errors import ConfigError
from detect.events import SilentListener
from detect.models import StageOutput
from jobs.choices import EventKind, JobStatus, UnitState
from jobs.lifecycle import job_change, job_resume
from jobs.models import DetectJob, JobEvent, WorkUnit
from jobs.services import Order, job_run
from tests.workers.conftest import Crew, Toys, eventually, fresh, toy_job, units
from tests.workers.toy import Does


def once(chunks: int) -> Counter[str]:
    return Counter({f"{stage} {chunk}": 1 for stage in ("cut", "nap") for chunk in range(chunks)} | {"close 0": 1})


def completed(job: DetectJob) -> bool:
    return fresh(job).status == JobStatus.COMPLETED


def horse_of(worker: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that computes for a worker."""
    (horse,) = [
        child for child in psutil.Process(worker.pid).children() if "multiprocessing.spawn" in "".join(child.cmdline())
    ]
    return horse


def test_two_workers_share_a_job_and_keep_their_models(crew: Crew, toys: Toys) -> None:
    for chunk in (0, 1):  # one each, so that neither is done before the other has started
        toys.tell("cut", chunk, Does.SLEEP)
    job = toy_job(12, seconds=0.1)
    crew.worker()
    crew.worker()
    eventually(lambda: all(toys.is_held("cut", chunk) for chunk in (0, 1)))
    for chunk in (0, 1):
        toys.let_go("cut", chunk)
    eventually(lambda: completed(job))
    assert toys.begun() == once(12)
    assert len(set(toys.pids())) == 2, "one process a worker, over all of its messages"
    assert min(Counter(toys.pids()).values()) > 1


def test_worker_asked_to_end_gives_its_unit_back(crew: Crew, toys: Toys) -> None:
    toys.tell("cut", 0, Does.HOLD)
    job = toy_job(2)
    worker = crew.worker()
    eventually(lambda: toys.is_held("cut", 0))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    unit = units(job)[0]
    assert (unit.state, unit.failures, unit.losses, unit.owner) == (UnitState.READY, 0, 0, "")
    toys.let_go("cut", 0)
    crew.worker()
    eventually(lambda: completed(job))


def test_killed_horse_is_counted_and_replaced(crew: Crew, toys: Toys) -> None:
    """Out of memory, say: the worker notices at once, others go on, and the third time it is the unit's fault."""
    toys.tell("nap", 1, Does.DIE)
    bad, good = toy_job(3), toy_job(1, letter="y", order=Order(queued=True, priority=-1))
    crew.worker()
    crew.scheduler()
    eventually(lambda: fresh(bad).status == JobStatus.FAILED)
    assert fresh(bad).error_message == ("nap, chunk 1: the process at work was killed by SIGKILL (out of memory?)")
    assert toys.begun()["nap 1"] == 3
    toys.let_go("nap", 1)
    eventually(lambda: completed(good))
    job_resume(fresh(bad))
    eventually(lambda: completed(bad))


def test_killed_worker_is_missed_at_once(crew: Crew, toys: Toys) -> None:
    """Its horse goes with it, and its unit is another's within seconds."""
    toys.tell("cut", 0, Does.SLEEP)
    job = toy_job(3)
    worker = crew.worker()
    crew.scheduler()
    eventually(lambda: toys.is_held("cut", 0))
    horse = horse_of(worker)
    worker.kill()
    worker.wait()
    eventually(lambda: not horse.is_running() or horse.status() == psutil.STATUS_ZOMBIE, within=30)
    eventually(lambda: units(job)[0].state == UnitState.READY, within=30)
    toys.let_go("cut", 0)
    crew.worker()
    eventually(lambda: completed(job))
    assert toys.begun() == once(3) + Counter({"cut 0": 1})


def test_frozen_worker_that_wakes_up_changes_nothing(crew: Crew, toys: Toys) -> None:
    """Stopped past its lease and continued: what it would store, report and tell is refused; the other's stays."""
    toys.tell("cut", 0, Does.SLEEP)
    job = toy_job(1)
    frozen = crew.worker()
    eventually(lambda: toys.is_held("cut", 0))
    horse = horse_of(frozen)
    frozen.send_signal(signal.SIGSTOP)
    horse.suspend()
    WorkUnit.objects.filter(job=job).update(leased_until=timezone.now() - timedelta(seconds=1))
    crew.scheduler()
    other = crew.worker()
    eventually(lambda: WorkUnit.objects.filter(job=job, attempt=2, state=UnitState.RUNNING).exists())
    owner = units(job)[0].owner
    assert owner.split(":")[1] == str(other.pid)

    other.send_signal(signal.SIGSTOP)  # so that it cannot be done before the frozen one is
    horse_of(other).suspend()
    toys.let_go("cut", 0)
    before = WorkUnit.objects.filter(job=job).values().get()
    events = list(JobEvent.objects.filter(job=job).values())
    frozen.send_signal(signal.SIGCONT)
    horse.resume()
    eventually(lambda: horse.status() == psutil.STATUS_SLEEPING and crew_is_idle(frozen))
    assert not StageOutput.objects.exists()
    assert list(JobEvent.objects.filter(job=job).values()) == events
    after = WorkUnit.objects.filter(job=job).values().get()
    assert {**after, "leased_until": 0} == {**before, "leased_until": 0}

    horse_of(other).resume()
    other.send_signal(signal.SIGCONT)
    eventually(lambda: completed(job))
    assert toys.begun() == once(1) + Counter({"cut 0": 1})
    told = JobEvent.objects.filter(job=job, kind=EventKind.STAGE, data__stage="cut")
    assert told.count() == 1


def crew_is_idle(worker: subprocess.Popen[bytes]) -> bool:
    """Whether a worker has had a moment for what it had to write."""
    time.sleep(1.0)
    return psutil.Process(worker.pid).status() == psutil.STATUS_SLEEPING


def test_unit_paused_under_a_busy_worker_is_free_at_once(crew: Crew, toys: Toys) -> None:
    """The worker lives on with other work: its heartbeat must not hold what it gave up."""
    toys.tell("cut", 0, Does.HOLD)
    job = toy_job(1)
    crew.worker()
    eventually(lambda: toys.is_held("cut", 0))
    DetectJob.objects.filter(id=job.id).update(status=JobStatus.PAUSED)
    eventually(lambda: units(job)[0].state == UnitState.READY, within=30)
    assert units(job)[0].losses == 0


def test_new_priority_counts_from_the_next_piece_on(crew: Crew, toys: Toys) -> None:
    toys.tell("cut", 0, Does.HOLD)
    first, second = toy_job(4), toy_job(4, letter="y")
    crew.worker()
    eventually(lambda: toys.is_held("cut", 0))
    job_change(fresh(second), priority=9)
    DetectJob.objects.filter(id=first.id).update(priority=-1)
    toys.let_go("cut", 0)
    eventually(lambda: completed(first) and completed(second))
    done = {job.id: fresh(job).completed_at for job in (first, second)}
    assert done[second.id] < done[first.id]  # type: ignore[operator]


def test_scheduled_job_starts_when_it_is_due(crew: Crew, toys: Toys) -> None:
    due = timezone.now() + timedelta(seconds=4)
    job = toy_job(order=Order(queued=True, scheduled_for=due))
    crew.worker()
    crew.scheduler()
    eventually(lambda: completed(job))
    started = fresh(job).started_at
    assert started is not None
    assert started >= due


def test_foreground_and_workers_keep_off_each_other(crew: Crew, toys: Toys) -> None:
    toys.tell("cut", 0, Does.HOLD)
    job = toy_job(2)
    crew.worker()
    crew.scheduler()
    eventually(lambda: toys.is_held("cut", 0))
    with pytest.raises(ConfigError, match="being worked on by workers"):
        job_run(job=fresh(job), listener=SilentListener())
    toys.let_go("cut", 0)
    eventually(lambda: completed(job))

    toys.tell("cut", 1, Does.HOLD)
    mine = toy_job(2, letter="y", order=Order())

    def drive() -> None:
        with closing(connection):
            job_run(job=fresh(mine), listener=SilentListener())

    thread = threading.Thread(target=drive)
    thread.start()
    try:
        eventually(lambda: toys.is_held("cut", 1))
        time.sleep(1.0)
        assert fresh(mine).status == JobStatus.RUNNING
        assert units(mine) == []
    finally:
        toys.let_go("cut", 1)
        thread.join()
    assert completed(mine)
    assert set(toys.begun().values()) <= {1, 2}

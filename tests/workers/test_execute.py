"""What a worker's process does with a unit, and with whatever goes wrong in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from detect.models import Checkpoint, StageOutput
from jobs.choices import EventKind, JobStatus, UnitState
from jobs.lifecycle import job_cancel, job_pause, job_resume
from jobs.models import DetectJob, JobEvent, WorkUnit
from jobs.work.advance import job_advance
from jobs.work.execute import advance, work_once
from jobs.work.units import unit_claim
from tests.workers.conftest import Toys, fresh, toy_job, units, work_until_idle
from tests.workers.toy import Does

pytestmark = pytest.mark.django_db

HERE = "otherhost:1:1"
ONCE = Counter({f"{stage} {chunk}": 1 for stage in ("cut", "nap") for chunk in range(3)} | {"close 0": 1})


@pytest.fixture(autouse=True)
def one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is one, which is rolled back: its connection is not to be renewed on the way."""
    monkeypatch.setattr("jobs.work.execute.close_old_connections", lambda: None)


def work() -> bool:
    """Take one unit, waiting for none."""
    WorkUnit.objects.update(not_before=None)
    return work_once(queue="cpu", owner=HERE)


def planned() -> DetectJob:
    job = toy_job()
    advance(job.id)
    return fresh(job)


def reports(job: DetectJob) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for event in JobEvent.objects.filter(job=job, kind=EventKind.STAGE):
        kinds[event.data["stage"]] += 1
    return kinds


def test_job_from_beginning_to_end(toys: Toys) -> None:
    job = toy_job()
    work_until_idle()
    job = fresh(job)
    assert (job.status, job.progress, job.error_message) == (JobStatus.COMPLETED, 1.0, "")
    assert toys.begun() == ONCE
    assert reports(job) == Counter(cut=1, nap=1, close=1)
    nodes = Checkpoint.objects.filter(job_id=job.id).order_by("stage_index")
    assert [node.stage for node in nodes] == ["cut", "nap", "close"]
    assert (nodes[0].stats["cut"]["cuts"], nodes[1].stats["nap"]["naps"]) == (3, 3)
    assert nodes[2].stats["close"]["letters"] == 1 + 2 + 3
    assert not WorkUnit.objects.filter(job=job).exists()


def test_there_may_be_nothing_to_do(toys: Toys) -> None:
    assert not work()


def test_what_is_stored_is_not_computed_again(toys: Toys) -> None:
    toy_job()
    work_until_idle()
    second = toy_job(steps=2)  # the naps differ, the cuts do not
    work_until_idle()
    assert fresh(second).status == JobStatus.COMPLETED
    begun = toys.begun()
    assert {begun[f"cut {chunk}"] for chunk in range(3)} == {1}
    assert {begun[f"nap {chunk}"] for chunk in range(3)} == {2}
    node = Checkpoint.objects.get(job_id=second.id, stage="cut")
    assert (node.stats["cut"]["reused"], node.stats["cut"]["units"]) == (3, 3)


def test_output_that_another_job_stored_meanwhile_is_taken(toys: Toys) -> None:
    first, second = toy_job(), toy_job(steps=2)
    work_until_idle()
    assert {fresh(job).status for job in (first, second)} == {JobStatus.COMPLETED}
    assert {toys.begun()[f"cut {chunk}"] for chunk in range(3)} == {1}


@pytest.mark.parametrize(
    ("does", "reason"),
    [(Does.FAIL, "nap, chunk 1: ValueError: nap.1 is a bad one"), (Does.REFUSE, "nap, chunk 1: nap.1 will not do")],
)
def test_third_failure_fails_the_job_and_not_the_queue(toys: Toys, does: Does, reason: str) -> None:
    bad, good = planned(), toy_job(4, letter="y")
    advance(good.id)
    toys.tell("nap", 1, does)
    while fresh(bad).status == JobStatus.RUNNING:
        assert work()
    assert toys.begun()["nap 1"] == 3
    toys.let_go("nap", 1)
    while work():
        pass
    assert (fresh(bad).status, fresh(bad).error_message) == (JobStatus.FAILED, reason)
    assert fresh(good).status == JobStatus.COMPLETED
    last = JobEvent.objects.filter(job=bad).latest("number")
    assert (last.data["status"], last.data["error"]) == ("failed", reason)
    told = [event.data for event in JobEvent.objects.filter(job=bad, kind=EventKind.LOG)]
    assert {"level": "error", "line": reason} in told


def test_failure_that_passes_is_forgotten(toys: Toys) -> None:
    job = planned()
    toys.tell("cut", 0, Does.FAIL)
    assert [work(), work()] == [True, True]
    assert units(job)[0].failures == 2
    toys.let_go("cut", 0)
    while work():
        pass
    assert fresh(job).status == JobStatus.COMPLETED


def test_failed_job_that_is_resumed_has_three_attempts_again(toys: Toys) -> None:
    job = planned()
    toys.tell("nap", 1, Does.FAIL)
    while fresh(job).status == JobStatus.RUNNING:
        assert work()
    job_resume(fresh(job))
    advance(job.id)
    assert fresh(job).error_message == ""
    while fresh(job).status == JobStatus.RUNNING:
        assert work()
    assert toys.begun()["nap 1"] == 6
    toys.let_go("nap", 1)
    job_resume(fresh(job))
    work_until_idle()
    assert fresh(job).status == JobStatus.COMPLETED
    assert toys.begun() - Counter({"nap 1": 6}) == ONCE, "what was done before is not done again"


def test_outage_is_waited_for_as_long_as_it_takes(toys: Toys) -> None:
    job = planned()
    toys.tell("cut", 0, Does.OUTAGE)
    for _ in range(20):
        assert work()
    unit = units(job)[0]
    assert (unit.failures, unit.losses) == (0, 0)
    assert fresh(job).status == JobStatus.RUNNING
    toys.let_go("cut", 0)
    while work():
        pass
    assert fresh(job).status == JobStatus.COMPLETED


def test_what_stays_away_for_an_hour_of_attempts_fails_the_job(toys: Toys) -> None:
    job = planned()
    toys.tell("cut", 0, Does.OUTAGE)
    WorkUnit.objects.filter(job=job, chunk=0).update(attempt=400)
    while fresh(job).status == JobStatus.RUNNING:
        assert work()
    assert "the storage is away" in fresh(job).error_message
    assert fresh(job).status == JobStatus.FAILED


def test_asked_to_stop_it_gives_the_unit_back(toys: Toys) -> None:
    job = planned()
    toys.tell("cut", 0, Does.HOLD)
    assert work_once(queue="cpu", owner=HERE, stop=lambda: toys.is_held("cut", 0))
    unit = units(job)[0]
    assert (unit.state, unit.failures, unit.losses, unit.owner) == (UnitState.READY, 0, 0, "")
    toys.let_go("cut", 0)
    while work():
        pass
    assert fresh(job).status == JobStatus.COMPLETED


def during(toys: Toys, stage: str, chunk: int, act: Callable[[], object]) -> Callable[[], bool]:
    """A ``stop`` that never stops, and does something once while a unit is at work."""
    done: list[bool] = []

    def look() -> bool:
        if toys.is_held(stage, chunk) and not done:
            done.append(True)
            act()
        return False

    return look


@pytest.mark.parametrize("stop", [job_pause, job_cancel])
def test_stopped_between_chunks(toys: Toys, stop: Callable[[DetectJob], None]) -> None:
    """What is at work notices within a second or two; nothing else of the job is begun, and it is nobody's fault."""
    job = planned()
    assert work()
    toys.tell("cut", 1, Does.HOLD)
    assert work_once(queue="cpu", owner=HERE, stop=during(toys, "cut", 1, lambda: stop(fresh(job))))
    assert not work()
    unit = units(job)[1]
    assert (unit.state, unit.failures, unit.losses, unit.owner) == (UnitState.READY, 0, 0, "")
    assert toys.begun() == Counter({"cut 0": 1, "cut 1": 1})
    if stop is job_pause:
        toys.let_go("cut", 1)
        job_resume(fresh(job))
        work_until_idle()
        assert fresh(job).status == JobStatus.COMPLETED
        assert toys.begun() - Counter({"cut 1": 1}) == ONCE


def test_result_for_a_unit_that_was_given_to_another_is_thrown_away(toys: Toys) -> None:
    """The work is finished, the lease is another's: neither output nor mark nor anything told is left of it."""
    job = planned()
    toys.tell("cut", 0, Does.HOLD)

    def steal() -> None:
        WorkUnit.objects.filter(job=job, chunk=0).update(state=UnitState.READY)
        assert unit_claim(queue="cpu", owner="otherhost:2:1") is not None
        toys.let_go("cut", 0)

    events = JobEvent.objects.filter(job=job).count()
    assert work_once(queue="cpu", owner=HERE, stop=during(toys, "cut", 0, steal))
    unit = units(job)[0]
    assert (unit.state, unit.owner, unit.attempt) == (UnitState.RUNNING, "otherhost:2:1", 2)
    assert not StageOutput.objects.exists()
    assert JobEvent.objects.filter(job=job).count() == events


def test_job_deleted_at_work_leaves_nothing(toys: Toys) -> None:
    job = planned()
    toys.tell("cut", 0, Does.HOLD)

    def remove() -> None:
        fresh(job).delete()
        toys.let_go("cut", 0)

    assert work_once(queue="cpu", owner=HERE, stop=during(toys, "cut", 0, remove))
    assert not WorkUnit.objects.exists()
    assert not StageOutput.objects.exists()


def test_job_whose_options_are_not_valid_any_more_fails_with_the_reason(toys: Toys) -> None:
    job = toy_job()
    DetectJob.objects.filter(id=job.id).update(config_overrides={"nap": {"gone": 1}})
    advance(job.id)
    assert fresh(job).status == JobStatus.FAILED
    assert "unknown option 'nap.gone'" in fresh(job).error_message


def test_planning_twice_changes_nothing(toys: Toys) -> None:
    job = planned()
    before = list(WorkUnit.objects.filter(job=job).order_by("id").values())
    events = JobEvent.objects.filter(job=job).count()
    for _ in range(3):
        job_advance(job.id)
    assert list(WorkUnit.objects.filter(job=job).order_by("id").values()) == before
    assert JobEvent.objects.filter(job=job).count() == events


def test_planning_what_has_ended_changes_nothing(toys: Toys) -> None:
    job = toy_job()
    work_until_idle()
    events = JobEvent.objects.filter(job=job).count()
    completed = fresh(job).completed_at
    job_advance(job.id)
    assert (JobEvent.objects.filter(job=job).count(), fresh(job).completed_at) == (events, completed)
    assert not WorkUnit.objects.filter(job=job).exists()


def test_output_removed_before_the_join_is_made_again(toys: Toys) -> None:
    job = planned()
    assert work()
    removed = units(job)[0].output_key
    StageOutput.objects.filter(key=removed).delete()
    while work():
        pass
    assert fresh(job).status == JobStatus.COMPLETED
    assert toys.begun() == ONCE + Counter({"cut 0": 1})
    assert StageOutput.objects.filter(key=removed).exists()


def test_job_that_is_not_due_is_not_planned(toys: Toys) -> None:
    job = toy_job()
    DetectJob.objects.filter(id=job.id).update(scheduled_for=timezone.now() + timedelta(hours=1))
    job_advance(job.id)
    assert fresh(job).status == JobStatus.PENDING
    DetectJob.objects.filter(id=job.id).update(scheduled_for=timezone.now())
    job_advance(job.id)
    assert fresh(job).status == JobStatus.RUNNING

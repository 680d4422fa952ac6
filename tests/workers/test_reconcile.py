"""The reconciler: what is lost in the queue, or with a process, is put right without anybody asking."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from django.db import connection
from django.utils import timezone

from jobs.choices import EventKind, JobStatus, UnitState
from jobs.lifecycle import job_resume
from jobs.locks import job_lock
from jobs.models import DetectJob, JobEvent, WorkUnit
from jobs.services import Order
from jobs.states import job_move
from jobs.work import tokens
from jobs.work.advance import job_advance
from jobs.work.execute import work_once
from jobs.work.reconcile import reconcile
from jobs.work.units import unit_claim
from tests.workers.conftest import Toys, fresh, toy_job, units, work_until_idle

pytestmark = pytest.mark.usefixtures("transactional_db", "toys")

HERE = "otherhost:1:1"


def waiting() -> list[str]:
    """What the messages in the queue call."""
    return [str(message.func_name) for message in tokens.get_queue("cpu").jobs]


def flush(queue_url: str) -> None:
    redis.Redis.from_url(queue_url).flushdb()


def test_a_message_for_the_job_then_one_for_each_unit(queue_url: str) -> None:
    job = toy_job()
    assert waiting() == ["jobs.tasks.advance"]
    assert tokens.get_queue("cpu").job_ids == [job.task_id]
    flush(queue_url)
    job_advance(job.id)
    assert waiting() == ["jobs.tasks.work"] * 3


def test_forgotten_queue_is_filled_again(queue_url: str) -> None:
    planned, pending = toy_job(), toy_job(letter="y")
    job_advance(planned.id)
    flush(queue_url)
    reconcile()
    assert len(waiting()) == 3, "no more messages than pieces of work, or little more"
    assert set(waiting()) == {"jobs.tasks.advance", "jobs.tasks.work"}
    assert pending.task_id in tokens.get_queue("cpu").job_ids


def test_nothing_is_added_to_what_is_there(queue_url: str) -> None:
    job_advance(toy_job().id)
    toy_job(letter="y")
    before = tokens.get_queue("cpu").job_ids
    for _ in range(3):
        reconcile()
    assert tokens.get_queue("cpu").job_ids == before


def test_message_taken_by_a_worker_that_was_killed_is_sent_again(queue_url: str) -> None:
    """Taken out of the queue and never begun: its record says for ever that it waits."""
    job = toy_job()
    redis.Redis.from_url(queue_url).delete("rq:queue:cpu")
    reconcile()
    assert tokens.get_queue("cpu").job_ids == [job.task_id]


def test_message_at_work_is_left_alone_while_its_worker_says_so(queue_url: str) -> None:
    job = toy_job()
    message = tokens.get_queue("cpu").fetch_job(job.task_id)
    assert message is not None
    redis.Redis.from_url(queue_url).delete("rq:queue:cpu")
    with message.connection.pipeline() as pipeline:
        message.heartbeat(timezone.now(), 15, pipeline=pipeline)
        message.prepare_for_execution("a worker", pipeline=pipeline)
        pipeline.execute()
    reconcile()
    assert waiting() == []
    message.heartbeat(timezone.now() - timedelta(seconds=9), 15)
    reconcile()
    assert tokens.get_queue("cpu").job_ids == [job.task_id]


def test_doubled_messages_do_no_harm(queue_url: str, toys: Toys) -> None:
    job = toy_job()
    for _ in range(3):
        tokens.announce_start(job.id, str(uuid4()))
    tokens.announce(["cpu"] * 20)
    for _ in range(50):
        if fresh(job).status == JobStatus.COMPLETED:
            break
        job_advance(job.id)
        job_advance(job.id)
        work_once(queue="cpu", owner=HERE)
    assert fresh(job).status == JobStatus.COMPLETED
    assert set(toys.begun().values()) == {1}
    stages = [event.data["stage"] for event in JobEvent.objects.filter(job=job, kind=EventKind.STAGE)]
    assert sorted(stages) == ["close", "cut", "nap"]


def test_planning_is_done_by_one_at_a_time(queue_url: str) -> None:
    job = toy_job(30)
    errors: list[Exception] = []

    def plan() -> None:
        with closing(connection):
            try:
                job_advance(job.id)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is one too many
                errors.append(error)

    threads = [threading.Thread(target=plan) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [unit.chunk for unit in units(job)] == list(range(30))
    assert len(waiting()) == tokens.MOST_TOKENS, "enough are enough"
    told = JobEvent.objects.filter(job=job, kind=EventKind.UPDATE, data__status="running")
    assert told.count() == 2, "that it runs, and that its first stage has begun"


def test_job_left_between_two_stages_goes_on(queue_url: str) -> None:
    """The worker that finished the last unit died before it planned the next stage."""
    job = toy_job()
    job_advance(job.id)
    for unit in units(job):
        lease = unit_claim(queue="cpu", owner=HERE)
        assert lease is not None
        assert lease.unit_id == unit.id
        WorkUnit.objects.filter(id=unit.id).update(state=UnitState.DONE)
    flush(queue_url)
    reconcile()
    assert tokens.get_queue("cpu").job_ids == [job.task_id]


def test_unit_of_a_vanished_worker_is_announced_again(queue_url: str) -> None:
    job = toy_job(1)
    job_advance(job.id)
    assert unit_claim(queue="cpu", owner=HERE) is not None
    flush(queue_url)
    reconcile()
    assert waiting() == [], "its lease is still good"
    WorkUnit.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    reconcile()
    assert waiting() == ["jobs.tasks.work"]
    assert units(job)[0].state == UnitState.READY


def test_scheduled_job_starts_when_it_is_due(queue_url: str) -> None:
    job = toy_job(order=Order(queued=True, scheduled_for=timezone.now() + timedelta(hours=1)))
    reconcile()
    assert waiting() == []
    DetectJob.objects.filter(id=job.id).update(scheduled_for=timezone.now() - timedelta(seconds=1))
    reconcile()
    assert tokens.get_queue("cpu").job_ids == [job.task_id]


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.FAILED])
def test_jobs_that_were_stopped_are_left_alone(queue_url: str, status: JobStatus) -> None:
    job = toy_job()
    job_advance(job.id)
    job_move(fresh(job), status)
    flush(queue_url)
    reconcile()
    assert waiting() == []


def test_job_of_a_foreground_process_that_is_gone_is_paused(queue_url: str) -> None:
    job = toy_job(order=Order())
    job_move(job, JobStatus.RUNNING)
    reconcile()
    assert fresh(job).status == JobStatus.PAUSED
    job_resume(fresh(job))
    assert waiting() == ["jobs.tasks.advance"]
    work_until_idle()
    assert fresh(job).status == JobStatus.COMPLETED


def test_job_of_a_living_foreground_process_is_left_alone(queue_url: str) -> None:
    job = toy_job(order=Order())
    job_move(job, JobStatus.RUNNING)
    held, let_go = threading.Event(), threading.Event()

    def drive() -> None:
        with closing(connection), job_lock(job.id):
            held.set()
            let_go.wait(30)

    thread = threading.Thread(target=drive)
    thread.start()
    try:
        assert held.wait(30)
        reconcile()
        assert fresh(job).status == JobStatus.RUNNING
        DetectJob.objects.filter(id=job.id).update(task_id="x")
        job_advance(job.id)
        assert units(job) == [], "workers keep off it"
    finally:
        let_go.set()
        thread.join()


def test_queue_that_is_away_is_nobodys_end(queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(name: str) -> None:
        raise redis.ConnectionError("the queue is away")

    monkeypatch.setattr(tokens, "get_queue", away)
    job = toy_job()
    job_advance(job.id)
    reconcile()
    monkeypatch.undo()
    assert fresh(job).status == JobStatus.RUNNING

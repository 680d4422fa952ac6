"""Events are numbered without gaps, in the order in which they can be seen, whoever writes them at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs.choices import EventKind, JobStatus
from jobs.events import event_append, events_after, events_prune, log_append
from jobs.models import DetectJob, JobEvent
from tests.events.made import complete, running_job, update

WRITERS = 6
EACH = 20


def _at_once(*work: Callable[[], None]) -> None:
    """Run each in a thread with its own connection; raises what one of them raised."""
    failures: list[BaseException] = []

    def run(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_no_gap_that_a_reader_could_fall_into() -> None:
    job = running_job()
    writing = threading.Event()
    writing.set()

    def write(name: int) -> None:
        for number in range(EACH):
            with transaction.atomic():
                event_append(job_id=job.id, kind=EventKind.LOG, data={"writer": name, "number": number})
                if number % 5 == 4:  # taken back, and written anew: no number is lost with it
                    transaction.set_rollback(True)
            if number % 5 == 4:
                log_append(job_id=job.id, line=f"{name} {number}")

    def read() -> None:
        seen: list[int] = []
        while writing.is_set() or len(seen) < WRITERS * EACH:
            seen += [event.number for event in events_after(job_id=job.id, number=len(seen))]
            assert seen == list(range(1, len(seen) + 1))

    reader = threading.Thread(target=lambda: failures.extend(_failure(read)))
    failures: list[BaseException] = []
    reader.start()
    try:
        _at_once(*(lambda name=name: write(name) for name in range(WRITERS)))
    finally:
        writing.clear()
    reader.join()
    assert failures == []
    events = events_after(job_id=job.id, number=0)
    assert [event.number for event in events] == list(range(1, WRITERS * EACH + 1))
    for name in range(WRITERS):
        own = [event.data["number"] for event in events if event.data.get("writer") == name]
        assert own == [number for number in range(EACH) if number % 5 != 4]


def _failure(work: Callable[[], None]) -> list[BaseException]:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - looked at by the test
        return [error]
    finally:
        connection.close()
    return []


@pytest.mark.django_db
def test_numbers_are_returned_and_each_job_has_its_own() -> None:
    first, second = running_job(), running_job()
    assert [update(first), log_append(job_id=first.id, line="x"), update(second), update(first)] == [1, 2, 1, 3]
    assert [event.kind for event in events_after(job_id=first.id, number=1)] == ["job.log", "job.update"]
    assert [event.number for event in events_after(job_id=first.id, number=0, limit=2)] == [1, 2]


@pytest.mark.django_db
def test_deleted_job_gets_no_event() -> None:
    assert log_append(job_id=uuid.uuid4(), line="too late") is None
    assert not JobEvent.objects.exists()


@pytest.mark.django_db
def test_whatever_a_program_says_can_be_stored() -> None:
    job = running_job()
    log_append(job_id=job.id, line='a\0b \ud800 ü 𝄞 \\u0000 "quoted"\nnext')
    log_append(job_id=job.id, line="x" * 100_000)
    first, second = (event.data["line"] for event in events_after(job_id=job.id, number=0))
    assert first == 'a\ufffdb ? ü 𝄞 \\u0000 "quoted"\nnext'
    assert len(second) == 4000
    with pytest.raises(ValueError, match="JSON"):
        update(job, progress=float("nan"))
    assert log_append(job_id=job.id, line="and what cannot takes no number") == 3


@pytest.mark.django_db(transaction=True)
def test_listeners_are_nudged_after_the_commit_and_not_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    job = running_job()
    nudged: list[tuple[str, bool]] = []

    def nudge(group: str, **message: str) -> None:
        nudged.append((message["job_id"], connection.in_atomic_block))

    monkeypatch.setattr("jobs.events.nudge", nudge)
    with transaction.atomic():
        log_append(job_id=job.id, line="x")
        assert nudged == []
    with transaction.atomic():
        log_append(job_id=job.id, line="x")
        transaction.set_rollback(True)
    log_append(job_id=job.id, line="x")
    assert nudged == [(str(job.id), False)] * 2


@pytest.mark.django_db
def test_pruning_keeps_the_last_update_of_jobs_that_ended_long_ago() -> None:
    long_ago = timezone.now() - timedelta(days=40)
    jobs = {name: running_job() for name in ("old", "recent", "running", "without updates")}
    for name, job in jobs.items():
        for number in range(3):
            log_append(job_id=job.id, line=f"{number}")
            if name != "without updates":
                update(job, progress=number / 3)
    for name in ("old", "recent"):
        complete(jobs[name])
        log_append(job_id=jobs[name].id, line="a last word")
    DetectJob.objects.filter(id=jobs["without updates"].id).update(status=JobStatus.FAILED, completed_at=long_ago)
    DetectJob.objects.filter(id=jobs["old"].id).update(completed_at=long_ago)

    assert events_prune(older_than=timezone.now() - timedelta(days=30)) == 7 + 3
    kept = {name: [event.number for event in events_after(job_id=job.id, number=0)] for name, job in jobs.items()}
    assert kept == {"old": [7], "recent": [*range(1, 9)], "running": [*range(1, 7)], "without updates": []}
    assert events_after(job_id=jobs["old"].id, number=0)[0].data["status"] == "completed"
    assert events_prune(older_than=timezone.now() - timedelta(days=30)) == 0
    assert log_append(job_id=jobs["old"].id, line="numbers go on") == 9

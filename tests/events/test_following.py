"""Following in one process: what is told, when it ends, and what the database may do meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from django.db import connection

from jobs.choices import EventKind, JobStatus
from jobs.events import log_append
from jobs.live import watching
from jobs.live.following import Told, follow, follow_all, follow_stored
from jobs.models import DetectJob, JobEvent
from tests.events.made import complete, in_thread, running_job, update

pytestmark = [pytest.mark.usefixtures("live_channel")]


async def _next(told: AsyncGenerator[Told, None], count: int) -> list[Told]:
    return [await anext(told) for _ in range(count)]


def _write(job: DetectJob, count: int) -> None:
    for number in range(count):
        log_append(job_id=job.id, line=f"{number}")


def _write_many(job: DetectJob, count: int) -> None:
    JobEvent.objects.bulk_create(
        JobEvent(job=job, number=number, kind=EventKind.LOG, data={}) for number in range(1, count + 1)
    )
    DetectJob.objects.filter(id=job.id).update(last_event=count)


async def test_what_is_there_then_what_comes_then_the_end() -> None:
    job = await in_thread(running_job)
    await in_thread(_write, job, 3)
    async with aclosing(follow(job.id, after=1)) as told, asyncio.timeout(10):
        assert [item.number for item in await _next(told, 2)] == [2, 3]
        waiting = asyncio.ensure_future(anext(told))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await in_thread(_write, job, 1)
        assert (await waiting).data == {"level": "info", "line": "0"}
        await in_thread(complete, job)
        update_, end = await _next(told, 2)
        assert (update_.number, update_.data["status"]) == (5, "completed")
        assert (end.number, end.kind, end.data) == (None, "job.end", {"status": "completed", "last": 5})
        with pytest.raises(StopAsyncIteration):
            await anext(told)
    assert watching._watches == {}


async def test_more_events_than_are_read_at_once() -> None:
    job = await in_thread(running_job)
    await in_thread(_write_many, job, 1203)
    async with aclosing(follow(job.id, after=2)) as told, asyncio.timeout(10):
        assert [item.number for item in await _next(told, 1201)] == list(range(3, 1204))
    stored = await in_thread(lambda: [item.number for item in follow_stored(job.id, after=0)])
    assert stored == list(range(1, 1204))


async def test_nudged_reader_need_not_wait_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_LOOK_EVERY", 3600)
    job = await in_thread(running_job)
    async with aclosing(follow(job.id)) as told, asyncio.timeout(10):
        waiting = asyncio.ensure_future(anext(told))
        while not await _somebody_listens():
            await asyncio.sleep(0.02)
        await in_thread(_write, job, 1)
        assert (await waiting).number == 1


async def _somebody_listens() -> bool:
    from channels.layers import get_channel_layer

    layer = get_channel_layer()
    return bool(await layer.connection(0).zcard("tests:group:jobs"))


async def test_without_a_channel_layer_news_come_with_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "get_channel_layer", lambda: None)
    job = await in_thread(running_job)
    async with aclosing(follow(job.id)) as told, asyncio.timeout(10):
        waiting = asyncio.ensure_future(anext(told))
        await asyncio.sleep(0.1)
        await in_thread(_write, job, 1)
        assert (await waiting).number == 1


async def test_database_that_ends_its_sessions_is_asked_again() -> None:
    job = await in_thread(running_job)
    async with aclosing(follow(job.id)) as told, asyncio.timeout(10):
        for number in range(1, 4):
            waiting = asyncio.ensure_future(anext(told))
            await asyncio.sleep(0.05)
            await in_thread(_end_sessions)
            await in_thread(_write, job, 1)
            assert (await waiting).number == number


def _end_sessions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'"
            " AND query LIKE '%%jobs_%%' AND query NOT LIKE '%%INSERT%%'"
        )


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_job_that_is_deleted(when: str) -> None:
    job = await in_thread(running_job)
    await in_thread(_write, job, 1)
    async with aclosing(follow(job.id)) as told, asyncio.timeout(10):
        if when == "meanwhile":
            await anext(told)
        await in_thread(DetectJob.objects.filter(id=job.id).delete)
        end = await anext(told)
    assert (end.kind, end.data["status"]) == ("job.end", "deleted")


async def test_failed_job_that_is_taken_up_again_goes_on() -> None:
    job = await in_thread(running_job)
    await in_thread(DetectJob.objects.filter(id=job.id).update, status=JobStatus.FAILED)
    async with aclosing(follow(job.id)) as told:
        assert (await anext(told)).data == {"status": "failed", "last": 0}
    await in_thread(DetectJob.objects.filter(id=job.id).update, status=JobStatus.RUNNING)
    await in_thread(_write, job, 1)
    async with aclosing(follow(job.id)) as told, asyncio.timeout(10):
        assert (await anext(told)).number == 1


async def test_many_readers_are_told_the_same_and_none_holds_up_another() -> None:
    job = await in_thread(running_job)

    async def read() -> list[int | None]:
        async with aclosing(follow(job.id)) as told:
            return [item.number async for item in told]

    readers = [asyncio.create_task(read()) for _ in range(30)]
    await in_thread(_write, job, 20)
    readers[0].cancel()
    await in_thread(complete, job)
    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(*readers[1:])
    assert all(seen == [*range(1, 22), None] for seen in outcomes)
    assert watching._watches == {}


async def test_all_jobs_their_latest_state_only() -> None:
    running, ended, other = [await in_thread(running_job) for _ in range(3)]
    for progress in (0.1, 0.2):
        await in_thread(update, running, progress=progress)
    await in_thread(complete, ended)
    async with aclosing(follow_all()) as told, asyncio.timeout(20):
        first = {item.job_id: item for item in await _next(told, 2)}
        assert (first[running.id].number, first[running.id].data["progress"]) == (2, 0.2)
        assert first[ended.id].data["status"] == "completed"
        for progress in (0.3, 0.4, 0.5):
            await in_thread(update, running, progress=progress)
        await in_thread(_write, other, 3)
        await in_thread(update, other, progress=0.9)
        last: dict[object, Told] = {}
        while {job_id: item.number for job_id, item in last.items()} != {running.id: 5, other.id: 4}:
            item = await anext(told)
            assert item.kind == "job.update"
            assert item.number is not None
            assert item.number > (last[item.job_id].number or 0 if item.job_id in last else 0), "never backwards"
            last[item.job_id] = item
        assert last[other.id].data["progress"] == 0.9


async def test_nudges_are_heard_after_a_quiet_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the layer waits at a time, and a Redis client by its defaults for an answer."""
    monkeypatch.setattr(watching, "_LOOK_EVERY", 3600)
    job = await in_thread(running_job)
    async with aclosing(follow(job.id)) as told, asyncio.timeout(20):
        waiting = asyncio.ensure_future(anext(told))
        await asyncio.sleep(5.5)
        await in_thread(_write, job, 1)
        assert (await waiting).number == 1

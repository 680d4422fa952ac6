"""Events over websockets: what is sent, what a client may say, and who is let in."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from pytest_django import Settings

from jobs.api_keys import ApiKey
from jobs.events import log_append
from jobs.live import consumers, watching
from jobs.models import DetectJob
from mediaproc.asgi import application
from mediaproc.roles import Role
from tests.events.made import complete, in_thread, running_job, update
from tests.events.socket import Headers, Socket

pytestmark = pytest.mark.usefixtures("live_channel")


@pytest.fixture
async def key(live_channel: None) -> Headers:
    _, made = await in_thread(ApiKey.objects.create_key, name="reader")
    return [(b"x-api-key", made.encode())]


@pytest.fixture
async def job(live_channel: None) -> DetectJob:
    def make() -> DetectJob:
        made = running_job()
        for number in range(1, 4):
            log_append(job_id=made.id, line=f"{number}")
        return made

    return await in_thread(make)


@asynccontextmanager
async def connection(path: str, headers: Headers) -> AsyncIterator[Socket]:
    socket = Socket(application, path, headers)
    assert await socket.connect()
    try:
        yield socket
    finally:
        await socket.leave()


async def test_events_from_a_number_on_and_the_end(job: DetectJob, key: Headers) -> None:
    async with connection(f"/ws/jobs/{job.id}?after=1", key) as socket:
        second, third = await socket.hear(2)
        assert second == {"number": 2, "kind": "job.log", "data": {"level": "info", "line": "2"}}
        assert third["number"] == 3
        await in_thread(complete, job)
        last, end = await socket.hear(2)
        assert (last["number"], last["data"]["status"]) == (4, "completed")
        assert end == {"number": None, "kind": "job.end", "data": {"status": "completed", "last": 4}}
        assert await socket.code() == 1000


async def test_client_may_start_anew_from_another_number(job: DetectJob, key: Headers) -> None:
    async with connection(f"/ws/jobs/{job.id}?after=3", key) as socket:
        assert await socket.silent(0.2)
        await socket.say('{"after": 1}')
        assert [event["number"] for event in await socket.hear(2)] == [2, 3]
        await in_thread(log_append, job_id=job.id, line="4")
        assert [event["number"] for event in await socket.hear(1)] == [4]


@pytest.mark.parametrize(
    "said",
    [
        "after",
        "[1]",
        '{"after": -1}',
        '{"after": true}',
        '{"after": 1.0}',
        '{"before": 1}',
        "[" * 900,
        "1" * 2000,
        b"\0",
    ],
)
async def test_message_that_cannot_be_understood(job: DetectJob, key: Headers, said: str | bytes) -> None:
    async with connection(f"/ws/jobs/{job.id}?after=3", key) as socket:
        await socket.say(said)
        assert await socket.code() == 4400


@pytest.mark.parametrize("after", ["x", "-1", "99999999999", "%ff"])
async def test_number_that_cannot_be_one(job: DetectJob, key: Headers, after: str) -> None:
    async with connection(f"/ws/jobs/{job.id}?after={after}", key) as socket:
        assert await socket.code() == 4400


async def test_job_that_is_not_there(key: Headers) -> None:
    async with connection(f"/ws/jobs/{uuid.uuid4()}", key) as socket:
        assert (await socket.hear(1))[0]["data"]["status"] == "deleted"
        assert await socket.code() == 4404


async def test_all_jobs(job: DetectJob, key: Headers) -> None:
    await in_thread(update, job, progress=0.1)
    async with connection("/ws/jobs", key) as socket:
        first = (await socket.hear(1))[0]
        assert (first["job_id"], first["number"], first["kind"]) == (str(job.id), 4, "job.update")
        await in_thread(log_append, job_id=job.id, line="not for lists")
        await in_thread(update, job, progress=0.2)
        second = (await socket.hear(1))[0]
        assert (second["number"], second["data"]["progress"]) == (6, 0.2)


@pytest.mark.parametrize("path", ["/ws/jobs", "/ws/jobs/{job}"])
@pytest.mark.parametrize("headers", [[], [(b"x-api-key", b"unknown.key")], [(b"authorization", b"Bearer nonsense")]])
async def test_strangers_are_refused(job: DetectJob, path: str, headers: Headers) -> None:
    async with connection(path.format(job=job.id), headers) as socket:
        assert await socket.code() == 4401


async def test_person_with_a_session_is_let_in(job: DetectJob) -> None:
    def log_in() -> bytes:
        client = Client()
        client.force_login(User.objects.create_user("ana"))
        return f"sessionid={client.cookies['sessionid'].value}".encode()

    cookie = await in_thread(log_in)
    async with connection(f"/ws/jobs/{job.id}", [(b"cookie", cookie)]) as socket:
        assert (await socket.hear(1))[0]["number"] == 1


async def test_role_that_may_not(job: DetectJob, key: Headers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaproc.access.RULES", {"ws-job": {"GET": Role.OPERATOR}})
    async with connection(f"/ws/jobs/{job.id}", key) as socket:
        assert await socket.code() == 4403


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("https://localhost:8000", "localhost:8000", True),  # a proxy speaks HTTPS before us
        ("http://localhost:3000", "localhost:8000", False),
        ("http://evil.example", "localhost:8000", False),
        ("http://evil.example", "evil.example", False),  # a name that somebody points at us
        ("null", "localhost:8000", False),
        ("file://", "localhost:8000", False),
        ("https://app.example.com", "localhost:8000", True),
        ("http://app.example.com", "localhost:8000", False),
        ("https://a.b.trusted.example", "localhost:8000", True),
        ("https://untrusted.example", "localhost:8000", False),
        ("http://[", "localhost:8000", False),
    ],
)
async def test_pages_of_other_sites_are_refused(
    key: Headers, settings: Settings, origin: str, host: str, allowed: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example.com", "https://*.trusted.example"]
    settings.ALLOWED_HOSTS = ["localhost"]
    headers = [*key, (b"origin", origin.encode()), (b"host", host.encode())]
    socket = Socket(application, "/ws/jobs", headers)
    assert await socket.connect() is allowed
    await socket.leave()


async def test_address_that_is_not_there(key: Headers) -> None:
    assert not await Socket(application, "/ws/nothing", key).connect()


async def test_connection_ends_after_a_while_so_that_rights_are_shown_again(
    job: DetectJob, key: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "LONGEST_CONNECTION", 0.2)
    async with connection(f"/ws/jobs/{job.id}?after=3", key) as socket:
        assert await socket.code() == 1012


@pytest.mark.parametrize("ends", [True, False])
async def test_nothing_is_left_behind(job: DetectJob, key: Headers, ends: bool) -> None:
    if ends:  # and its reader leaves while all is being put away
        await in_thread(complete, job)
    for _ in range(5):
        async with connection(f"/ws/jobs/{job.id}", key) as socket:
            await socket.hear(5 if ends else 1)
    assert watching._watches == {}
    async with asyncio.timeout(10):
        while await in_thread(_reading_sessions):
            await asyncio.sleep(0.02)
    assert [task for task in asyncio.all_tasks() if "Watch" in repr(task)] == []


def _reading_sessions() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE state = 'idle'")
        return sum(query.startswith(('SELECT "jobs_jobevent"', 'SELECT "jobs_detectjob"')) for (query,) in cursor)

"""Readers that are cut off again and again, over servers that are killed, are told each event once and in order."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

import httpx
import psutil
import pytest

from tests.events.clients import LOST, Client, Message, over_sse, over_websocket, read_to_end
from tests.events.site import Site, running_site
from tests.platform.processes import eventually, state

CUTS = 20
RESTARTS = 2
WRITERS = 2
SEED = 20
_PATIENCE = 120

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as made:
        made.new_job()
        made.start()
        yield made


@dataclass
class Reader:
    """What one client was told over all its connections."""

    site: Site
    job: str
    client: Client
    seen: list[Message] = field(default_factory=list)
    cut_in_the_middle: int = 0

    async def read(self, seconds: float, *, once_told: bool = False) -> bool:
        """Connect, read on from the number last seen and be cut off after so long; whether the job's end was told.

        With ``once_told`` the time runs from the first message on, however long the connection takes.
        """
        before = len(self.seen)
        try:
            async with (
                asyncio.timeout(_PATIENCE if once_told else seconds) as cut,
                aclosing(self.client(self.site, self.job, before)) as told,
            ):
                async for message in told:
                    if once_told and len(self.seen) == before:
                        cut.reschedule(asyncio.get_running_loop().time() + seconds)
                    self.seen.append(message)
                    if message["number"] is None:
                        return True
        except (TimeoutError, *LOST):
            self.cut_in_the_middle += len(self.seen) > before
        return False

    async def read_to_end(self) -> None:
        while not await self.read(30):
            pass


async def test_readers_cut_off_twenty_times(site: Site) -> None:
    chance = random.Random(SEED)
    restarts = set(chance.sample(range(CUTS), RESTARTS))
    job = await asyncio.to_thread(site.new_job)
    enough = site.installation.folder / "enough"
    writers = [site.writer("until", enough, job, number, 300) for number in range(WRITERS)]
    readers = [Reader(site, job, client) for client in (over_sse, over_websocket)]
    await asyncio.to_thread(eventually, lambda: _events(site, job))

    for cut in range(CUTS):
        if cut in restarts:
            reading = [asyncio.create_task(reader.read(30)) for reader in readers]
            await asyncio.sleep(chance.uniform(0.2, 0.6))
            await asyncio.to_thread(site.kill)
            outcomes = await asyncio.gather(*reading)
            await asyncio.to_thread(site.start)
        else:
            moments = [chance.uniform(0.05, 0.5) for _ in readers]
            told_first = cut % 4 != 0  # every fourth cut may come while the connection is made
            outcomes = await asyncio.gather(
                *(reader.read(moment, once_told=told_first) for reader, moment in zip(readers, moments, strict=True))
            )
        assert outcomes == [False, False]
        assert all(writer.poll() is None for writer in writers), "cuts are made while events are written"
    enough.touch()
    counts = [int((await asyncio.to_thread(writer.communicate))[0]) for writer in writers]
    ends = [asyncio.create_task(reader.read_to_end()) for reader in readers]
    await asyncio.to_thread(site.write, "end", job)
    async with asyncio.timeout(_PATIENCE):
        await asyncio.gather(*ends)

    last = sum(counts) + 1
    for reader in readers:
        *events, end = reader.seen
        assert end == {"number": None, "kind": "job.end", "data": {"status": "completed", "last": last}}
        assert [event["number"] for event in events] == list(range(1, last + 1))
        assert events[-1]["data"]["status"] == "completed"
        for number, count in enumerate(counts):
            lines = [event["data"].get("line", "") for event in events]
            assert [line for line in lines if line.endswith(f" of {number}")] == [
                f"line {at} of {number}" for at in range(count)
            ]
        assert reader.seen == await read_to_end(reader.client(site, job, 0))
        assert reader.cut_in_the_middle >= CUTS // 2, "most cuts are to come after something was told"


async def test_open_streams_outlive_postgres_and_valkey(site: Site) -> None:
    job = await asyncio.to_thread(site.new_job)
    readers = [asyncio.create_task(read_to_end(client(site, job, 0))) for client in (over_sse, over_websocket)]
    for number, server in enumerate(["postgres", "valkey", "postgres"]):
        await asyncio.to_thread(site.write, "write", job, number, 5)
        killed = site.kill_server(server)
        await asyncio.to_thread(eventually, _back(site, server, killed))
    await asyncio.to_thread(site.write, "write", job, 3, 5)
    await asyncio.to_thread(site.write, "end", job)
    async with asyncio.timeout(30):
        over_both = await asyncio.gather(*readers)
    for seen in over_both:  # over one connection each: where it is lost, read_to_end raises
        assert [event["number"] for event in seen] == [*range(1, 22), None]
    assert over_both[0] == over_both[1]


async def test_news_come_while_valkey_answers_nothing(site: Site) -> None:
    job = await asyncio.to_thread(site.new_job)
    async with aclosing(over_sse(site, job, 0)) as told:
        first = asyncio.ensure_future(anext(told))
        await asyncio.to_thread(site.write, "write", job, 0, 1)
        assert (await first)["number"] == 1
        frozen = state(site.installation.data)["servers"]["valkey"]["pid"]
        os.kill(frozen, signal.SIGSTOP)
        try:
            second = asyncio.ensure_future(anext(told))
            await asyncio.to_thread(site.write, "write", job, 1, 1)  # whoever writes does not wait for it either
            async with asyncio.timeout(20):
                assert (await second)["number"] == 2
        finally:
            os.kill(frozen, signal.SIGCONT)


async def test_waiting_streams_hold_neither_connection_nor_thread(site: Site) -> None:
    job = await asyncio.to_thread(site.new_job)
    async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=None)) as http:
        await http.get(site.address("/api/health"))

        async def open_streams(count: int) -> None:
            for _ in range(count):
                request = http.build_request("GET", site.address(f"/detect/jobs/{job}/events"), headers=site.headers)
                answer = await http.send(request, stream=True)
                assert await anext(answer.aiter_text()) == "retry: 1000\n\n"

        await open_streams(5)
        connections, threads = await asyncio.to_thread(_held, site)
        await open_streams(40)

        def no_more_held() -> bool:
            now = _held(site)
            return now[0] <= connections and now[1] <= threads

        await asyncio.to_thread(eventually, no_more_held)


async def test_stopped_server_does_not_wait_for_streams(site: Site) -> None:
    job = await asyncio.to_thread(site.new_job)
    reading = asyncio.create_task(read_to_end(over_sse(site, job, 0)))
    await asyncio.to_thread(site.write, "write", job, 0, 1)
    assert site.web is not None
    site.web.send_signal(signal.SIGTERM)
    with pytest.raises(EOFError):  # told that there is no more, not broken off
        await reading
    async with asyncio.timeout(8):  # it would wait for 10 s
        await asyncio.to_thread(site.web.wait)
    await asyncio.to_thread(site.start)


def _events(site: Site, job: str) -> int:
    found: int = site.installation.rows(f"SELECT count(*) AS n FROM jobs_jobevent WHERE job_id = '{job}'")[0]["n"]
    return found


def _back(site: Site, server: str, killed: int) -> Callable[[], bool]:
    return lambda: state(site.installation.data)["servers"].get(server, {}).get("pid") not in (None, killed)


def _held(site: Site) -> tuple[int, int]:
    """Connections to the database, and threads of the web server."""
    assert site.web is not None
    connections = site.installation.rows(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return connections[0]["n"], psutil.Process(site.web.pid).num_threads()

"""Event streams of batches over a real server: from any number on, each event once, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any

import httpx
import psutil
import pytest

from jobs.annotation.events import batch_log
from jobs.api import annotation_events
from mediaproc.datafolder import PROJECT_ROOT
from tests.annotation.conftest import Batches
from tests.annotation.streams import numbers_of, read_stream
from tests.events.conftest import live_channel
from tests.events.made import in_thread
from tests.media.clips import write_clip
from tests.pitstop.conftest import PitstopSite, running_site
from tests.platform.processes import connect, eventually

__all__ = ["live_channel"]

STREAM = "/api/v0/events/stream"
WRITERS = 3
EACH = 40


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PitstopSite]:
    """A server without workers: batches stay queued, and tell what tests write."""
    folder = tmp_path_factory.mktemp("roots")
    write_clip(folder / "a.mp4", 25)
    given = {"STORAGE_BACKEND": "local", "MEDIAPROC_DURABLE": "false", "MEDIAPROC_ROOTS": str(folder)}
    pipelines = {
        "MEDIAPROC_PIPELINES": str(PROJECT_ROOT / "tests/annotation/pipelines"),
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    with running_site(**given, **pipelines) as made:
        with made.client() as http:
            dataset = http.post("/api/v0/datasets", json={"name": "clips", "base_path": str(folder)}).json()["id"]
        made.environment["TEST_DATASET"] = dataset
        yield made


@pytest.fixture(scope="module")
def http(site: PitstopSite) -> Iterator[httpx.Client]:
    with site.client() as client:
        yield client


@pytest.fixture(scope="module")
def writers(site: PitstopSite) -> Iterator[list[subprocess.Popen[str]]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.annotation.appending"],
            cwd=PROJECT_ROOT,
            env=site.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(WRITERS)
    ]
    for one in started:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    yield started
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
def batch(site: PitstopSite, http: httpx.Client) -> str:
    return submit(site, http)


def submit(site: PitstopSite, http: httpx.Client) -> str:
    body = {"dataset_id": site.environment["TEST_DATASET"], "videos": [{"path": "a.mp4"}], "overrides": {"note": {}}}
    answer = http.post("/api/v0/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def tell(writer: subprocess.Popen[str], batch: str, count: int, name: str = "line") -> None:
    """Have a process append; :func:`told` waits for it."""
    assert writer.stdin is not None
    writer.stdin.write(f"{batch} {count} {name}\n")
    writer.stdin.flush()


def told(writer: subprocess.Popen[str]) -> None:
    assert writer.stdout is not None
    assert writer.stdout.readline() == "done\n"


def end(http: httpx.Client, batch: str) -> None:
    assert http.post(f"/api/v0/jobs/{batch}/cancel").status_code == 200


def test_a_batch_is_told_from_its_first_event_to_its_last(
    http: httpx.Client, batch: str, writers: list[subprocess.Popen[str]]
) -> None:
    heard: list[list[dict[str, Any]]] = [[], []]
    readers = [
        threading.Thread(target=lambda place=place: place.extend(read_stream(http, job=batch))) for place in heard
    ]
    for reader in readers:
        reader.start()
    for number, writer in enumerate(writers):
        tell(writer, batch, EACH, f"w{number}")
    for writer in writers:
        told(writer)
    end(http, batch)
    for reader in readers:
        reader.join(60)
    assert heard[0] == heard[1] == read_stream(http, job=batch)
    last = numbers_of(heard[0])
    assert last == WRITERS * EACH + 2  # and the end: a line, and the state
    assert (heard[0][-1]["event"], heard[0][-1]["data"]["state"]) == ("job.update", "canceled")
    for after in (1, last // 2, last - 1):
        assert [event["id"] for event in read_stream(http, job=batch, after=after)] == list(range(after + 1, last + 1))
    for after in (last, last + 1, 2**63 - 1):
        answer = http.get(STREAM, params={"job": batch}, headers={"Last-Event-ID": str(after)})
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("number", ["x", "-1", "1.5", str(2**63), "1e3", "9" * 5000])
def test_a_number_that_cannot_be_one_is_refused(http: httpx.Client, batch: str, number: str) -> None:
    answer = http.get(STREAM, params={"job": batch}, headers={"Last-Event-ID": number})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert http.get(STREAM, params={"job": batch, "after": number}).status_code == 400


def test_a_batch_that_is_not_there(http: httpx.Client) -> None:
    assert http.get(STREAM, params={"job": str(uuid.uuid4())}).status_code == 404
    assert http.get(STREAM, params={"job": "x\0"}).status_code == 400
    assert httpx.get(str(http.base_url) + STREAM).status_code == 401


def test_of_all_batches_each_event_is_told_once_to_who_is_cut_off_again_and_again(
    site: PitstopSite, http: httpx.Client, writers: list[subprocess.Popen[str]]
) -> None:
    batches = [submit(site, http), submit(site, http)]
    wanted = 2 * WRITERS * EACH
    seen: list[dict[str, Any]] = []

    def ours() -> list[dict[str, Any]]:
        return [event for event in seen if event["data"]["id"] in batches]

    tell(writers[0], batches[0], 1, "first")
    told(writers[0])
    with http.stream("GET", STREAM) as answer:  # what was before is not told
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        tell(writers[0], batches[0], 1, "second")
        assert next(line for line in lines if line.startswith("data: ")).endswith('second 0"}')
    told(writers[0])
    newest = read_stream(http, job=batches[0], until=lambda more: len(more) == 2)
    assert [event["id"] for event in newest] == [1, 2]
    with connect(site.data) as connection:
        row = connection.execute("SELECT max(id) FROM jobs_annotationevent").fetchone()
    assert row is not None
    seen.append({"id": row[0], "event": "start", "data": {"id": ""}})

    def read_on() -> None:
        while len(ours()) < wanted:
            enough = partial(_so_many, min(7, wanted - len(ours())))
            seen.extend(read_stream(http, after=seen[-1]["id"], until=enough))

    reader = threading.Thread(target=read_on, daemon=True)
    reader.start()
    for number, writer in enumerate(writers):
        for batch in batches:
            tell(writer, batch, EACH, f"w{number}")
    for writer in writers:
        told(writer)
        told(writer)
    reader.join(60)
    assert not reader.is_alive(), len(ours())
    assert [event["id"] for event in seen] == sorted({event["id"] for event in seen})
    counted = Counter((event["data"]["id"], event["data"]["line"]) for event in ours())
    assert set(counted.values()) == {1}
    assert set(counted) == {
        (batch, f"w{number} {at}") for batch in batches for number in range(WRITERS) for at in range(EACH)
    }


def _so_many(count: int, seen: list[dict[str, Any]]) -> bool:
    return len(seen) >= count


def test_clients_that_go_away_leave_nothing_behind(site: PitstopSite, http: httpx.Client, batch: str) -> None:
    assert site.process is not None
    server = psutil.Process(site.process.pid)

    def held() -> tuple[int, int]:
        sockets = sum(one.status == psutil.CONN_ESTABLISHED for one in server.net_connections("tcp"))
        with connect(site.data) as connection:
            row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL").fetchone()
        assert row is not None
        return sockets, row[0]

    with site.client() as first, first.stream("GET", STREAM, params={"job": batch}) as answer:
        next(answer.iter_lines())
    before, threads = held(), server.num_threads()
    for _ in range(3):
        with site.client() as other:
            opened = [
                other.send(other.build_request("GET", STREAM, params=query), stream=True)
                for query in ({"job": batch}, {})
                for _ in range(5)
            ]
            for answer in opened:
                next(answer.iter_lines())
            for answer in opened:
                answer.close()
    eventually(lambda: held()[0] <= before[0] and held()[1] <= before[1])
    assert server.num_threads() <= threads + 2


@pytest.mark.django_db(transaction=True)
async def test_while_nothing_happens_a_comment_says_so(
    live_channel: None, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotation_events, "_COMMENT_EVERY", 0.05)
    job = await in_thread(batches.submit, "a.mp4")
    stream: AsyncGenerator[bytes, None] = annotation_events._live(job.id, 0)
    async with aclosing(stream):
        assert await anext(stream) == b"retry: 1000\n\n"
        assert [await anext(stream) for _ in range(2)] == [b": nothing new\n\n"] * 2
        await in_thread(batch_log, job.id, ["two\nlines \0 \ud800"])
        while (part := await anext(stream)).startswith(b":"):
            pass
    assert part.startswith(b"id: 1\nevent: job.log\ndata: {") and part.count(b"\n") == 4

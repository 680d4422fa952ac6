"""The two addresses under which programs read a job's events."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

import pytest
from django.test import Client

from jobs.api import events as api
from jobs.api_keys import ApiKey
from jobs.events import log_append
from jobs.models import DetectJob
from tests.events.made import complete, in_thread, running_job, update


@pytest.fixture
def reader(db: None, client: Client) -> Client:
    _, key = ApiKey.objects.create_key(name="reader")
    client.defaults["HTTP_X_API_KEY"] = key
    return client


@pytest.fixture
def job(db: None) -> DetectJob:
    made = running_job()
    update(made, progress=0.25)
    log_append(job_id=made.id, line="[12:03:11] INFO two\nlines: é")
    return made


def _messages(stream: Iterable[bytes]) -> list[dict[str, str]]:
    """What a stream says, as its standard has it: comments left out, the time to wait with its first block."""
    blocks = b"".join(stream).decode().removesuffix("\n\n").split("\n\n")
    lines = [[line.partition(": ")[::2] for line in block.split("\n")] for block in blocks]
    return [dict(block) for block in lines if block[0][0]]


def _stream(client: Client, address: str, **headers: str) -> list[dict[str, str]]:
    answer = client.get(address, headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    assert answer["Cache-Control"] == "no-store"
    return _messages(answer.streaming_content)  # type: ignore[attr-defined]


def test_stream_has_numbers_kinds_and_data(reader: Client, job: DetectJob) -> None:
    hello, first, second = _stream(reader, f"/detect/jobs/{job.id}/events")
    assert hello == {"retry": "1000"}
    assert (first["id"], first["event"]) == ("1", "job.update")
    assert json.loads(first["data"])["progress"] == 0.25
    assert (second["id"], second["event"]) == ("2", "job.log")
    assert json.loads(second["data"]) == {"level": "info", "line": "[12:03:11] INFO two\nlines: é"}


def test_stream_of_an_ended_job_says_so_without_a_number(reader: Client, job: DetectJob) -> None:
    complete(job)
    *_, last, end = _stream(reader, f"/detect/jobs/{job.id}/events")
    assert last["id"] == "3"
    assert "id" not in end
    assert (end["event"], json.loads(end["data"])) == ("job.end", {"status": "completed", "last": 3})


@pytest.mark.parametrize(
    ("query", "headers", "first"),
    [
        ("?after=1", {}, "2"),
        ("", {"Last-Event-ID": "1"}, "2"),
        ("?after=0", {"Last-Event-ID": "1"}, "2"),  # a browser comes again with its first address
        ("", {"Last-Event-ID": ""}, "1"),
        ("?after=1", {"Accept": "text/event-stream"}, "2"),
    ],
)
def test_stream_goes_on_after_a_number(
    reader: Client, job: DetectJob, query: str, headers: dict[str, str], first: str
) -> None:
    assert _stream(reader, f"/detect/jobs/{job.id}/events{query}", **headers)[1]["id"] == first


def test_stream_can_be_asked_for_without_being_read(reader: Client, job: DetectJob) -> None:
    answer = reader.head(f"/detect/jobs/{job.id}/events")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")


@pytest.mark.parametrize("address", ["events", "log"])
@pytest.mark.parametrize("after", ["x", "-1", "1.5", str(2**31), "%00", "1e3", "9" * 5000])
def test_number_that_cannot_be_one(reader: Client, job: DetectJob, address: str, after: str) -> None:
    answer = reader.get(f"/detect/jobs/{job.id}/{address}?after={after}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["detail"].startswith("after: ")


def test_last_event_id_that_cannot_be_one(reader: Client, job: DetectJob) -> None:
    answer = reader.get(f"/detect/jobs/{job.id}/events", headers={"Last-Event-ID": "first"})
    assert answer.status_code == 400


@pytest.mark.parametrize("address", ["events", "log"])
def test_job_that_is_not_there(reader: Client, address: str) -> None:
    unknown = uuid.uuid4()
    answer = reader.get(f"/detect/jobs/{unknown}/{address}", headers={"Accept": "text/event-stream, */*"})
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": f"There is no job {unknown}.", "code": "not_found"},
    )


@pytest.mark.parametrize("address", ["events", "log"])
def test_nobody_reads_without_a_key(client: Client, job: DetectJob, address: str) -> None:
    answer = client.get(f"/detect/jobs/{job.id}/{address}", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


def test_pages_of_events(reader: Client, job: DetectJob) -> None:
    address = f"/detect/jobs/{job.id}/log"
    page: dict[str, Any] = reader.get(address).json()
    assert page["last"] == 2
    assert [(event["number"], event["kind"]) for event in page["events"]] == [(1, "job.update"), (2, "job.log")]
    assert set(page["events"][0]) == {"number", "kind", "data", "created_at"}
    assert reader.get(f"{address}?limit=1").json()["last"] == 1
    assert reader.get(f"{address}?after=1&limit=5").json()["events"] == page["events"][1:]
    assert reader.get(f"{address}?after=2").json() == {"events": [], "last": 2}
    assert reader.get(f"{address}?limit=0").status_code == 400
    assert reader.get(f"{address}?limit=1001").status_code == 400


def test_page_costs_a_fixed_number_of_queries(
    reader: Client, job: DetectJob, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        log_append(job_id=job.id, line=f"{number}")
    with django_assert_max_num_queries(3):  # the key, the job, the events
        assert len(reader.get(f"/detect/jobs/{job.id}/log").json()["events"]) == 52


@pytest.mark.usefixtures("live_channel")
async def test_silence_is_filled_with_comments_and_nothing_is_lost_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_COMMENT_EVERY", 0.02)
    quiet = await in_thread(running_job)
    async with aclosing(api._live(quiet.id, 0)) as stream, asyncio.timeout(20):
        assert await anext(stream) == b"retry: 1000\n\n"
        for number in range(1, 4):
            assert await anext(stream) == b": nothing new\n\n"
            await in_thread(log_append, job_id=quiet.id, line=f"{number}")
            while (part := await anext(stream)).startswith(b":"):
                pass
            assert part.startswith(b"id: %d\nevent: job.log\n" % number)


@pytest.mark.usefixtures("live_channel")
async def test_connection_ends_after_a_while_so_that_rights_are_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LONGEST_CONNECTION", 0.1)
    monkeypatch.setattr(api, "_COMMENT_EVERY", 0.02)
    quiet = await in_thread(running_job)
    async with asyncio.timeout(20):
        parts = [part async for part in api._live(quiet.id, 0)]
    assert set(parts[1:]) == {b": nothing new\n\n"}

"""What a batch has left, as it is sent: whatever videos and files are called, with ranges, and all of it as one ZIP."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import closing
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest

from mediaproc.datafolder import PROJECT_ROOT
from tests.annotation import acting
from tests.annotation.works import Works, running_works
from tests.media.clips import write_clip
from tests.platform.processes import eventually

VIDEOS = (
    "manifest.json.mp4",
    "with space #1?50%20&x=.mp4",
    "quote\"s'and`ticks`.mp4",
    "back\\slash.mp4",
    "Größe – naïve ½.mp4",
    "שלום עולם.mp4",
    "🏎️🔥.mp4",
    "é" * 120 + ".mp4",
    "<script>alert(1)</script>.mp4".replace("/", "⁄"),
)
LEFT = ("page.html", "drawing.svg", "deep/er/ä ö.vtt", "x" * 190 + ".json", "noname", "movie.mp4")
_MEGABYTES = 60


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("roots")
    for name in VIDEOS:
        write_clip(folder / name, 5)
    (folder / "again").mkdir()
    os.link(folder / VIDEOS[7], folder / "again" / VIDEOS[7])
    environment = {"MEDIAPROC_PIPELINES": str(acting.PIPELINES), "PYTHONPATH": str(PROJECT_ROOT)}
    with running_works(folder, environment) as made:
        yield made


@pytest.fixture(scope="module")
def http(works: Works) -> Iterator[httpx.Client]:
    with works.client() as client:
        yield client


def run(works: Works, http: httpx.Client, videos: list[dict[str, Any]], **params: Any) -> str:
    dataset = http.post("/api/v0/datasets", json={"name": "clips", "base_path": str(works.roots)}).json()["id"]
    body = {"dataset_id": dataset, "videos": videos, "overrides": {"leaves": params}}
    answer = http.post("/api/v0/jobs", json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()["id"]
    ended = works.until_ended(http, job)
    assert ended["state"] == "succeeded", ended
    return str(job)


@pytest.fixture(scope="module")
def job(works: Works, http: httpx.Client) -> str:
    dataset = http.post("/api/v0/datasets", json={"name": "clips", "base_path": str(works.roots)}).json()["id"]
    found = http.post(f"/api/v0/datasets/{dataset}/videos/scan").json()
    assert {video["path"] for video in found} >= set(VIDEOS)
    return run(works, http, found, names="|".join(LEFT))


@pytest.fixture(scope="module")
def listed(http: httpx.Client, job: str) -> list[dict[str, Any]]:
    outputs = http.get(f"/api/v0/jobs/{job}/artifacts").json()["outputs"]
    return [one for files in outputs.values() for one in files]


def address(job: str, path: str) -> str:
    return f"/api/v0/jobs/{job}/artifacts/{quote(path)}"


def test_whatever_it_is_called_a_file_is_where_it_is_listed(
    works: Works, http: httpx.Client, job: str, listed: list[dict[str, Any]]
) -> None:
    assert len(listed) == (len(VIDEOS) + 1) * len(LEFT)
    below = works.site.data.storage / "outputs" / job
    for one in listed:
        answer = http.get(address(job, one["path"]))
        assert (answer.status_code, len(answer.content)) == (200, one["meta"]["size_bytes"]), one
        assert answer.content == (below / one["path"]).read_bytes()
        told = Message()
        told["Content-Disposition"] = answer.headers["Content-Disposition"]
        assert told.get_filename() == one["path"].rpartition("/")[2]


def test_nothing_of_anybodys_runs_in_the_pages_of_this_site(
    http: httpx.Client, job: str, listed: list[dict[str, Any]]
) -> None:
    for one in listed[: len(LEFT)]:
        answer = http.get(address(job, one["path"]))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        shown = answer.headers["Content-Disposition"].startswith("inline")
        assert shown == one["path"].endswith((".vtt", ".json", ".mp4")), one
        assert shown or answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd",
        "..%2f..%2fmanifest.json",
        "%2e%2e/%2e%2e/manifest.json",
        "%2Fetc%2Fpasswd",
        "/etc/passwd",
        "manifest.json",
        "a%00b",
        "a%0Ab",
        "%ff%fe",
        "x" * 4000,
        ".",
        "%F0%9F%8F%8E/../x",
    ],
)
def test_what_is_not_listed_is_not_there(works: Works, job: str, path: str) -> None:
    """As it is written: clients put such paths in order before they send them."""
    import http.client

    connection = http.client.HTTPConnection(works.site.address.removeprefix("http://"), timeout=30)
    with closing(connection):
        connection.request("GET", f"/api/v0/jobs/{job}/artifacts/{path}", headers={"X-API-Key": works.site.key})
        answer = connection.getresponse()
        assert answer.status in (400, 404), answer.status
        assert b"root:" not in answer.read()


def test_one_zip_has_them_all(http: httpx.Client, job: str, listed: list[dict[str, Any]]) -> None:
    head = http.head(f"/api/v0/jobs/{job}/artifacts.zip")
    answer = http.get(f"/api/v0/jobs/{job}/artifacts.zip")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == int(answer.headers["Content-Length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        assert zipped.testzip() is None
        assert sorted(zipped.namelist()) == sorted(["manifest.json", *(one["path"] for one in listed)])


def test_a_zip_is_sent_as_it_is_made_and_is_cut_off_where_a_file_is_gone(works: Works, http: httpx.Client) -> None:
    large = run(works, http, [{"path": VIDEOS[0]}], names="a.mp4|b.mp4|c.json", megabytes=_MEGABYTES)
    place = f"/api/v0/jobs/{large}/artifacts.zip"
    assert works.site.process is not None
    server = psutil.Process(works.site.process.pid)
    before, most, size = server.memory_info().rss, 0, 0
    sockets = len(server.net_connections("tcp"))
    with http.stream("GET", place) as answer:
        for block in answer.iter_raw():
            size += len(block)
            most = max(most, server.memory_info().rss)
    assert size == int(answer.headers["Content-Length"]) > 3 * _MEGABYTES << 20
    assert most - before < 50 << 20
    with works.client() as leaving, leaving.stream("GET", place) as answer:
        next(answer.iter_raw())  # and goes away
    eventually(lambda: len(server.net_connections("tcp")) <= sockets + 1)
    files: list[Path] = sorted((works.site.data.storage / "outputs" / large).rglob("c.json"))
    files[0].unlink()
    received = 0
    with pytest.raises(httpx.RemoteProtocolError), http.stream("GET", place) as answer:
        for block in answer.iter_raw():
            received += len(block)
    assert 0 < received < size
    assert http.get(f"/api/v0/jobs/{large}").status_code == 200

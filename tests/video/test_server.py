"""A large video over real connections: in flat memory, beside other requests, and never passed off as whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from mediaproc.datafolder import PROJECT_ROOT
from tests.uploads.conftest import site
from tests.uploads.sending import Site

__all__ = ["site"]

SIZE = 3 << 30
MARKS = {0: b"first", 1 << 30: b"middle", SIZE - 4: b"last"}
READERS = 6

_MAKE_ASSET = """
import sys
import django; django.setup()
from mediaproc.services import prepare; prepare(queue=False)
from detect.models import SourceAsset
print(SourceAsset.objects.create(path=sys.argv[1], sha256=sys.argv[2] * 64, probe={}).id)
"""


@pytest.fixture(scope="module")
def large(site: Site) -> str:
    """The path on the site of a video of 3 GB, which is almost all holes."""
    file = site.data.root.parent / "large.mp4"
    with file.open("wb") as out:
        for place, mark in MARKS.items():
            out.seek(place)
            out.write(mark)
        out.truncate(SIZE)
    return known(site, file, "a")


def known(site: Site, file: Path, digit: str) -> str:
    made = subprocess.run(
        [sys.executable, "-c", _MAKE_ASSET, str(file), digit],
        cwd=PROJECT_ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return f"/assets/{made.stdout.strip()}/video"


@pytest.fixture
def http(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.address, headers={"X-API-Key": site.key}, timeout=60) as client:
        yield client


def test_ranges_of_a_large_video_one_after_another(http: httpx.Client, large: str) -> None:
    head = http.head(large)
    assert (head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (str(SIZE), "bytes")
    for place, mark in MARKS.items():
        answer = http.get(large, headers={"Range": f"bytes={place}-{place + 99}", "If-Range": head.headers["ETag"]})
        assert answer.status_code == 206
        assert answer.content.startswith(mark)
    several = http.get(large, headers={"Range": f"bytes=0-4,{1 << 30}-{(1 << 30) + 5},-4"})
    assert several.headers["Content-Type"].startswith("multipart/byteranges")
    assert all(mark[:4] in several.content for mark in MARKS.values())
    assert http.get(large, headers={"If-None-Match": head.headers["ETag"]}).status_code == 304
    beyond = http.get(large, headers={"Range": f"bytes={SIZE}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


def test_a_long_range_comes_as_it_was_asked_for(http: httpx.Client, large: str) -> None:
    first = (1 << 30) - 10_000_000
    answer = http.get(large, headers={"Range": f"bytes={first}-{first + 19_999_999}"})
    assert (answer.status_code, len(answer.content)) == (206, 20_000_000)
    assert answer.content.find(b"middle") == 10_000_000


def test_readers_that_pause_cost_little_and_hold_up_nobody(site: Site, http: httpx.Client, large: str) -> None:
    assert site.process is not None
    server = psutil.Process(site.process.pid)
    http.get(large, headers={"Range": "bytes=0-9999999"})
    before = server.memory_info().rss
    with ExitStack() as readers:
        for _ in range(READERS):
            answer = readers.enter_context(http.stream("GET", large))
            assert next(answer.iter_raw(100_000))
        for _ in range(5):
            assert http.get(large, headers={"Range": "bytes=0-4"}).content == b"first"
        # each may have a piece on its way, and one in the server's buffer
        assert server.memory_info().rss - before < READERS * 8 << 20


def test_a_video_that_changes_while_it_is_sent_breaks_off(site: Site, http: httpx.Client) -> None:
    file = site.data.root.parent / "changing.mp4"
    file.touch()
    os.truncate(file, 200 << 20)
    with http.stream("GET", known(site, file, "c")) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw(100_000)
        next(pieces)
        os.truncate(file, 100 << 20)
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in pieces:
                pass


def test_a_server_that_stops_does_not_pass_off_a_part_as_the_whole(site: Site, http: httpx.Client, large: str) -> None:
    assert site.process is not None
    with http.stream("GET", large) as answer:
        pieces = answer.iter_raw(100_000)
        next(pieces)
        site.process.send_signal(signal.SIGTERM)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            for _ in pieces:
                pass
    site.process.wait()

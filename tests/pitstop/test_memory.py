"""Large videos in both directions, in flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import httpx
import psutil
import pytest

from tests.pitstop.conftest import PitstopSite, running_site

pytestmark = pytest.mark.long

SIZE = 2 << 30
BLOCK = bytes(1 << 20)
JOBS = "/api/pitstop/jobs"


@pytest.fixture(scope="module")
def wide_site() -> Iterator[PitstopSite]:
    """One that takes files of 5 GB, as the default is."""
    with running_site(STORAGE_BACKEND="local") as site:
        yield site


def grown(site: PitstopSite) -> Iterator[int]:
    """Bytes by which the server is larger than at the first look."""
    assert site.process is not None
    server = psutil.Process(site.process.pid)
    before = server.memory_info().rss
    while True:
        yield server.memory_info().rss - before


def test_two_gigabytes_are_served(wide_site: PitstopSite) -> None:
    """Almost all of it holes; what is read is thrown away."""
    small, large = wide_site.build({"name": "warm"}, {"name": "large", "sparse": SIZE})
    with wide_site.client() as http:
        http.get(f"{JOBS}/{small['id']}/output")
        growth, most, received = grown(wide_site), 0, 0
        with http.stream("GET", f"{JOBS}/{large['id']}/output") as answer:
            assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))
            for number, piece in enumerate(answer.iter_raw(1 << 20)):
                received += len(piece)
                if number % 64 == 0:
                    most = max(most, next(growth))
        assert received == SIZE
        assert max(most, next(growth)) < 50 << 20


def test_two_gigabytes_are_received(wide_site: PitstopSite) -> None:
    """Zeros, so that what comes of it is a refusal, after all of it was received."""
    with wide_site.client() as http:
        http.post(JOBS, files={"file": ("warm.mp4", bytes(1000))})
        growth, looks = grown(wide_site), [0]

        def zeros() -> Iterator[bytes]:
            for number in range(SIZE // len(BLOCK)):
                if number % 64 == 0:
                    looks.append(next(growth))
                yield BLOCK

        begin = b'--x\r\nContent-Disposition: form-data; name="file"; filename="zeros.mp4"\r\n\r\n'
        end = b"\r\n--x--\r\n"
        headers = {
            "Content-Type": "multipart/form-data; boundary=x",
            "Content-Length": str(len(begin) + SIZE + len(end)),
        }
        answer = http.post(JOBS, headers=headers, content=chain([begin], zeros(), [end]), timeout=httpx.Timeout(120))
    assert answer.status_code == 400
    assert "not a video" in answer.json()["detail"]
    assert max(*looks, next(growth)) < 50 << 20
    assert not list(wide_site.uploads.glob(".*"))

"""The annotated video over real connections: ranges, conditions, and states in which there is none."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.pitstop.building import FILM
from tests.pitstop.conftest import PitstopSite

NOBODY = "00000000-0000-4000-8000-000000000000"
SIZE = len(FILM)


@pytest.fixture(scope="module")
def path(site: PitstopSite) -> str:
    """Of a finished job's annotated video."""
    (made,) = site.build({"name": "ranges"})
    return f"/api/pitstop/jobs/{made['id']}/output"


def test_the_whole_of_it(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.content == FILM) == (200, True)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert f'filename="{path.split("/")[4]}_output.mp4"' in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=0-0", 0, 0),
        ("bytes=1000-", 1000, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-{SIZE + 10}", SIZE - 1, SIZE - 1),
    ],
)
def test_a_range_of_it(http: httpx.Client, path: str, asked: str, first: int, last: int) -> None:
    answer = http.get(path, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.content == FILM[first : last + 1]
    assert "Content-Disposition" in answer.headers


def test_several_ranges(http: httpx.Client, path: str) -> None:
    answer = http.get(path, headers={"Range": "bytes=0-9,5000-5019,-7"})
    assert answer.status_code == 206
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", answer.headers["Content-Type"])
    assert boundary is not None
    parts = [part.partition(b"\r\n\r\n") for part in answer.content.split(f"--{boundary[1]}".encode())[1:-1]]
    told = [re.search(rb"Content-Range: (.*)", head) for head, _, _ in parts]
    assert [found and found[1].strip().decode() for found in told] == [
        f"bytes 0-9/{SIZE}",
        f"bytes 5000-5019/{SIZE}",
        f"bytes {SIZE - 7}-{SIZE - 1}/{SIZE}",
    ]
    assert [body.removesuffix(b"\r\n") for _, _, body in parts] == [FILM[:10], FILM[5000:5020], FILM[-7:]]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_range_beyond_the_end(http: httpx.Client, path: str, asked: str) -> None:
    answer = http.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


def test_what_is_no_range_is_passed_over(http: httpx.Client, path: str) -> None:
    for asked in ("lines=1-2", "bytes=9-3", "bytes=a-b"):
        answer = http.get(path, headers={"Range": asked})
        assert (answer.status_code, len(answer.content)) == (200, SIZE)


def test_if_range(http: httpx.Client, path: str) -> None:
    head = http.head(path)
    same = http.get(path, headers={"Range": "bytes=0-9", "If-Range": head.headers["ETag"]})
    assert (same.status_code, same.content) == (206, FILM[:10])
    other = http.get(path, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (other.status_code, other.content == FILM) == (200, True)


def test_head(http: httpx.Client, path: str) -> None:
    answer = http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["Content-Length"], answer.headers["Accept-Ranges"]) == (str(SIZE), "bytes")


def test_one_that_the_client_has_is_not_sent_again(http: httpx.Client, path: str) -> None:
    tag = http.head(path).headers["ETag"]
    assert http.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert http.get(path, headers={"If-Match": '"another"'}).status_code == 412


def test_a_job_that_is_not_complete(site: PitstopSite, http: httpx.Client) -> None:
    running, cancelled = site.build(
        {"name": "unready", "status": "running", "stage": "track_objects", "progress": 0.5, "timed": False},
        {"name": "given-up", "status": "cancelled", "stage": "render_overlays", "progress": 0.8, "timed": False},
    )
    for job, words in ((running, "PROCESSING, stage: TRACKING"), (cancelled, "FAILED, stage: RENDERING")):
        answer = http.get(f"/api/pitstop/jobs/{job['id']}/output")
        assert answer.status_code == 409
        assert answer.json()["detail"] == f"Job is not complete. Current status: {words}"


def test_unknown_jobs_and_files_that_are_gone(site: PitstopSite, http: httpx.Client) -> None:
    gone, brands = site.build({"name": "gone"}, {"name": "brands", "pipeline": "brands"})
    if site.bucket is None:
        (site.data.storage / gone["output"]).unlink()
    else:
        site.bucket.Object(gone["output"]).delete()
    answers = [http.get(f"/api/pitstop/jobs/{job}/output") for job in (gone["id"], brands["id"], NOBODY, "no-id")]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert all(answer.json()["detail"] for answer in answers)
    assert http.get(f"/api/pitstop/jobs/{gone['id']}").status_code == 200

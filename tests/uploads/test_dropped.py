"""Connections that break off, servers that are killed: what has arrived is kept, and the rest follows."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import psutil

from tests.media.clips import write_clip
from tests.platform.processes import eventually
from tests.uploads.sending import PIECE, TUS, Site, cut


def test_what_arrived_before_a_cut_is_kept(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    half = len(content) // 2
    path = site.begin("match.mp4", len(content))
    connection = site.open_patch(path, 0, len(content))
    connection.sendall(content[:half])
    eventually(lambda: site.offset(path) == half)  # also while the connection is open
    cut(connection)
    assert site.offset(path) == half
    assert site.part(path).read_bytes() == content[:half]

    eventually(lambda: site.patch(path, half, content[half:]).status_code == 204)
    with site.client() as http:
        told = http.get(path).json()
    assert (told["state"], told["offset"]) == ("done", len(content))
    _assert_stored(site, told["asset_id"], content)


def test_cut_at_random_moments_again_and_again(site: Site, tmp_path: Path) -> None:
    """Twenty resets in the middle of sending: each time it goes on where the server says, and nothing is mixed up."""
    film = write_clip(tmp_path / "film.mp4", 10).read_bytes()
    content = film + random.Random(1).randbytes(8_000_000)  # what follows a film in its file is not looked at
    chance = random.Random(2)
    path = site.begin("film.mp4", len(content))
    for _ in range(20):
        offset = _settled(site, path)
        assert site.part(path).read_bytes() == content[:offset]
        connection = site.open_patch(path, offset, len(content) - offset)
        connection.sendall(content[offset : offset + chance.randrange(1, 700_000)])
        time.sleep(chance.random() * 0.01)
        cut(connection)
    offset = _settled(site, path)
    assert 0 < offset < len(content)
    done = site.patch(path, offset, content[offset:])
    assert done.status_code == 204
    _assert_stored(site, done.headers["X-Asset-Id"], content)


def test_killed_server_loses_nothing_that_arrived(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    path = site.begin("match.mp4", len(content))
    assert site.patch(path, 0, content[:500]).status_code == 204
    connection = site.open_patch(path, 500, len(content) - 500)
    connection.sendall(content[500:2000])
    eventually(lambda: site.offset(path) == 2000)
    site.kill()
    connection.close()
    assert site.part(path).read_bytes() == content[:2000]

    site.start()
    assert site.offset(path) == 2000
    done = site.patch(path, 2000, content[2000:])
    assert done.status_code == 204
    _assert_stored(site, done.headers["X-Asset-Id"], content)


def test_second_sender_is_told_to_wait_while_the_first_is_sending(site: Site, clip: Path) -> None:
    content = clip.read_bytes()
    path = site.begin("match.mp4", len(content))
    first = site.open_patch(path, 0, len(content))
    for sent in range(100, 1600, 100):
        first.sendall(content[sent - 100 : sent])
        eventually(lambda: site.offset(path) == sent)  # noqa: B023 - asked at once
        assert site.patch(path, sent, content[sent:]).status_code == 423
    assert site.offset(path) == 1500
    cut(first)


def test_silent_connection_makes_way_for_the_client_that_comes_back(site: Site, clip: Path) -> None:
    """A network that is gone says nothing: the server still holds a connection when the client comes over another."""
    content = clip.read_bytes()
    path = site.begin("match.mp4", len(content))
    silent = site.open_patch(path, 0, len(content))
    silent.sendall(content[:1000])
    eventually(lambda: site.offset(path) == 1000)
    eventually(lambda: site.patch(path, 1000, content[1000:]).status_code == 204)
    silent.close()


def test_memory_does_not_grow_with_what_is_sent(site: Site) -> None:
    size = 200 * 2**20
    assert site.process is not None
    server = psutil.Process(site.process.pid)
    site.patch(site.begin("warm.mp4", 2**20), 0, bytes(2**20))
    before = server.memory_info().rss
    seen = [before]

    def zeros() -> Iterator[bytes]:
        block = bytes(2**20)
        for _ in range(size // len(block)):
            seen.append(server.memory_info().rss)
            yield block

    refused = site.patch(site.begin("zeros.mp4", size), 0, zeros())
    assert (refused.status_code, refused.json()["code"]) == (400, "refused")
    begin = b'--x\r\nContent-Disposition: form-data; name="file"; filename="zeros.mp4"\r\n\r\n'
    end = b"\r\n--x--\r\n"
    with site.client() as http:
        headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(len(begin + end) + size)}
        form = http.post("/api/assets", headers=headers, content=chain([begin], zeros(), [end]))
    assert (form.status_code, "is not a video" in form.json()["detail"]) == (400, True)
    assert max(seen) - before < 40 * 2**20
    assert not list(site.uploads.glob(".*"))


def test_form_that_breaks_off_leaves_nothing(site: Site) -> None:
    connection = site.connect(
        "POST /api/assets",
        {"X-API-Key": site.key, "Content-Length": "9000000", "Content-Type": "multipart/form-data; boundary=x"},
    )
    connection.sendall(
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="match.mp4"\r\n\r\n' + bytes(1_000_000)
    )
    eventually(lambda: list(site.uploads.glob(".*.mp4")))
    cut(connection)
    eventually(lambda: not list(site.uploads.glob(".*")))


def test_stranger_is_refused_before_the_body_is_received(site: Site) -> None:
    """The refusal comes though nothing of the body has been sent."""
    for request in ("POST /api/uploads", "POST /api/assets", "POST /detect/replay-stage", "POST /nothing/here"):
        connection = site.connect(request, {**TUS, "Content-Length": "900000000", "Content-Type": PIECE})
        connection.settimeout(10)
        assert connection.recv(1000).split()[1] == b"401"
        connection.close()


def test_large_json_is_refused_and_not_held(site: Site) -> None:
    with site.client() as http:
        answer = http.post(
            "/api/assets", headers={"Content-Type": "application/json"}, content=b'"' + bytes(11 * 2**20)
        )
    assert answer.status_code == 413


def test_large_file_is_refused_before_it_is_sent(site: Site) -> None:
    """The server of these tests takes 300 MB."""
    connection = site.connect(
        "POST /api/assets",
        {"X-API-Key": site.key, "Content-Length": "400000000", "Content-Type": "multipart/form-data; boundary=x"},
    )
    connection.settimeout(10)
    assert connection.recv(1000).split()[1] == b"413"
    connection.close()


def _assert_stored(site: Site, asset_id: str, content: bytes) -> None:
    with site.client() as http:
        asset = http.get(f"/api/assets/{asset_id}").json()
    assert asset["sha256"] == hashlib.sha256(content).hexdigest()
    assert (site.data.storage / asset["storage_key"]).read_bytes() == content


def _settled(site: Site, path: str) -> int:
    """The offset once the server has noticed that a connection is gone."""
    eventually(lambda: site.patch(path, site.offset(path), b"").status_code == 204)
    return site.offset(path)

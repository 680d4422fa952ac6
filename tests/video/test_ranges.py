"""Which bytes are asked for, and what is answered."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.http import http_date

from mediaproc.ranges import MOST_RANGES, PIECE, parse_ranges, ranged_response

CONTENT = random.Random(5).randbytes(3 * PIECE + 1234)
CHANGED_AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Memory:
    """A file that remembers what was read of it."""

    content: bytes = CONTENT
    etag: str = '"abc"'
    modified: datetime = CHANGED_AT
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, start: int, length: int) -> bytes:
        self.reads.append((start, length))
        return self.content[start : start + length]


def request(method: str = "GET", **headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestFactory().generic(method, "/file", headers=named)


def ask(file: Memory | None = None, method: str = "GET", **headers: str) -> Any:
    return ranged_response(request(method, **headers), file or Memory(), content_type="video/mp4")


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-", [(0, 1000)]),
        ("bytes=999-", [(999, 1000)]),
        ("bytes=10-19", [(10, 20)]),
        ("bytes=10-5000", [(10, 1000)]),
        ("bytes=-1", [(999, 1000)]),
        ("bytes=-5000", [(0, 1000)]),
        ("BYTES = 10-19", [(10, 20)]),
        ("bytes=0-9, 500-509 ,-10", [(0, 10), (500, 510), (990, 1000)]),
        ("bytes=,0-9,,500-509,", [(0, 10), (500, 510)]),
        ("bytes=500-509,0-9", [(500, 510), (0, 10)]),
        ("bytes=0-9,2000-2100", [(0, 10)]),
        # those that touch, overlap or nearly do are one, at the place of the first
        ("bytes=0-9,10-19", [(0, 20)]),
        ("bytes=0-99,50-149", [(0, 150)]),
        ("bytes=600-700,0-9,20-29", [(600, 701), (0, 30)]),
        ("bytes=0-9,900-999,5-950", [(0, 1000)]),
        ("bytes=10-19,10-19,10-19", [(10, 20)]),
        # the file has none of them
        ("bytes=1000-", []),
        ("bytes=1000-2000", []),
        ("bytes=-0", []),
        ("bytes=1000-,5000-6000,-0", []),
        # not understood, or not worth it
        ("bytes=", None),
        ("bytes=,", None),
        ("bytes", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=5-4", None),
        ("bytes=0-9,5-4", None),
        ("bytes=0x1-9", None),
        ("bytes=٠-٩", None),
        ("bytes=1.5-9", None),
        ("bytes=-1-5", None),
        ("bytes=0-9;10-19", None),
        ("bytes=0-9,bytes=20-29", None),
        ("lines=0-9", None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(MOST_RANGES + 1)), None),
    ],
)
def test_what_a_header_asks_for(header: str, wanted: list[tuple[int, int]] | None) -> None:
    found = parse_ranges(header, 1000)
    assert (None if found is None else [(one.start, one.stop) for one in found]) == wanted


def test_nothing_is_a_range_of_an_empty_file() -> None:
    assert parse_ranges("bytes=0-", 0) is None
    assert (ask(Memory(b""), Range="bytes=0-").status_code, body(ask(Memory(b"")))) == (200, b"")


def test_ranges_of_random_requests_are_those_bytes() -> None:
    chance = random.Random(8)
    for _ in range(300):
        pairs = [sorted((chance.randrange(1200), chance.randrange(1200))) for _ in range(chance.randrange(1, 9))]
        found = parse_ranges("bytes=" + ",".join(f"{first}-{last}" for first, last in pairs), 1000)
        assert found is not None
        asked = {place for first, last in pairs for place in range(first, last + 1) if place < 1000}
        given = [place for one in found for place in one]
        assert asked <= set(given)
        assert len(given) == len(set(given))
        assert len(set(given) - asked) <= 128 * len(pairs)


def test_the_whole_file() -> None:
    file = Memory()
    response = ask(file)
    assert response.status_code == 200
    assert response["Content-Type"] == "video/mp4"
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Accept-Ranges"] == "bytes"
    assert (response["ETag"], response["Last-Modified"]) == ('"abc"', http_date(CHANGED_AT.timestamp()))
    assert "private" in response["Cache-Control"]
    assert "Content-Range" not in response
    assert body(response) == CONTENT


def test_it_is_read_piece_by_piece_and_only_when_it_is_taken() -> None:
    file = Memory()
    content = ask(file).streaming_content
    assert file.reads == []
    assert len(next(content)) == PIECE
    assert file.reads == [(0, PIECE)]
    assert len(b"".join(content)) == len(CONTENT) - PIECE
    assert max(length for _, length in file.reads) == PIECE


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-", 0, len(CONTENT) - 1),
        ("bytes=5-9", 5, 9),
        (f"bytes={PIECE - 1}-{2 * PIECE}", PIECE - 1, 2 * PIECE),
        ("bytes=-100", len(CONTENT) - 100, len(CONTENT) - 1),
        (f"bytes={len(CONTENT) - 1}-", len(CONTENT) - 1, len(CONTENT) - 1),
    ],
)
def test_one_range(header: str, first: int, last: int) -> None:
    response = ask(Range=header)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response["Content-Length"] == str(last - first + 1)
    assert (response["Content-Type"], response["ETag"]) == ("video/mp4", '"abc"')
    assert body(response) == CONTENT[first : last + 1]


def parts_of(response: Any) -> list[tuple[Message, bytes]]:
    content = body(response)
    assert len(content) == int(response["Content-Length"])
    match = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", response["Content-Type"])
    assert match is not None
    *parts, last = content.split(f"--{match[1]}".encode())
    assert (parts.pop(0), last) == (b"", b"--\r\n")
    split = [part.split(b"\r\n\r\n", 1) for part in parts]
    return [(message_from_bytes(head.lstrip()), data.removesuffix(b"\r\n")) for head, data in split]


def test_several_ranges() -> None:
    response = ask(Range=f"bytes=0-9,{PIECE}-{2 * PIECE + 5},-7")
    assert response.status_code == 206
    assert "Content-Range" not in response
    parts = parts_of(response)
    size = len(CONTENT)
    assert [head["Content-Range"] for head, _ in parts] == [
        f"bytes 0-9/{size}",
        f"bytes {PIECE}-{2 * PIECE + 5}/{size}",
        f"bytes {size - 7}-{size - 1}/{size}",
    ]
    assert {head["Content-Type"] for head, _ in parts} == {"video/mp4"}
    assert [data for _, data in parts] == [CONTENT[:10], CONTENT[PIECE : 2 * PIECE + 6], CONTENT[-7:]]


def test_several_of_which_one_is_left_are_one() -> None:
    response = ask(Range="bytes=0-9,5-20,99999999-")
    assert (response.status_code, response["Content-Type"]) == (206, "video/mp4")
    assert body(response) == CONTENT[:21]


def test_a_range_that_is_not_there() -> None:
    response = ask(Range=f"bytes={len(CONTENT)}-")
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert (response["Accept-Ranges"], body(response)) == ("bytes", b"")


@pytest.mark.parametrize("header", ["bytes=5-4", "lines=0-9", "nonsense"])
def test_a_range_that_is_not_understood_is_not_heard(header: str) -> None:
    response = ask(Range=header)
    assert (response.status_code, body(response)) == (200, CONTENT)


def test_head_tells_of_the_whole_and_reads_nothing() -> None:
    file = Memory()
    response = ask(file, "HEAD", Range="bytes=0-9")
    assert (response.status_code, response["Content-Length"]) == (200, str(len(CONTENT)))
    assert (response["Accept-Ranges"], response["ETag"]) == ("bytes", '"abc"')
    assert (body(response), file.reads) == (b"", [])


AGO = http_date((CHANGED_AT - timedelta(seconds=1)).timestamp())
THEN = http_date(CHANGED_AT.timestamp())
LATER = http_date((CHANGED_AT + timedelta(seconds=1)).timestamp())


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ('"abc"', 206),
        ('"abd"', 200),
        ('W/"abc"', 200),  # a weak tag does not stand for the very bytes
        ('"abc", "abd"', 200),  # one, not a list
        (THEN, 206),
        (AGO, 200),
        (LATER, 200),  # the same moment, not up to it
        ("yesterday", 200),
        ("", 200),
    ],
)
def test_if_range(condition: str, status: int) -> None:
    response = ask(Range="bytes=0-9", If_Range=condition)
    assert response.status_code == status
    assert body(response) == (CONTENT[:10] if status == 206 else CONTENT)


def test_a_date_that_another_content_may_share_is_none_to_go_by() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    response = ask(Memory(modified=now), Range="bytes=0-9", If_Range=http_date(now.timestamp()))
    assert response.status_code == 200


def test_a_range_that_is_not_there_of_another_content_is_the_whole() -> None:
    assert ask(Range="bytes=99999999-", If_Range='"old"').status_code == 200
    assert ask(Range="bytes=99999999-", If_Range='"abc"').status_code == 416


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": '"abc"'}, 304),
        ({"If_None_Match": 'W/"abc"'}, 304),  # compared weakly
        ({"If_None_Match": '"x", "abc"'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x"'}, 206),
        ({"If_None_Match": '"x"', "If_Modified_Since": LATER}, 206),  # the tag goes before the date
        ({"If_Modified_Since": THEN}, 304),
        ({"If_Modified_Since": AGO}, 206),
        ({"If_Match": '"abc"'}, 206),
        ({"If_Match": '"x"'}, 412),
        ({"If_Match": 'W/"abc"'}, 412),
        ({"If_Unmodified_Since": THEN}, 206),
        ({"If_Unmodified_Since": AGO}, 412),
    ],
)
def test_conditions_go_before_ranges(headers: dict[str, str], status: int) -> None:
    file = Memory()
    response = ask(file, Range="bytes=0-9", **headers)
    assert response.status_code == status
    if status == 304:
        assert (response["ETag"], response["Last-Modified"]) == ('"abc"', THEN)
        assert "Cache-Control" in response
    if status != 206:
        assert (body(response), file.reads) == (b"", [])


@pytest.mark.parametrize("headers", [{"If_None_Match": '"abc"'}, {"If_Modified_Since": THEN}])
def test_head_is_conditional_too(headers: dict[str, str]) -> None:
    assert ask(None, "HEAD", **headers).status_code == 304


def test_how_long_it_may_be_kept_is_said_by_who_sends_it() -> None:
    response = ranged_response(request(), Memory(), content_type="video/mp4", cache="private, max-age=60")
    assert response["Cache-Control"] == "private, max-age=60"


async def test_live_it_is_read_in_pieces_beside_the_event_loop() -> None:
    """As the server sends it: by the hand-over, which takes the body when Django has done with the request."""
    slot: list[Any] = []
    asked = request(Range=f"bytes=3-{2 * PIECE}")
    asked.scope = {"mediaproc.handover": slot}  # type: ignore[attr-defined]
    file = Memory()
    response = ranged_response(asked, file, content_type="video/mp4")
    assert (response.status_code, response["Content-Length"]) == (206, str(2 * PIECE - 2))
    pieces = slot[0]()
    first = await anext(pieces)
    assert file.reads == [(3, PIECE)]
    assert first + b"".join([piece async for piece in pieces]) == CONTENT[3 : 2 * PIECE + 1]

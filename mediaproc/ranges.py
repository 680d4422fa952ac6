"""Answers with a file, or with the parts of it that were asked for: byte ranges and conditions as in RFC 9110.

Files may be far larger than memory: at most one piece of one is held for each client, and it is read only when the
client has taken the piece before.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe

from mediaproc.handover import stream_response
from mediaproc.rangedfiles import RangedFile

PIECE = 1 << 20
#: More ranges than this in one request are not answered one by one.
MOST_RANGES = 32

_RANGE = re.compile(r"(?P<first>[0-9]{1,20})-(?P<last>[0-9]{0,20})|-(?P<suffix>[0-9]{1,20})")
# ranges with less between them than the head of a part takes are answered as one
_NEAR = 128
# disks and buckets that stall hold up other files, and nothing else of the server
_readers = ThreadPoolExecutor(16, thread_name_prefix="ranges")


@dataclass(frozen=True)
class _Body:
    """What is sent, in order: bytes as they are, and ranges of the file."""

    file: RangedFile
    parts: Sequence[bytes | range]

    @property
    def length(self) -> int:
        return sum(map(len, self.parts))

    def pieces(self) -> Iterator[bytes | range]:
        """The same with no range longer than a piece."""
        for part in self.parts:
            if isinstance(part, range):
                yield from (part[start : start + PIECE] for start in range(0, len(part), PIECE))
            else:
                yield part

    def read(self, piece: bytes | range) -> bytes:
        return piece if isinstance(piece, bytes) else self.file.read(piece.start, len(piece))

    def stored(self) -> Iterator[bytes]:
        yield from map(self.read, self.pieces())

    async def live(self) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        for piece in self.pieces():
            yield piece if isinstance(piece, bytes) else await loop.run_in_executor(_readers, partial(self.read, piece))


def ranged_response(
    request: HttpRequest, file: RangedFile, *, content_type: str, cache: str = "private, no-cache"
) -> HttpResponseBase:
    """The answer to a GET or HEAD for ``file``: 200, 206, 304, 412 or 416, by the request's headers.

    ``cache`` is the Cache-Control of an answer that may be kept.
    """
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": cache,
        "ETag": file.etag,
        "Last-Modified": http_date(file.modified.timestamp()),
    }
    plain = HttpResponse(headers=headers)
    answer = get_conditional_response(request, file.etag, int(file.modified.timestamp()), plain)
    if answer is not None and answer is not plain:
        return answer
    ranges = _ranges_of(request, file)
    if ranges is None:
        return _streamed(request, _Body(file, [range(file.size)]), 200, content_type, headers)
    if not ranges:
        return HttpResponse(
            status=416, content_type="text/plain", headers={**headers, "Content-Range": f"bytes */{file.size}"}
        )
    if len(ranges) == 1:
        told = {**headers, "Content-Range": _content_range(ranges[0], file.size)}
        return _streamed(request, _Body(file, ranges), 206, content_type, told)
    boundary = secrets.token_hex(16)
    body = _Body(file, _multipart(ranges, file.size, content_type, boundary))
    return _streamed(request, body, 206, f"multipart/byteranges; boundary={boundary}", headers)


def parse_ranges(header: str, size: int) -> list[range] | None:
    """The bytes that a Range header asks of a file of ``size`` bytes; none where the file has none of them.

    In the order they were asked for; those that touch or nearly do are one. None stands for the whole file: the header
    is not understood, or asks for more ranges than are worth a part each.
    """
    unit, equals, text = header.partition("=")
    if not equals or unit.strip().lower() != "bytes" or size == 0:
        return None
    found: list[range] = []
    wanted = [part for part in (part.strip(" \t") for part in text.split(",")) if part]
    if not wanted or len(wanted) > MOST_RANGES:
        return None
    for part in wanted:
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        if match["suffix"]:
            found.append(range(max(0, size - int(match["suffix"])), size))
            continue
        first, last = int(match["first"]), int(match["last"] or size)
        if match["last"] and last < first:
            return None
        found.append(range(first, min(last + 1, size)))
    return _joined([one for one in found if one])


def _joined(ranges: list[range]) -> list[range]:
    """Ranges of which no two are near each other; one that others were joined to stays at the place of the first."""
    apart: list[range] = []
    for one in ranges:
        near = [other for other in apart if one.start <= other.stop + _NEAR and other.start <= one.stop + _NEAR]
        at = apart.index(near[0]) if near else len(apart)
        alike = [one, *near]
        apart = [other for other in apart if other not in near]
        apart.insert(at, range(min(part.start for part in alike), max(part.stop for part in alike)))
    return apart


def _ranges_of(request: HttpRequest, file: RangedFile) -> list[range] | None:
    """As ``parse_ranges``: what is asked for, if it is asked of this content."""
    header = request.headers.get("Range")
    if header is None or request.method != "GET":
        return None
    condition = request.headers.get("If-Range")
    if condition is not None and not _is_this(condition.strip(), file):
        return None
    return parse_ranges(header, file.size)


def _is_this(condition: str, file: RangedFile) -> bool:
    """Whether an If-Range names this very content: by its tag, or by a date that no other content can share."""
    if condition.startswith(('"', "W/")):
        return condition == file.etag
    modified = int(file.modified.timestamp())
    settled = datetime.now(UTC).timestamp() - modified > 1
    return settled and parse_http_date_safe(condition) == modified


def _multipart(ranges: Sequence[range], size: int, content_type: str, boundary: str) -> list[bytes | range]:
    parts: list[bytes | range] = []
    for number, one in enumerate(ranges):
        lead = "\r\n" if number else ""
        head = f"{lead}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {_content_range(one, size)}\r\n"
        parts += [f"{head}\r\n".encode(), one]
    return [*parts, f"\r\n--{boundary}--\r\n".encode()]


def _content_range(one: range, size: int) -> str:
    return f"bytes {one.start}-{one.stop - 1}/{size}"


def _streamed(
    request: HttpRequest, body: _Body, status: int, content_type: str, headers: dict[str, str]
) -> HttpResponseBase:
    response = stream_response(request, status=status, content_type=content_type, live=body.live, stored=body.stored)
    response.headers["Content-Length"] = str(body.length)
    for name, value in headers.items():
        response.headers[name] = value
    return response

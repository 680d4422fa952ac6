"""Request bodies that reach a view as they arrive, instead of after their last byte.

Django's ASGI handler writes a whole body to a temporary file before any view runs: who may send it is decided after it
was taken in, and of a connection that breaks off nothing is left. Here large bodies, forms with files and pieces of
resumable uploads are read by the view that wants them; small ones go Django's usual way.
"""

from __future__ import annotations

import asyncio
import io
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpRequest

Scope = dict[str, Any]
Receive = Callable[[], Any]
Send = Callable[[Any], Any]

#: The content type of a piece of a resumable upload.
PIECE = "application/offset+octet-stream"

_KEY = "mediaproc.body"
_SMALL = 1 << 20
_BLOCK = 1 << 16
_STREAMED_TYPES = (b"multipart/form-data", PIECE.encode())
#: Seconds without a byte after which whoever sends is taken to be gone.
SILENCE = 60


class BodyCutError(OSError):
    """The connection broke off, or fell silent, before the body was complete."""


class BodyStream(io.RawIOBase):
    """A request's body, read by a view in its thread while the server's event loop receives it."""

    def __init__(self, receive: Receive, loop: AbstractEventLoop) -> None:
        super().__init__()
        self._receive, self._loop = receive, loop
        self._coming: Future[Any] | None = None
        self._rest = b""
        self._ended = False

    def block(self, patience: float) -> bytes | None:
        """The next bytes, none at the end, or None where nothing came for ``patience`` seconds.

        Raises BodyCutError when the connection is gone.
        """
        while not self._ended:
            message = self._next(patience)
            if message is None:
                return None
            if message["type"] == "http.disconnect":
                self._ended = True
                raise BodyCutError("the connection broke off before the body was complete")
            self._ended = not message.get("more_body", False)
            if message.get("body"):
                return bytes(message["body"])
        return b""

    def _next(self, patience: float) -> Any:
        """The server's next message; one that has not come in time is waited for by the next call."""
        try:
            if self._coming is None:
                self._coming = asyncio.run_coroutine_threadsafe(self._receive(), self._loop)
            message = self._coming.result(patience)
        except TimeoutError:
            if not self._loop.is_running():
                raise BodyCutError("the server is stopping") from None
            return None
        except (CancelledError, RuntimeError) as error:
            raise BodyCutError("the server is stopping") from error
        self._coming = None
        return message

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            block = self.block(SILENCE)
            if block is None:
                raise BodyCutError(f"nothing came for {SILENCE} s")
            self._rest = block
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def readall(self) -> bytes:
        """All of it, for parsers that want it in memory. Raises RequestDataTooBig beyond what may lie there."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        gathered = bytearray()
        while part := self.read(_BLOCK):
            gathered += part
            if limit is not None and len(gathered) > limit:
                raise RequestDataTooBig(f"more than {limit} bytes")
        return bytes(gathered)

    def close(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
        super().close()


def body_blocks(request: HttpRequest, *, give_up: Callable[[], bool]) -> Iterator[bytes]:
    """The body of ``request`` in blocks of some 100 kB, as they arrive.

    Raises BodyCutError when the connection breaks off or brings nothing for ``SILENCE`` seconds, and as soon as
    ``give_up``, which is asked about once a second while nothing comes, says so.
    """
    stream = getattr(getattr(request, "_stream", None), "raw", None)
    if not isinstance(stream, BodyStream):  # it came in whole, as from a test's client
        while block := request.read(_BLOCK):
            yield block
        return
    waited = 0
    while (piece := stream.block(1.0)) != b"":
        if piece is not None:
            waited = 0
            yield piece
            continue
        waited += 1
        if waited >= SILENCE or give_up():
            raise BodyCutError(f"nothing came for {waited} s")


class StreamedRequest(ASGIRequest):
    """A request whose body may still be on its way."""

    def __init__(self, scope: Scope, body_file: Any) -> None:
        stream = scope.get(_KEY)
        super().__init__(scope, io.BufferedReader(stream, _BLOCK) if stream is not None else body_file)
        if "HTTP_TRANSFER_ENCODING" in self.META and "CONTENT_LENGTH" not in self.META:
            # the REST framework takes a body whose length was not announced for none, unless it finds one here
            self.META["HTTP_CONTENT_LENGTH"] = "1"


class StreamingHandler(ASGIHandler):
    """Django's handler, which hands bodies that are large or belong to an upload over unread."""

    request_class = StreamedRequest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_streamed(scope):
            await super().__call__(scope, receive, send)
            return
        body = BodyStream(receive, asyncio.get_running_loop())
        await super().__call__({**scope, _KEY: body}, _NothingMore(), send)


class _NothingMore:
    """In the server's place for Django, which would else read the body itself, or take its bytes for a fault.

    It never tells of a client that has gone: the view notices where it matters, and ends in order where it does not.
    """

    def __init__(self) -> None:
        self._told = False

    async def __call__(self) -> Any:
        if self._told:
            await asyncio.Event().wait()
        self._told = True
        return {"type": "http.request", "body": b"", "more_body": False}


def _is_streamed(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    if headers.get(b"content-type", b"").split(b";")[0].strip().lower() in _STREAMED_TYPES:
        return True
    if b"transfer-encoding" in headers:
        return True
    length = headers.get(b"content-length", b"0")
    return length.isdigit() and int(length) > _SMALL


def get_streaming_application() -> StreamingHandler:
    """What Django's ``get_asgi_application`` gives, with bodies as described above."""
    django.setup(set_prefix=False)
    return StreamingHandler()

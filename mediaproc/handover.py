"""Answers that go on for as long as a client listens, without holding what Django gives to a request.

Under ASGI, Django keeps a thread, and the database connection that belongs to it, until a response has been sent. So a
view that streams decides who may have what, as every view does, and then hands over: Django finishes, gives back what
it held, and the stream is sent from here. Streams end when the server is told to stop; it would wait for them else.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Callable, Iterator, MutableMapping
from functools import partial
from typing import Any

from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[Any], Any]
Stream = Callable[[], AsyncGenerator[bytes, None]]

_KEY = "mediaproc.handover"
_STREAMED = (200, 206)


def stream_response(
    request: HttpRequest,
    *,
    content_type: str,
    live: Stream,
    stored: Callable[[], Iterator[bytes]],
    status: int = 200,
) -> StreamingHttpResponse:
    """A response whose body is ``live``. Where nobody can go on sending, as under a test's client, it is ``stored``.

    ``live`` must not rely on anything of the request: it begins when Django has done with it.
    """
    slot: list[Stream] | None = getattr(request, "scope", {}).get(_KEY)
    if slot is None:
        content = stored() if request.method != "HEAD" else ()
        response = StreamingHttpResponse(content, status=status, content_type=content_type)
    else:
        response = StreamingHttpResponse(_nothing(), status=status, content_type=content_type)
        if request.method != "HEAD":
            slot.append(live)
        response._resource_closers.append(_close_connections)  # type: ignore[attr-defined]
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy that gathers would keep the news to itself
    return response


class HandOver:
    """Django's ASGI application, able to hand a response's body over."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        slot: list[Stream] = []
        start: Any = None

        async def pass_on(message: Any) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and slot and message["status"] in _STREAMED:
                start = message
            elif start is None:
                await send(message)

        await self._application({**scope, _KEY: slot}, receive, pass_on)
        if start is not None:
            await send(start)
            measured = any(name.lower() == b"content-length" for name, _ in start["headers"])
            await _send_until_gone(slot[0], receive, send, measured=measured)


_sending: set[asyncio.Task[None]] = set()
_stopping = False


async def _send_until_gone(stream: Stream, receive: Receive, send: Send, *, measured: bool) -> None:
    """Send what comes, until the stream has ended, the client is gone or the server stops.

    A body that is ``measured``, its length told in advance, and was cut short is not ended as if it were whole: the
    server closes the connection, and the client knows.
    """
    sending = asyncio.create_task(_send_all(stream, send))
    listening = asyncio.create_task(_until_gone(receive))
    _sending.add(sending)
    if _stopping:
        sending.cancel()
    try:
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        _sending.discard(sending)
        for task in (sending, listening):
            task.cancel()
        outcomes = await asyncio.gather(sending, listening, return_exceptions=True)
    if isinstance(outcomes[0], Exception):
        raise outcomes[0]
    cut = measured and sending.cancelled()
    if listening.cancelled() and not cut:  # the client is still there
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_all(stream: Stream, send: Send) -> None:
    async with contextlib.aclosing(stream()) as parts:
        async for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def end_streams() -> None:
    """End all streams of this process, and those to come; their clients come again where they want to go on."""
    global _stopping  # noqa: PLW0603 - a process stops once
    _stopping = True
    for task in _sending:
        task.cancel()


def end_streams_on_signal() -> None:
    """Have streams end when the server is told to stop, before it begins to wait for them. Call in its event loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if not callable(before) or before is signal.default_int_handler:
            continue

        # a server in another thread than the first cannot have signals, and has none of its own either
        with contextlib.suppress(ValueError):
            signal.signal(number, partial(_stop, loop, before))


def _stop(loop: asyncio.AbstractEventLoop, before: Callable[..., Any], signum: int, frame: Any) -> None:
    with contextlib.suppress(RuntimeError):  # a loop that is closed has no streams
        loop.call_soon_threadsafe(end_streams)
    before(signum, frame)


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def _nothing() -> AsyncGenerator[bytes, None]:
    none: tuple[bytes, ...] = ()
    for part in none:
        yield part

"""Clients as others write them: over Server-Sent Events with httpx, over a websocket with websockets."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.events.site import Site

#: What a cut connection or a server that is away looks like.
LOST = (httpx.TransportError, ConnectionClosed, InvalidStatus, OSError, EOFError)

Message = dict[str, Any]
#: Called with a site, a job and the number last seen.
Client = Callable[[Site, str, int], AsyncGenerator[Message, None]]


async def over_sse(site: Site, job: str, after: int) -> AsyncGenerator[Message, None]:
    """Events of one connection, up to the job's end. Raises one of ``LOST`` where it ends before."""
    headers = {**site.headers, "Last-Event-ID": str(after)}
    timeout = httpx.Timeout(10, read=30)
    async with (
        httpx.AsyncClient(timeout=timeout) as http,
        http.stream("GET", site.address(f"/detect/jobs/{job}/events"), headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["Content-Type"] == "text/event-stream"
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
            elif "event" in fields:
                number = int(fields["id"]) if "id" in fields else None
                yield {"number": number, "kind": fields["event"], "data": json.loads(fields["data"])}
                fields = {}
            else:
                fields = {}
    raise EOFError("the stream ended before the job")


async def over_websocket(site: Site, job: str, after: int) -> AsyncGenerator[Message, None]:
    """As :func:`over_sse`."""
    path = f"/ws/jobs/{job}?after={after}"
    async with connect(site.address(path, "ws"), additional_headers=site.headers, open_timeout=10) as socket:
        async for text in socket:
            yield json.loads(text)
    raise EOFError("the connection ended before the job")


async def read_to_end(told: AsyncGenerator[Message, None]) -> list[Message]:
    """All messages of a connection, the job's end included."""
    messages = []
    async with aclosing(told) as items:
        async for message in items:
            messages.append(message)
            if message["number"] is None:
                break
    return messages

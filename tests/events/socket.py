"""A websocket's other end in this process. The one in channels.testing needs daphne, which nothing here runs on."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from asgiref import testing

Headers = list[tuple[bytes, bytes]]


class Socket:
    """Speaks to an ASGI application as a server does for its client."""

    def __init__(self, application: Any, address: str, headers: Headers) -> None:
        parts = urlsplit(address)
        scope = {
            "type": "websocket",
            "path": unquote(parts.path),
            "query_string": parts.query.encode(),
            "headers": headers,
            "subprotocols": [],
        }
        communicator: Any = testing.ApplicationCommunicator  # it has no types
        self._line = communicator(application, scope)

    async def connect(self) -> bool:
        """Whether it was accepted."""
        await self._line.send_input({"type": "websocket.connect"})
        answer = await self._line.receive_output(timeout=10)
        accepted: bool = answer["type"] == "websocket.accept"
        return accepted

    async def say(self, said: str | bytes) -> None:
        await self._line.send_input({"type": "websocket.receive", "text" if isinstance(said, str) else "bytes": said})

    async def hear(self, count: int) -> list[dict[str, Any]]:
        messages = [await self._line.receive_output(timeout=10) for _ in range(count)]
        return [json.loads(message["text"]) for message in messages]

    async def code(self) -> int:
        """The code it is closed with, which must be what comes next."""
        message = await self._line.receive_output(timeout=10)
        assert message["type"] == "websocket.close", message
        code: int = message["code"]
        return code

    async def silent(self, seconds: float) -> bool:
        """Whether nothing is said to it for so long."""
        nothing: bool = await self._line.receive_nothing(timeout=seconds)
        return nothing

    async def leave(self) -> None:
        await self._line.send_input({"type": "websocket.disconnect", "code": 1005})
        await self._line.wait(timeout=10)

"""Events over websockets: of one job from the number last seen on, or the latest state of all jobs.

What is told comes from ``following.py``, as it does for Server-Sent Events. A connection is closed with 1000 after
the job's end, 1012 where the client is to come again, 4400 for a message or number that cannot be one, 4401 without a
session or key, 4403 where the role does not allow it, 4404 for a job that is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from detect.errors import MediaprocError
from jobs.live.following import DELETED, LONGEST_CONNECTION, Told, follow, follow_all
from mediaproc.websockets import Refused, authorize

logger = logging.getLogger(__name__)

_LARGEST_NUMBER = 2**31 - 1
_LONGEST_MESSAGE = 1000

BAD_REQUEST = 4400
NOT_FOUND = 4404
DONE = 1000
FAULT = 1011
COME_AGAIN = 1012


class _Following(AsyncWebsocketConsumer):
    """Sends what is told until it ends, in a task beside the one that hears the client."""

    # the base class would end a connection whose channel layer fails; watching.py hears nudges for all of them
    channel_layer_alias = "none"
    route: str

    _sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # accepted before it is refused: a browser shows its page the code of no other connection
        await self.accept()
        try:
            await authorize(self.scope, self.route)
        except Refused as refused:
            await self.close(code=refused.code, reason=refused.reason)
            return
        except (Error, MediaprocError) as error:
            logger.debug("nobody can be let in now: %s", error)
            await self.close(code=COME_AGAIN)
            return
        await self.begin()

    async def begin(self) -> None:
        raise NotImplementedError

    def send_all(self, told: AsyncGenerator[Told, None]) -> None:
        self._sending = asyncio.create_task(self._send_all(told))

    async def stop_sending(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait({self._sending})
            self._sending = None

    async def disconnect(self, code: int) -> None:
        await self.stop_sending()

    async def _send_all(self, told: AsyncGenerator[Told, None]) -> None:
        try:
            async with asyncio.timeout(LONGEST_CONNECTION), contextlib.aclosing(told) as items:
                async for item in items:
                    await self.send(text_data=json.dumps(self.message(item)))
                    if item.number is None:
                        gone = item.data["status"] == DELETED
                        await self.close(code=NOT_FOUND if gone else DONE)
        except TimeoutError:
            await self.close(code=COME_AGAIN)
        except OSError as error:
            logger.debug("a listener is gone: %s", error)
        except Exception:
            logger.exception("events cannot be sent")
            await self.close(code=FAULT)

    def message(self, told: Told) -> dict[str, Any]:
        return {"number": told.number, "kind": told.kind, "data": told.data}


class JobEventsConsumer(_Following):
    """``/ws/jobs/{job_id}?after=N``: messages ``{number, kind, data}``; ``{"after": N}`` sent here starts anew."""

    route = "ws-job"

    async def begin(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        await self._from(query.get("after", ["0"])[-1])

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._sending is None:
            return  # refused, and about to be closed
        message: Any = None
        if text_data is not None and len(text_data) <= _LONGEST_MESSAGE:
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(text_data)
        await self._from(message.get("after") if isinstance(message, dict) else None)

    async def _from(self, given: object) -> None:
        after = _number(given)
        await self.stop_sending()
        if after is None:
            await self.close(code=BAD_REQUEST, reason='send {"after": NUMBER}, a number from 0 on')
        else:
            job_id: UUID = self.scope["url_route"]["kwargs"]["job_id"]
            self.send_all(follow(job_id, after))


class AllJobsConsumer(_Following):
    """``/ws/jobs``: messages ``{job_id, number, kind, data}``: the latest ``job.update`` of each job that changes."""

    route = "ws-jobs"

    async def begin(self) -> None:
        self.send_all(follow_all())

    def message(self, told: Told) -> dict[str, Any]:
        return {"job_id": str(told.job_id), **super().message(told)}


def _number(given: object) -> int | None:
    """A number of an event as a URL or JSON gives it, or None."""
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 10:
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        return None
    return given if 0 <= given <= _LARGEST_NUMBER else None

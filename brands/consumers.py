"""Decisions over a websocket, as ``brands/following.py`` tells them.

A connection is closed with 1012 where the client is to come again, 4400 for a number that cannot be one, 4401 without a
session or key, 4403 where the role does not allow it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error

from brands.following import follow
from detect.errors import MediaprocError
from mediaproc.websockets import Refused, authorize

logger = logging.getLogger(__name__)

#: Seconds after which a connection is ended, so that its client comes again and shows that it still may.
LONGEST_CONNECTION = 600.0

BAD_REQUEST = 4400
FAULT = 1011
COME_AGAIN = 1012


class ReviewConsumer(AsyncWebsocketConsumer):
    """``/ws/review?after=N``: each decision behind number N; ``{"results": true}`` when other items may wait."""

    # the base class would end a connection whose channel layer fails; following.py listens by itself
    channel_layer_alias = "none"
    route = "ws-review"

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
        given = parse_qs(self.scope["query_string"].decode("latin-1")).get("after", ["0"])[-1]
        if given.isascii() and given.isdigit() and len(given) <= 18:
            self._sending = asyncio.create_task(self._send_all(int(given)))
        else:
            await self.close(code=BAD_REQUEST, reason="after is a number from 0 on")

    async def disconnect(self, code: int) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait({self._sending})

    async def _send_all(self, after: int) -> None:
        try:
            async with asyncio.timeout(LONGEST_CONNECTION), contextlib.aclosing(follow(after)) as messages:
                async for message in messages:
                    await self.send(text_data=json.dumps(message))
        except TimeoutError:
            await self.close(code=COME_AGAIN)
        except OSError as error:
            logger.debug("a reviewer is gone: %s", error)
        except Exception:
            logger.exception("decisions cannot be sent")
            await self.close(code=FAULT)

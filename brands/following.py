"""Following decisions: each once and in order, from any number on, over restarts of Postgres and Redis.

Decisions are made one after another (``brands/actions/base.py``), so a number that is there means that all before it
are. A nudge on the channel layer only says to look; who hears none looks by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import Error, connection

from brands.live import REVIEW
from brands.models import Decision
from detect.errors import MediaprocError
from mediaproc.nudges import cancelled, ending

logger = logging.getLogger(__name__)

PAGE = 200
_LOOK_EVERY = 2.0
_JOIN_EVERY = 20.0  # a Redis that was emptied has forgotten who is in the group
_REDIS_WITHIN = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


async def follow(after: int) -> AsyncGenerator[dict[str, Any], None]:
    """Decisions behind the number ``after`` as they are made, and ``{"results": True}`` when other items may wait.

    It has no end: close it (``contextlib.aclosing``).
    """
    results: int | None = None
    async with _listening() as nudged:
        while True:
            nudged.clear()
            look = await _ask(after)
            for decision in look.decisions:
                yield _message(decision)
                after = decision.id
            if results is not None and look.results != results:
                yield {"results": True}
            results = look.results
            if len(look.decisions) < PAGE:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY):
                        await nudged.wait()


@dataclass(frozen=True)
class _Look:
    """The next decisions, and the number of the newest item: another one where other results are in."""

    decisions: list[Decision]
    results: int


def _look(after: int) -> _Look:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT max(id) FROM brands_decision), (SELECT max(id) FROM brands_reviewitem)")
        last, results = cursor.fetchone()
    found = Decision.objects.filter(id__gt=after).order_by("id").defer("changes") if (last or 0) > after else None
    return _Look([] if found is None else list(found[:PAGE]), results or 0)


def _message(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.id,
        "by": decision.by,
        "kind": decision.kind,
        "sentence": decision.sentence,
        "groups": decision.groups,
        "items": decision.items,
        "seconds": decision.seconds,
        "undoes": decision.undoes_id,
    }


async def _ask(after: int) -> _Look:
    """Look into the database, again and again while it is away."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await database_sync_to_async(_look)(after)
        except (Error, MediaprocError) as error:  # its restart, or the embedded server's start that failed
            logger.debug("decisions cannot be read now: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[asyncio.Event]:
    """An event that is set by each nudge."""
    nudged = asyncio.Event()
    hearing = asyncio.create_task(_hear(nudged))
    try:
        yield nudged
    finally:
        await cancelled(hearing)


async def _hear(nudged: asyncio.Event) -> None:
    layer = get_channel_layer()
    while layer is not None:
        try:
            await _listen(layer, nudged)
        except Exception as error:  # noqa: BLE001 - whatever the layer raises, looking around goes on
            logger.debug("no nudges are heard now: %s", error)
        await asyncio.sleep(_LOOK_EVERY)


async def _listen(layer: Any, nudged: asyncio.Event) -> None:
    channel = await layer.new_channel()
    receiving = asyncio.create_task(layer.receive(channel))
    joined = -_JOIN_EVERY
    try:
        while True:
            if time.monotonic() - joined >= _JOIN_EVERY:
                async with asyncio.timeout(_REDIS_WITHIN):
                    await ending(layer.group_add(REVIEW, channel))
                joined = time.monotonic()
            await asyncio.wait({receiving}, timeout=_JOIN_EVERY)
            if receiving.done():
                receiving.result()
                nudged.set()
                receiving = asyncio.create_task(layer.receive(channel))
    finally:
        await cancelled(receiving)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_REDIS_WITHIN):
                await ending(layer.group_discard(REVIEW, channel))

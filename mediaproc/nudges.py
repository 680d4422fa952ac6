"""Telling listeners that there is news of something. A nudge carries nothing but whose news it is, and may be lost.

Whoever writes it down may be a worker, a thread, a request under an event loop or a forked child: none of them should
wait for Redis, and a channel layer cannot be called from all of them. So one thread a process, with an event loop of
its own, sends the nudges; those that come while it is busy are sent together, equal ones once.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

T = TypeVar("T")

Nudge = tuple[str, tuple[tuple[str, str], ...]]  # a group of the channel layer, and a message as sorted pairs

_SEND_WITHIN = 2.0
_CANCEL_EVERY = 0.1
_AT_EXIT_WITHIN = 0.5


class _Sender:
    """The thread, started with the first nudge, and the nudges that wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: set[Nudge] = set()
        self._busy = False
        self._started = False

    def add(self, nudge: Nudge) -> None:
        with self._changed:
            if not self._started:
                threading.Thread(target=self._run, name="nudges", daemon=True).start()
                self._started = True
            self._waiting.add(nudge)
            self._changed.notify_all()

    def flush(self, within: float) -> bool:
        deadline = time.monotonic() + within
        with self._changed:
            while self._waiting or self._busy:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return False
        return True

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while True:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
                    while not self._waiting:
                        self._changed.wait()
                    nudges, self._waiting, self._busy = self._waiting, set(), True
                runner.run(_send(nudges))


async def ending(work: Coroutine[Any, Any, T]) -> T:
    """``await work``, which really ends when it is cancelled.

    A Redis client may take a cancellation for a connection that was lost, and go on with another.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
        return task.result()
    finally:
        await cancelled(task)


async def cancelled(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks until they have ended, however often they take it for something else."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_EVERY)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # asked for, so that nobody is told that it was not


async def _send(nudges: set[Nudge]) -> None:
    try:
        layer = get_channel_layer()
        if layer is None:
            return
        async with asyncio.timeout(_SEND_WITHIN):
            for group, message in nudges:
                await ending(layer.group_send(group, dict(message)))
    except Exception as error:  # noqa: BLE001 - whatever the layer raises: what happened is stored, listeners look themselves
        logger.debug("%d nudges were not sent: %s", len(nudges), error)


_sender = _Sender()


def nudge(group: str, **message: str) -> None:
    """Send ``message``, with the ``type`` that channels know, to the listeners of a group.

    Returns at once, raises nothing, works in every thread and process.
    """
    _sender.add((group, tuple(sorted(message.items()))))


def nudges_flush(within: float = _AT_EXIT_WITHIN) -> bool:
    """Wait until all nudges are sent or given up, at most ``within`` seconds; whether they were.

    For processes that leave by ``os._exit``; others do it by themselves at their end.
    """
    return _sender.flush(within)


def _start_anew() -> None:
    """In a forked child: the thread stayed behind, and so may have a lock that it held."""
    global _sender  # noqa: PLW0603 - one a process is the point
    _sender = _Sender()


os.register_at_fork(after_in_child=_start_anew)
atexit.register(nudges_flush)

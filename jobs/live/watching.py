"""What all who follow jobs in one process share: an ear on the channel layer, and one thread that asks Postgres.

While nothing happens a follower is a waiting coroutine and nothing more, and one small query a second serves them all.
The watch begins with the first follower of an event loop and ends with its last: then it holds no connection at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import Error, connections
from django.db.models import Max

from detect.errors import MediaprocError
from jobs.events import ALL_JOBS
from jobs.models import AnnotationEvent, AnnotationJob, DetectJob, JobEvent
from mediaproc.nudges import cancelled, ending

logger = logging.getLogger(__name__)

T = TypeVar("T")

_LOOK_EVERY = 1.0
_JOIN_EVERY = 20.0  # a Redis that was emptied has forgotten who is in the group
_REDIS_WITHIN = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_closing: set[asyncio.Task[None]] = set()  # an event loop does not keep its tasks alive
_NOT_ASKED = object()  # None is the answer for a job that is not there


class Watch:
    """Wakes those who wait for a job, or (None) for any job, whenever there may be something new."""

    def __init__(self) -> None:
        self._waiting: defaultdict[UUID | None, set[asyncio.Event]] = defaultdict(set)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="job-events")
        self._heads: dict[UUID | None, Any] = {}
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._look_around())]

    def add(self, job_id: UUID | None, woken: asyncio.Event) -> None:
        self._waiting[job_id].add(woken)

    def remove(self, job_id: UUID | None, woken: asyncio.Event) -> bool:
        """Whether anybody is left."""
        self._waiting[job_id].discard(woken)
        if not self._waiting[job_id]:
            del self._waiting[job_id]
        return bool(self._waiting)

    async def ask(self, question: Callable[..., T], *arguments: object) -> T:
        """Ask the database in the reading thread, again and again while it is away."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._reader, _answer, question, arguments)
            except (Error, MediaprocError) as error:  # its restart, or the embedded server's start that failed
                logger.debug("events cannot be read now: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def close(self) -> None:
        """End the watch; that goes on to its end even where who calls this is cancelled meanwhile."""
        closing = asyncio.create_task(self._close())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        await asyncio.shield(closing)

    async def _close(self) -> None:
        try:
            await cancelled(*self._tasks)
        finally:  # also where the event loop itself ends
            self._reader.submit(connections.close_all)
            self._reader.shutdown(wait=False)

    def _wake(self, job_id: UUID | None) -> None:
        for woken in self._waiting.get(job_id, ()):
            woken.set()

    async def _look_around(self) -> None:
        """Find what no nudge told."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            heads = await self.ask(_heads, list(self._waiting))
            for job_id in list(self._waiting):
                # who came while we asked has looked by itself, and is compared with the next answer
                if job_id in heads and heads[job_id] != self._heads.get(job_id, _NOT_ASKED):
                    self._wake(job_id)
            self._heads = heads

    async def _hear(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            try:
                await self._listen(layer)
            except Exception as error:  # noqa: BLE001 - whatever the layer raises, looking around goes on
                logger.debug("no nudges are heard now: %s", error)
            await asyncio.sleep(_LOOK_EVERY)

    async def _listen(self, layer: Any) -> None:
        channel = await layer.new_channel()
        receiving = asyncio.create_task(layer.receive(channel))
        try:
            joined = -_JOIN_EVERY
            while True:
                if time.monotonic() - joined >= _JOIN_EVERY:
                    async with asyncio.timeout(_REDIS_WITHIN):
                        await ending(layer.group_add(ALL_JOBS, channel))
                    joined = time.monotonic()
                await asyncio.wait({receiving}, timeout=_JOIN_EVERY)
                if receiving.done():
                    self._wake(UUID(receiving.result()["job_id"]))
                    self._wake(None)
                    receiving = asyncio.create_task(layer.receive(channel))
        finally:
            await cancelled(receiving)
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_REDIS_WITHIN):
                    await ending(layer.group_discard(ALL_JOBS, channel))


_watches: dict[asyncio.AbstractEventLoop, Watch] = {}


class Listener:
    """One follower's place in the watch."""

    def __init__(self, watch: Watch, woken: asyncio.Event) -> None:
        self._watch, self._woken = watch, woken

    async def ask(self, question: Callable[..., T], *arguments: object) -> T:
        """Look into the database. What becomes visible after this look has begun ends the next :meth:`news`."""
        self._woken.clear()
        return await self._watch.ask(question, *arguments)

    async def news(self) -> None:
        """Wait until there may be something new since the last look."""
        await self._woken.wait()


@contextlib.asynccontextmanager
async def listening(job_id: UUID | None) -> AsyncIterator[Listener]:
    """Be woken for a job's news, or with None for any job's."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None:
        watch = _watches[loop] = Watch()
    woken = asyncio.Event()
    watch.add(job_id, woken)
    try:
        yield Listener(watch, woken)
    finally:
        if not watch.remove(job_id, woken):
            del _watches[loop]
            await watch.close()


def _answer(question: Callable[..., T], arguments: tuple[object, ...]) -> T:
    """In the reading thread: a connection that broke is let go, so that the next question makes another."""
    try:
        return question(*arguments)
    except (Error, MediaprocError):
        with contextlib.suppress(Error):
            connections.close_all()
        raise


def _heads(watched: list[UUID | None]) -> dict[UUID | None, Any]:
    """What changes with each event: of a job or batch its state and last number, None once deleted; of all the last
    ids.
    """
    jobs = [job_id for job_id in watched if job_id is not None]
    heads: dict[UUID | None, Any] = dict.fromkeys(watched)
    if jobs:
        rows = DetectJob.objects.filter(id__in=jobs).order_by().values_list("id", "status", "last_event")
        batches = AnnotationJob.objects.filter(id__in=jobs).order_by().values_list("id", "state", "last_event")
        heads |= {job_id: (status, number) for job_id, status, number in (*rows, *batches)}
    if None in heads:
        heads[None] = tuple(events.objects.aggregate(last=Max("id"))["last"] for events in (JobEvent, AnnotationEvent))
    return heads

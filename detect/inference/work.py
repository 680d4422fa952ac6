"""A bounded number of requests at once: the event loop stays free, and a crowd is told to come back later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from detect.errors import MediaprocError

T = TypeVar("T")


class OverloadedError(MediaprocError):
    """As many requests wait as may wait."""

    code = "overloaded"
    status = 503


class WorkQueue:
    """Runs functions on ``at_once`` threads; ``most_waiting`` more may wait for one."""

    def __init__(self, *, at_once: int, most_waiting: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="inference")
        self._at_once, self._most = at_once, at_once + most_waiting
        self._taken = 0

    @property
    def busy(self) -> int:
        return min(self._taken, self._at_once)

    @property
    def waiting(self) -> int:
        return max(0, self._taken - self._at_once)

    async def run(self, function: Callable[[], T]) -> T:
        """The function's result. Raises :class:`OverloadedError` at once when the queue is full.

        A place is taken until the function has ended, also where the client has gone in the meantime.
        """
        if self._taken >= self._most:
            raise OverloadedError(f"{self._at_once} requests are worked on and {self.waiting} wait: try again")
        self._taken += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, function)
        future.add_done_callback(self._give_back)
        return await asyncio.shield(future)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _give_back(self, _: object) -> None:
        self._taken -= 1

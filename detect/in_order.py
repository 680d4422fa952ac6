"""Several items worked on at once, on threads: what OpenCV, models and decoders do leaves Python's lock alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(work: Callable[[T], R], items: Iterable[T], threads: int) -> Generator[R]:
    """What ``work`` makes of each item, in the order of the items, ``threads`` of them worked on at once.

    Items are taken on the caller's thread, as they are needed: as many wait as are worked on. What ``work`` raises is
    raised in its place; nothing is left running when the iterator ends or is closed.
    """
    if threads < 2:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="in-order")
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) == 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

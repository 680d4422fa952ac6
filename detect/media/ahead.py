"""Reading ahead: what has to be decoded is got ready on a thread of its own while what came before is worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


@contextmanager
def read_ahead(source: Iterable[T], most: int) -> Iterator[Iterator[T]]:
    """Give the items of ``source``, at most ``most`` of which wait at any time.

    What ``source`` raises is raised where its items are taken. The thread has ended when the block is left, however it
    is left; ``source`` may then be used by the caller again.
    """
    ahead = _Ahead(source, most)
    ahead.start()
    try:
        yield ahead.items()
    finally:
        ahead.stop()


class _Ahead(Generic[T]):
    def __init__(self, source: Iterable[T], most: int) -> None:
        self._source = source
        self._queue: Queue[_Item[T] | None] = Queue(maxsize=most)
        self._stopped = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._fill, name="read-ahead", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def items(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            yield item.value
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        self._stopped.set()
        # The thread puts at most one thing after this: with the queue empty it never waits for room again.
        with suppress(Empty):
            while True:
                self._queue.get_nowait()
        self._thread.join()

    def _fill(self) -> None:
        try:
            for value in self._source:
                if self._stopped.is_set():
                    return
                self._queue.put(_Item(value))
        except BaseException as error:  # noqa: BLE001 - it is raised again on the thread that takes the items
            self._error = error
        if not self._stopped.is_set():
            self._queue.put(None)


class _Item(Generic[T]):
    """Tells an item that is None from the end."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

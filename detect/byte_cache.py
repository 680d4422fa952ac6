"""Values kept in memory as long as they fit, the ones used last staying longest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """At most ``limit`` bytes of values, as ``size`` measures them. Safe for use from several threads.

    A value larger than a quarter of the limit is not kept: it would drive out everything else.
    """

    def __init__(self, limit: int, size: Callable[[V], int]) -> None:
        self._limit, self._size = limit, size
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()
        self.used = 0

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value under ``key``, made now where it is not kept. Two threads may make the same one at once."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = make()
        size = self._size(value)
        if size * 4 <= self._limit:
            with self._lock:
                if key not in self._kept:
                    self._kept[key] = value
                    self.used += size
                while self.used > self._limit:
                    self.used -= self._size(self._kept.popitem(last=False)[1])
        return value

"""Reading ahead on a thread: order, errors, how far ahead, and that nothing is left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from detect.media.ahead import read_ahead


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_all_items_come_in_their_order() -> None:
    with read_ahead([3, None, 1, None], 1) as items:
        assert list(items) == [3, None, 1, None]
    assert running() == []


def test_what_the_source_raises_comes_after_what_it_gave() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), read_ahead(source(), 4) as items:
        assert next(items) == 1
        next(items)
    assert running() == []


def test_no_more_wait_than_were_asked_for() -> None:
    made, full = [], threading.Event()

    def source() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 3:
                full.set()
            yield number

    with read_ahead(source(), 3) as items:
        assert full.wait(30)  # three wait, the fourth is in hand
        assert len(made) == 4
        assert next(items) == 0
    assert len(made) <= 6 and running() == []


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_leaving_early_ends_the_thread(taken: int) -> None:
    def source() -> Iterator[int]:
        number = 0
        while True:
            yield (number := number + 1)

    class StoppedError(Exception):
        pass

    with pytest.raises(StoppedError), read_ahead(source(), 2) as items:
        for _ in range(taken):
            next(items)
        raise StoppedError
    assert running() == []

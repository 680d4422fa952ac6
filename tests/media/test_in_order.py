"""Items worked on at once: their order, their errors, and that no more is taken than is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Lock

import pytest

from detect.in_order import in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads):
    assert list(in_order(lambda item: item * item, range(20), threads)) == [item * item for item in range(20)]
    assert list(in_order(str, [], threads)) == []


def test_two_are_worked_on_at_once():
    both = Barrier(2, timeout=30)
    assert list(in_order(lambda item: (both.wait(), item)[1], range(4), 2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_in_its_place_and_ends_the_work(threads):
    done: list[int] = []
    lock = Lock()

    def work(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        with lock:
            done.append(item)
        return item

    results = in_order(work, range(1000), threads)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert list(results) == []
    assert len(done) < 20


def test_items_are_taken_as_they_are_needed():
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = in_order(lambda item: item, items(), 2)
    assert next(results) == 0
    assert len(taken) <= 4
    results.close()
    assert len(taken) <= 4

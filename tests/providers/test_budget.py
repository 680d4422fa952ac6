"""Money is never given out twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.providers.budget import Budget, as_text

cents = st.integers(0, 500).map(lambda n: Decimal(n) / 100)


def test_a_call_fits_to_the_last_cent_and_not_beyond() -> None:
    budget = Budget(Decimal("0.30"))
    assert budget.reserve(Decimal("0.10")) == Decimal("0.10")
    assert budget.reserve(Decimal("0.20")) == Decimal("0.20")
    assert budget.reserve(Decimal("0.00000001")) is None


def test_what_was_not_needed_comes_back() -> None:
    budget = Budget(Decimal("0.30"))
    budget.settle(budget.reserve(Decimal("0.30")) or Decimal(0), Decimal("0.10"))
    assert budget.spent == Decimal("0.10")
    assert budget.reserve(Decimal("0.20")) is not None


def test_what_is_free_fits_in_nothing_left() -> None:
    budget = Budget(Decimal(0))
    budget.count(Decimal("0.5"))
    assert budget.reserve(Decimal(0)) == 0
    assert budget.reserve(Decimal("0.01")) is None


def test_calls_dearer_than_thought_make_more_be_set_aside() -> None:
    budget = Budget(Decimal("1.00"))
    budget.settle(budget.reserve(Decimal("0.10")) or Decimal(0), Decimal("0.30"))
    assert budget.reserve(Decimal("0.10")) == Decimal("0.30")
    assert budget.reserve(Decimal("0.10")) == Decimal("0.30")
    assert budget.reserve(Decimal("0.10")) is None


@given(limit=cents, calls=st.lists(st.tuples(cents, st.integers(0, 100), st.booleans()), max_size=30))
def test_spending_never_exceeds_the_limit(limit: Decimal, calls: list[tuple[Decimal, int, bool]]) -> None:
    budget = Budget(limit)
    open_calls: list[tuple[Decimal, Decimal]] = []
    for worst, percent, settle_now in calls:
        reserved = budget.reserve(worst)
        if reserved is not None:
            open_calls.append((reserved, worst * percent / 100))
        if settle_now and open_calls:
            budget.settle(*open_calls.pop(0))
    for reserved, actual in open_calls:
        budget.settle(reserved, actual)
    assert budget.spent <= limit


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0"), ("0E-8", "0"), ("1.50", "1.5"), ("1E+2", "100"), ("0.00000015", "0.00000015")]
)
def test_amounts_are_written_plainly(amount: str, text: str) -> None:
    assert as_text(Decimal(amount)) == text

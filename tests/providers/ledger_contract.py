"""What every :class:`~detect.providers.limits.Ledger` must do.

A test module subclasses :class:`LedgerContract` and gives a ``ledger`` fixture.
"""

from __future__ import annotations

from decimal import Decimal

from detect.providers.limits import Ledger, Spent

DIGEST = "a" * 64
MOST = Decimal("0.0045")


class LedgerContract:
    """Duties of a ledger."""

    def test_nothing_is_spent_at_first(self, ledger: Ledger) -> None:
        assert ledger.spent() == Spent(0, Decimal(0))

    def test_an_open_call_counts_with_the_most_it_can_cost(self, ledger: Ledger) -> None:
        ledger.open(DIGEST, MOST)
        assert ledger.spent() == Spent(1, MOST)

    def test_a_closed_one_counts_with_what_it_came_to(self, ledger: Ledger) -> None:
        ledger.open(DIGEST, MOST)
        ledger.close(ledger.open("b" * 64, MOST), calls=2, usd=Decimal("0.00086001"))
        assert ledger.spent() == Spent(3, MOST + Decimal("0.00086001"))

    def test_a_call_dearer_than_was_reckoned_is_known_from_then_on(self, ledger: Ledger) -> None:
        ledger.close(ledger.open(DIGEST, MOST), calls=2, usd=MOST * 3)
        ledger.close(ledger.open(DIGEST, MOST), calls=1, usd=MOST / 9)
        ledger.open(DIGEST, MOST)
        assert ledger.spent().overrun == Decimal("1.5")

    def test_one_that_came_to_nothing_does_not_count(self, ledger: Ledger) -> None:
        ledger.close(ledger.open(DIGEST, MOST), calls=0, usd=Decimal(0))
        assert ledger.spent() == Spent(0, Decimal(0))

    def test_the_same_question_asked_twice_was_paid_for_twice(self, ledger: Ledger) -> None:
        ledger.open(DIGEST, MOST)
        ledger.open(DIGEST, MOST)
        assert ledger.spent() == Spent(2, 2 * MOST)

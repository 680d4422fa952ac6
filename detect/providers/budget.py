"""Money: no call is made that could spend more than a run may."""

from __future__ import annotations

import threading
from decimal import Decimal


class Budget:
    """A limit in US dollars, shared by concurrent calls.

    A call reserves the most it can cost before it is made and settles for what it did cost. As a reservation is never
    below the real cost, whether a call fits once all earlier ones are settled does not depend on the order in which
    they end.
    """

    def __init__(self, limit: Decimal) -> None:
        self.limit = limit
        self._spent = Decimal(0)
        self._reserved = Decimal(0)
        self._overrun = Decimal(1)
        self._lock = threading.Lock()

    @property
    def spent(self) -> Decimal:
        return self._spent

    def reserve(self, worst: Decimal) -> Decimal | None:
        """Set money aside for a call that costs at most ``worst``; None if it could break the limit.

        Once a call turned out dearer than was thought (a provider that counts more tokens a picture than configured),
        more is set aside in proportion. Give what is returned to :meth:`settle`. A call without a price always fits.
        """
        with self._lock:
            amount = worst * self._overrun
            if amount and self._spent + self._reserved + amount > self.limit:
                return None
            self._reserved += amount
            return amount

    def settle(self, reserved: Decimal, actual: Decimal) -> None:
        """Give a reservation back and count what was really spent."""
        with self._lock:
            self._reserved -= reserved
            self._spent += actual
            if reserved:
                self._overrun = max(self._overrun, self._overrun * actual / reserved)

    def count(self, usd: Decimal) -> None:
        """Count an answer that was paid for earlier: a resumed run then decides as the uninterrupted one did."""
        with self._lock:
            self._spent += usd


def as_text(usd: Decimal) -> str:
    """An amount as plain text: no exponent, no zeros at its end."""
    return f"{usd.normalize():f}" if usd else "0"

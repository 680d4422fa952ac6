"""Money: no call is made that could spend more than a run may."""

from __future__ import annotations

import threading
from decimal import Decimal

from detect.providers.limits import ModelLimits


class Budget:
    """A limit in US dollars, shared by concurrent calls.

    A call reserves the most it can cost before it is made and settles for what it did cost. As a reservation is never
    below the real cost, whether a call fits once all earlier ones are settled does not depend on the order in which
    they end.

    ``limits`` of the run count beside it, and only what the run itself asks. Once :meth:`reserve` gave None,
    ``refusal`` says why, and ``refused_by_run`` whether those limits were the reason.
    """

    def __init__(self, limit: Decimal, limits: ModelLimits | None = None) -> None:
        self.limit = limit
        self.refusal = ""
        self.refused_by_run = False
        self._spent = Decimal(0)
        self._reserved = Decimal(0)
        self._limits = limits or ModelLimits()
        before = self._limits.ledger.spent()
        self._run_spent, self._run_calls, self._overrun = before.usd, before.calls, before.overrun
        self._lock = threading.Lock()

    @property
    def spent(self) -> Decimal:
        return self._spent

    def reserve(self, worst: Decimal) -> Decimal | None:
        """Set money aside for a call that costs at most ``worst``; None if it could break the limit.

        Once a call turned out dearer than was thought (a provider that counts more tokens a picture than configured),
        more is set aside in proportion. Give what is returned to :meth:`settle` or :meth:`release`. A call without a
        price always fits the money.
        """
        with self._lock:
            amount = worst * self._overrun
            refusal = self._over_budget(amount)
            self.refused_by_run = not refusal and bool(self._over_limits(amount))
            self.refusal = refusal or self._over_limits(amount)
            if self.refusal:
                return None
            self._reserved += amount
            self._run_calls += 1
            return amount

    def settle(self, reserved: Decimal, actual: Decimal) -> None:
        """Give a reservation back and count what was really spent."""
        with self._lock:
            self._reserved -= reserved
            self._spent += actual
            self._run_spent += actual
            if reserved:
                self._overrun = max(self._overrun, self._overrun * actual / reserved)

    def release(self, reserved: Decimal) -> None:
        """Give a reservation back for a call that was not made, or that the provider did not take."""
        with self._lock:
            self._reserved -= reserved
            self._run_calls -= 1

    def count(self, usd: Decimal) -> None:
        """Count an answer that was paid for earlier: a resumed run then decides as the uninterrupted one did."""
        with self._lock:
            self._spent += usd

    def _over_budget(self, amount: Decimal) -> str:
        over = amount and self._spent + self._reserved + amount > self.limit
        return f"budget of ${as_text(self.limit)} would be exceeded" if over else ""

    def _over_limits(self, amount: Decimal) -> str:
        usd, calls = self._limits.usd, self._limits.calls
        if usd is not None and amount and self._run_spent + self._reserved + amount > usd:
            return f"the run's limit of ${as_text(usd)} would be exceeded"
        if calls is not None and self._run_calls + 1 > calls:
            return f"the run's limit of {calls} model calls is reached"
        return ""


def as_text(usd: Decimal) -> str:
    """An amount as plain text: no exponent, no zeros at its end."""
    return f"{usd.normalize():f}" if usd else "0"

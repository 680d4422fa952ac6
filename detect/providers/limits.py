"""What one run may ask of models, over all of its stages, processes and restarts.

Limits are a guard beside the budgets in a stage's options: they are part of no key, so whatever was answered within
them is found again by a run with other limits or with none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class Spent:
    """Calls that a run made and the dollars they cost; calls whose end nobody knows count with the most they can.

    ``overrun`` is how many times the most that was reckoned for it the dearest call cost, never below 1.
    """

    calls: int = 0
    usd: Decimal = Decimal(0)
    overrun: Decimal = Decimal(1)


class Ledger(Protocol):
    """Remembers what one run asks of models, before it asks.

    Duties of an implementation: what ``open`` and ``close`` write is durable when they return. Callers use it from the
    thread that runs the stage and from no other. ``tests/providers/ledger_contract.py`` holds the suite that every
    implementation passes.
    """

    def spent(self) -> Spent:
        """All calls until now, open ones included."""

    def open(self, digest: str, most: Decimal) -> int:
        """Note that the question ``digest`` is about to be asked, for at most ``most`` dollars. Returns the entry."""

    def close(self, entry: int, *, calls: int, usd: Decimal) -> None:
        """Note what the entry came to; nothing at all is as if it had never been opened."""


class MemoryLedger:
    """Remembers for the life of the process."""

    def __init__(self) -> None:
        self._entries: list[Spent] = []
        self._most: list[Decimal] = []

    def spent(self) -> Spent:
        usd = sum((entry.usd for entry in self._entries), Decimal(0))
        overrun = max((entry.overrun for entry in self._entries), default=Decimal(1))
        return Spent(sum(entry.calls for entry in self._entries), usd, overrun)

    def open(self, digest: str, most: Decimal) -> int:
        self._entries.append(Spent(1, most))
        self._most.append(most)
        return len(self._entries) - 1

    def close(self, entry: int, *, calls: int, usd: Decimal) -> None:
        reckoned = self._most[entry] * calls
        self._entries[entry] = Spent(calls, usd, max(Decimal(1), usd / reckoned) if reckoned else Decimal(1))


@dataclass(frozen=True)
class ModelLimits:
    """The most that a run may spend (``usd``) and how often it may call (``calls``); None is no limit.

    Answers that were stored before cost nothing here. Candidates beyond a limit stay unresolved with the reason, and
    the stage's output is incomplete: a later run without the limit asks about them.
    """

    usd: Decimal | None = None
    calls: int | None = None
    ledger: Ledger = field(default_factory=MemoryLedger)

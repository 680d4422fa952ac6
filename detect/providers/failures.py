"""How a call to a provider can fail, sorted by what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass

from detect.errors import ProviderError


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, or of several added up."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)


class CallFailedError(ProviderError):
    """One call failed. ``message`` is a reason for people; it never holds a key."""

    #: Whether the same call may succeed a little later.
    retryable = True
    #: Whether every other question to this provider would fail in the same way.
    for_all = False
    #: Whether nothing came back at all.
    unreachable = False
    #: What the provider charged although its answer was of no use.
    usage: Usage | None = None
    #: Whether the provider may have charged for it without our being told how much.
    maybe_charged = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(CallFailedError):
    """No connection."""

    unreachable = True


class BrokenOffError(CallFailedError):
    """The question was sent, and no complete answer came back: too slow, too long, or the connection broke."""

    unreachable = True
    maybe_charged = True


class BusyError(CallFailedError):
    """The provider asked to come back later (429) or failed inside (5xx)."""


class RefusedError(CallFailedError):
    """The provider will not answer this question, however often it is asked."""

    retryable = False


class MisconfiguredError(CallFailedError):
    """Key, address, model or account are wrong: no question can be answered."""

    retryable = False
    for_all = True


class NonsenseError(CallFailedError):
    """An answer came, and was charged, but it is none."""

    def __init__(self, message: str, *, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage


class OverBudgetError(CallFailedError):
    """Asking once more could break the budget, or with ``by_run`` a limit of the run."""

    retryable = False

    def __init__(self, message: str, *, by_run: bool) -> None:
        super().__init__(message)
        self.by_run = by_run

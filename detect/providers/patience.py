"""Asking a question until it is answered, or until asking again makes no sense."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from decimal import Decimal

import tenacity

from detect.providers.budget import Budget
from detect.providers.failures import CallFailedError, NonsenseError, OverBudgetError, Usage
from detect.providers.openai_client import OpenAIClient, Reply
from detect.providers.questions import Question

_LONGEST_WAIT = 30.0
_RETRY_TEMPERATURE = 0.4


@dataclass(frozen=True)
class Outcome:
    """How asking ended: with a reply or with the last failure, and what all attempts together cost.

    ``calls`` and ``counted`` are what the budget counts: calls that were charged, or may have been.
    """

    reply: Reply | None
    failure: CallFailedError | None
    usage: Usage
    usd: Decimal
    attempts: int
    calls: int
    counted: Decimal


def ask_patiently(
    client: OpenAIClient,
    question: Question,
    budget: Budget,
    reserved: Decimal,
    give_up: threading.Event,
    *,
    name: str = "",
) -> Outcome:
    """Ask, with exponential back-off and jitter between attempts, honouring ``Retry-After``.

    ``name`` stands for the question wherever and however often it is asked: providers may charge once for it.

    ``reserved`` is what the budget has set aside for the first attempt; each further one that follows a charge sets
    money aside again. Once ``give_up`` is set no further attempt is made. Provider trouble is returned, not raised.
    """
    attempts = _Attempts(client, question, budget, give_up, reserved, name)
    provider = client.provider
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, CallFailedError) and error.retryable),
        stop=tenacity.stop_any(
            tenacity.stop_after_attempt(provider.max_attempts),
            # Also ends the matter when Retry-After asks for more than there is time for.
            tenacity.stop_before_delay(provider.give_up_after_s),
            tenacity.stop_when_event_set(give_up),
        ),
        wait=_Wait(provider.backoff_s),
        sleep=attempts.nap,
        reraise=True,
    )
    try:
        reply, failure = retrying(attempts), None
    except CallFailedError as error:
        reply, failure = None, error
    finally:
        attempts.release()
    return Outcome(
        reply, failure, attempts.usage, attempts.usd, attempts.made, calls=attempts.calls, counted=attempts.counted
    )


class _Wait(tenacity.wait.wait_base):
    """Exponential with jitter, and never shorter than the server asked for."""

    def __init__(self, backoff: float) -> None:
        self._exponential = tenacity.wait_exponential_jitter(initial=backoff, max=_LONGEST_WAIT, jitter=backoff)

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = error.retry_after if isinstance(error, CallFailedError) else None
        return max(self._exponential(retry_state), asked or 0.0)


@dataclass
class _Attempts:
    """The attempts at one question: each one call, with the money for it."""

    client: OpenAIClient
    question: Question
    budget: Budget
    give_up: threading.Event
    reserved: Decimal | None
    name: str = ""
    made: int = 0
    nonsense: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: Decimal = Decimal(0)
    calls: int = 0
    counted: Decimal = Decimal(0)
    last_failure: CallFailedError | None = None

    def __call__(self) -> Reply:
        if self.reserved is None:
            self.reserved = self.budget.reserve(self.question.most_usd(self.client.provider))
        if self.reserved is None:
            raise OverBudgetError(self.budget.refusal, by_run=self.budget.refused_by_run)
        self.made += 1
        # A model that answered nonsense would answer the same at temperature 0.
        temperature = _RETRY_TEMPERATURE if isinstance(self.last_failure, NonsenseError) else 0.0
        key = f"{self.name}:{self.nonsense}" if self.name else ""  # after nonsense another answer is wanted
        try:
            reply = self.client.ask(self.question, temperature=temperature, idempotency_key=key)
        except CallFailedError as error:
            self.last_failure = error
            self.nonsense += isinstance(error, NonsenseError)
            if error.usage is not None:
                self._charge(error.usage)
            elif error.maybe_charged:
                self._settle(self.reserved)
            raise
        self._charge(reply.usage)
        return reply

    def nap(self, seconds: float) -> None:
        """Wait before the next attempt; raises the last failure when there shall be none."""
        if self.give_up.wait(seconds) and self.last_failure is not None:
            raise self.last_failure

    def release(self) -> None:
        """Give back what was set aside and not needed."""
        if self.reserved is not None:
            self.budget.release(self.reserved)
            self.reserved = None

    def _charge(self, usage: Usage) -> None:
        price = self.client.provider.price(usage.input_tokens, usage.output_tokens)
        self.usage += usage
        self.usd += price
        self._settle(price)

    def _settle(self, actual: Decimal) -> None:
        if self.reserved is not None:
            self.budget.settle(self.reserved, actual)
            self.reserved = None
            self.calls += 1
            self.counted += actual

"""Asking again: when, how often, after how long, and with whose money."""

from __future__ import annotations

import socket
import threading
from decimal import Decimal

from detect.providers.budget import Budget
from detect.providers.catalog import Provider
from detect.providers.failures import (
    BrokenOffError,
    BusyError,
    MisconfiguredError,
    NonsenseError,
    OverBudgetError,
    RefusedError,
    UnreachableError,
    Usage,
)
from detect.providers.openai_client import OpenAIClient
from detect.providers.patience import Outcome, ask_patiently
from tests.providers.chat_server import Ask, Reaction, chat_server, completion, error, in_turn, verdict
from tests.providers.made import KEY, PRICES, RecordedWaits, provider, question

BUSY = error(503, "overloaded")
NONSENSE = completion("no idea")


def ask(one: Provider, budget: Budget | None = None, give_up: threading.Event | None = None) -> Outcome:
    budget = Budget(Decimal(1)) if budget is None else budget
    reserved = budget.reserve(question().most_usd(one))
    assert reserved is not None
    with OpenAIClient(one, KEY) as client:
        return ask_patiently(client, question(), budget, reserved, give_up or RecordedWaits())


def test_an_answer_at_once_needs_one_attempt() -> None:
    with chat_server(in_turn(verdict())) as server:
        outcome = ask(provider(server.base_url))
    assert outcome.reply is not None
    assert (outcome.attempts, outcome.usage, outcome.failure) == (1, Usage(400, 30), None)


def test_a_busy_provider_is_asked_again_after_growing_waits() -> None:
    waits = RecordedWaits()
    with chat_server(in_turn(BUSY, BUSY, BUSY, verdict())) as server:
        outcome = ask(provider(server.base_url, max_attempts=4, backoff_s=1.0), give_up=waits)
    assert outcome.reply is not None
    assert outcome.attempts == 4
    # doubling, and up to the first wait of jitter on top
    assert [low <= wait <= low + 1 for wait, low in zip(waits.waits, (1, 2, 4), strict=True)] == [True] * 3


def test_retry_after_is_honoured() -> None:
    waits = RecordedWaits()
    limited = error(429, "slow down", headers={"Retry-After": "12"})
    with chat_server(in_turn(limited, verdict())) as server:
        outcome = ask(provider(server.base_url), give_up=waits)
    assert outcome.reply is not None
    assert waits.waits == [12.0]


def test_a_wait_beyond_the_time_there_is_ends_the_matter_at_once() -> None:
    waits = RecordedWaits()
    limited = error(429, "slow down", headers={"Retry-After": "3600"})
    with chat_server(in_turn(limited, verdict())) as server:
        outcome = ask(provider(server.base_url, give_up_after_s=60), give_up=waits)
    assert isinstance(outcome.failure, BusyError)
    assert (outcome.attempts, waits.waits) == (1, [])


def test_attempts_are_counted_and_end() -> None:
    with chat_server(in_turn(BUSY)) as server:
        outcome = ask(provider(server.base_url, max_attempts=3))
    assert isinstance(outcome.failure, BusyError)
    assert outcome.failure.message == "status 503: overloaded"
    assert outcome.attempts == len(server.asks) == 3


def test_a_provider_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        outcome = ask(provider(f"http://127.0.0.1:{unheard.getsockname()[1]}/v1"))
    assert isinstance(outcome.failure, UnreachableError)
    assert (outcome.attempts, outcome.usage) == (3, Usage())


def test_what_cannot_get_better_is_not_tried_again() -> None:
    for reaction, kind in ((error(401), MisconfiguredError), (error(413), RefusedError)):
        with chat_server(in_turn(reaction)) as server:
            outcome = ask(provider(server.base_url))
        assert isinstance(outcome.failure, kind)
        assert len(server.asks) == 1


def test_nonsense_is_asked_again_less_rigidly_and_all_attempts_are_on_the_bill() -> None:
    budget = Budget(Decimal(1))
    with chat_server(in_turn(NONSENSE, verdict())) as server:
        outcome = ask(provider(server.base_url, **PRICES), budget)
    assert outcome.reply is not None
    assert [ask.body["temperature"] for ask in server.asks] == [0.0, 0.4]
    assert (outcome.attempts, outcome.usage) == (2, Usage(800, 60))
    assert outcome.usd == budget.spent == Decimal("0.00172")


def test_nothing_but_nonsense_is_a_failure_that_was_paid() -> None:
    with chat_server(in_turn(NONSENSE)) as server:
        outcome = ask(provider(server.base_url, **PRICES))
    assert isinstance(outcome.failure, NonsenseError)
    assert (outcome.attempts, outcome.usage) == (3, Usage(1200, 90))


def test_another_attempt_is_not_made_when_it_could_break_the_budget() -> None:
    with chat_server(in_turn(NONSENSE, verdict())) as server:
        one = provider(server.base_url, **PRICES)
        budget = Budget(question().most_usd(one))
        outcome = ask(one, budget)
    assert isinstance(outcome.failure, OverBudgetError)
    assert "budget of $" in outcome.failure.message
    assert len(server.asks) == 1
    assert budget.spent == Decimal("0.00086")


def test_a_call_that_broke_off_counts_as_paid_to_be_safe() -> None:
    with chat_server(in_turn(Reaction(hang=True))) as server:
        one = provider(server.base_url, timeout_s=0.1, **PRICES)
        budget = Budget(Decimal(1))
        outcome = ask(one, budget)
    assert isinstance(outcome.failure, BrokenOffError)
    assert len(server.asks) == 3
    assert budget.spent == 3 * question().most_usd(one)
    assert outcome.usage == Usage()


def test_what_was_refused_costs_nothing() -> None:
    with chat_server(in_turn(BUSY)) as server:
        one = provider(server.base_url, **PRICES)
        budget = Budget(question().most_usd(one))
        outcome = ask(one, budget)
    assert isinstance(outcome.failure, BusyError)
    assert outcome.attempts == 3
    assert budget.spent == 0
    assert budget.reserve(budget.limit) is not None


def test_no_attempt_follows_once_it_was_given_up() -> None:
    give_up = threading.Event()

    def fail_and_stop(_ask: Ask) -> Reaction:
        give_up.set()
        return BUSY

    with chat_server(fail_and_stop) as server:
        outcome = ask(provider(server.base_url, backoff_s=30), give_up=give_up)
    assert isinstance(outcome.failure, BusyError)
    assert len(server.asks) == 1


def test_no_attempt_follows_a_wait_in_which_it_was_given_up() -> None:
    class GivenUpMeanwhile(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return True

    with chat_server(in_turn(BUSY, verdict())) as server:
        outcome = ask(provider(server.base_url), give_up=GivenUpMeanwhile())
    assert isinstance(outcome.failure, BusyError)
    assert len(server.asks) == 1

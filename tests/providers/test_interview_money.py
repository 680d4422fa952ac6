"""Many questions: what they cost, and that none is paid for twice."""

from __future__ import annotations

import random
import time
from decimal import Decimal

import pytest
from msgspec.structs import replace

from detect.errors import CancelledError
from detect.providers.answers import MemoryAnswerStore, StoredAnswer
from tests.providers.chat_server import Ask, Behaviour, Reaction, chat_server, completion
from tests.providers.interviewing import COST, NAMES, brands, echo, interview, timeless
from tests.providers.made import PRICES, provider, question


def shuffled(behave: Behaviour, seed: int) -> Behaviour:
    """Takes its time with each request, so that those that are open together end in another order."""

    def late(ask: Ask) -> Reaction:
        time.sleep(random.Random(f"{seed} {ask.read_text}").uniform(0, 0.03))
        return behave(ask)

    return late


def test_a_crop_is_asked_about_once() -> None:
    store = MemoryAnswerStore()
    with chat_server(echo) as server:
        one = provider(server.base_url, concurrency=3)
        first = interview(one, store=store)
        second = interview(one, store=store)
    assert second == first
    assert len(server.asks) == len(NAMES)


def test_what_makes_a_question_another_one() -> None:
    store = MemoryAnswerStore()
    with chat_server(echo) as server:
        one = provider(server.base_url)
        for changed in (one, replace(one, model="other"), replace(one, extra_body={"seed": 1})):
            interview(changed, NAMES[:1], store=store)
        interview(one, NAMES[:1], store=store, nonce=1)
        interview(one, NAMES[1:2], store=store)
        asked = len(server.asks)
        # neither price, key, patience nor name change what is answered
        same = {"name": "renamed", "api_key_env": "", "timeout_s": 9.0, "max_attempts": 9, **PRICES}
        interview(replace(one, **same), NAMES[:1], store=store)
    assert (asked, len(server.asks)) == (5, 5)


def test_a_budget_is_spent_in_order_and_not_exceeded() -> None:
    with chat_server(echo) as server:
        one = provider(server.base_url, **PRICES)
        worst = question(NAMES[0]).most_usd(one)
        limit = 4 * COST + worst  # the fifth fits to the last cent, the sixth does not
        found = interview(one, limit=limit)
    assert brands(found) == NAMES[:5] + [""] * 7
    assert len(server.asks) == 5
    assert found[5].reason == f"budget of ${limit.normalize():f} would be exceeded"
    assert not any(verdict.failed for verdict in found)
    assert sum(Decimal(verdict.call.usd) for verdict in found if verdict.call) == 5 * COST


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("concurrency", [2, 5])
def test_whom_the_money_goes_to_does_not_depend_on_who_answers_first(concurrency: int, seed: int) -> None:
    names = [f"NAME {number:02d}" for number in range(30)]
    with chat_server(echo) as server:
        one = provider(server.base_url, **PRICES)
        limit = 20 * COST + question(names[0]).most_usd(one)
        alone = interview(one, names, limit=limit)
        ended: list[str] = []

        def note(ask: Ask) -> Reaction:
            ended.append(ask.read_text)
            return echo(ask)

        server.behave = shuffled(note, seed)
        together = interview(replace(one, concurrency=concurrency), names, limit=limit)
    assert ended != sorted(ended)  # or nothing was shuffled
    assert timeless(together) == timeless(alone)
    assert brands(alone) == names[:21] + [""] * 9


def test_a_provider_without_price_needs_no_budget() -> None:
    with chat_server(echo) as server:
        assert brands(interview(provider(server.base_url), limit=Decimal(0))) == NAMES


def test_stored_answers_are_used_where_no_money_is_left() -> None:
    store = MemoryAnswerStore()
    with chat_server(echo) as server:
        one = provider(server.base_url, **PRICES)
        interview(one, NAMES[3:5], store=store)
        found = interview(one, store=store, limit=Decimal(0))
    assert brands(found) == [""] * 3 + NAMES[3:5] + [""] * 7
    assert len(server.asks) == 2


class Killed(BaseException):
    """As sudden as a kill: nothing in the program catches it on purpose."""


class DyingStore(MemoryAnswerStore):
    """Dies with the process after some answers were stored."""

    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    def put(self, digest: str, answer: StoredAnswer) -> None:
        if self.lives == 0:
            raise Killed
        self.lives -= 1
        super().put(digest, answer)


@pytest.mark.parametrize("survived", [0, 1, 4, 6])
@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_run_resumed_after_a_kill_ends_as_the_uninterrupted_one(survived: int, concurrency: int) -> None:
    with chat_server(echo) as server:
        one = provider(server.base_url, concurrency=concurrency, **PRICES)
        limit = 6 * COST + question(NAMES[0]).most_usd(one)
        whole = interview(one, limit=limit)
        asked = len(server.asks)

        store = DyingStore(survived)
        with pytest.raises(Killed):
            interview(one, store=store, limit=limit)
        store.lives = -1
        before = [ask.read_text for ask in server.asks[asked:]]
        resumed = interview(one, store=store, limit=limit)
        after = [ask.read_text for ask in server.asks[asked + len(before) :]]
    assert timeless(resumed) == timeless(whole)
    assert brands(whole) == NAMES[:7] + [""] * 5
    # What was stored is not asked again; at most the calls in flight are.
    assert len(after) == 7 - survived
    assert len(before) - survived <= concurrency


def test_a_run_that_is_stopped_keeps_what_is_paid() -> None:
    store = MemoryAnswerStore()
    with chat_server(echo) as server:

        def stop_after_some() -> None:
            if len(server.asks) >= 4:
                raise CancelledError("stopped")

        one = provider(server.base_url, concurrency=2)
        with pytest.raises(CancelledError):
            interview(one, store=store, checkpoint=stop_after_some)
        paid = len(server.asks)
        assert paid < len(NAMES)
        assert brands(interview(one, store=store)) == NAMES
    assert len(server.asks) == len(NAMES)


def test_nonsense_that_was_paid_is_on_the_bill_and_not_stored() -> None:
    store = MemoryAnswerStore()
    with chat_server(lambda ask: completion("no idea")) as server:
        one = provider(server.base_url, **PRICES)
        [found] = interview(one, NAMES[:1], store=store)
        assert found.call is not None
        assert (found.call.input_tokens, found.call.usd) == (1200, f"{3 * COST}")
        assert found.failed
        server.behave = echo
        assert brands(interview(one, NAMES[:1], store=store)) == NAMES[:1]

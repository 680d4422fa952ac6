"""Many questions: order, money, concurrency, interruption and a provider that is gone."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

import pytest
from msgspec.structs import replace

from detect.errors import CancelledError, StorageError
from detect.providers.answers import AnswerStore, MemoryAnswerStore, StoredAnswer
from detect.providers.budget import Budget
from detect.providers.catalog import Provider
from detect.providers.interview import Interview, Verdict
from detect.providers.openai_client import OpenAIClient
from tests.providers.chat_server import Ask, Behaviour, Reaction, chat_server, completion, error, in_turn, verdict
from tests.providers.made import KEY, PRICES, provider, question

NAMES = [f"BRAND {number:02d}" for number in range(12)]
COST = Decimal("0.00086")


def echo(ask: Ask) -> Reaction:
    """The text that was read is the brand."""
    return verdict(ask.read_text)


def interview(
    one: Provider,
    names: Sequence[str] = NAMES,
    *,
    store: AnswerStore | None = None,
    limit: Decimal = Decimal(1),
    checkpoint: Callable[[], None] = lambda: None,
    nonce: int = 0,
) -> list[Verdict]:
    with OpenAIClient(one, KEY) as client:
        asking = Interview(
            client,
            MemoryAnswerStore() if store is None else store,
            Budget(limit),
            nonce=nonce,
            checkpoint=checkpoint,
        )
        return asking.run([partial(question, name) for name in names])


def brands(verdicts: list[Verdict]) -> list[str]:
    return [verdict.answer.answer.brand if verdict.answer else "" for verdict in verdicts]


def timeless(verdicts: list[Verdict]) -> list[object]:
    """Verdicts without how long the calls took, which no two runs agree on."""
    return [
        (
            verdict.answer and replace(verdict.answer, seconds=0.0),
            verdict.reason,
            verdict.call and replace(verdict.call, seconds=0.0),
            verdict.failed,
        )
        for verdict in verdicts
    ]


def shuffled(behave: Behaviour, seed: int) -> Behaviour:
    """Takes its time with each request, so that those that are open together end in another order."""

    def late(ask: Ask) -> Reaction:
        time.sleep(random.Random(f"{seed} {ask.read_text}").uniform(0, 0.03))
        return behave(ask)

    return late


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_verdicts_come_in_the_order_of_the_questions(concurrency: int) -> None:
    with chat_server(echo) as server:
        found = interview(provider(server.base_url, concurrency=concurrency))
    assert brands(found) == NAMES
    assert len(server.asks) == len(NAMES)


@pytest.mark.parametrize("concurrency", [1, 2, 4])
def test_as_many_calls_are_open_at_once_as_are_allowed(concurrency: int) -> None:
    together = threading.Barrier(concurrency)

    def in_company(ask: Ask) -> Reaction:
        together.wait(10)  # passes only when so many requests are open at the same time
        return echo(ask)

    with chat_server(in_company) as server:
        interview(provider(server.base_url, concurrency=concurrency, timeout_s=20))
    assert server.most_at_once == concurrency


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


def test_a_store_that_cannot_keep_answers_stops_the_run() -> None:
    class FullStore(MemoryAnswerStore):
        def put(self, digest: str, answer: StoredAnswer) -> None:
            raise StorageError("the disk is full")

    with chat_server(echo) as server, pytest.raises(StorageError, match="disk is full"):
        interview(provider(server.base_url), store=FullStore())
    assert len(server.asks) == 1


def test_a_question_that_fails_leaves_the_others_alone() -> None:
    def picky(ask: Ask) -> Reaction:
        return error(500, "out of memory") if ask.read_text in (NAMES[2], NAMES[7]) else echo(ask)

    store = MemoryAnswerStore()
    with chat_server(picky) as server:
        one = provider(server.base_url, concurrency=2)
        found = interview(one, store=store)
        assert brands(found) == ["" if index in (2, 7) else name for index, name in enumerate(NAMES)]
        assert found[2].reason == "status 500: out of memory (after 3 attempts)"
        assert [verdict.failed for verdict in found].count(True) == 2
        server.behave = echo
        already = len(server.asks)
        assert brands(interview(one, store=store)) == NAMES
    assert len(server.asks) == already + 2


def test_a_provider_that_is_gone_is_soon_left_alone() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unheard.getsockname()[1]}/v1"
        found = interview(provider(address, stop_after_failures=2))
    assert all(verdict.failed for verdict in found)
    assert "Connection refused (after 3 attempts)" in found[1].reason.replace("[Errno 111] ", "")
    assert found[2].reason.startswith("not asked, provider 'local' is unreachable: no connection to http://127.0.0.1")


def test_a_wrong_key_is_tried_once() -> None:
    with chat_server(lambda ask: error(401)) as server:
        found = interview(provider(server.base_url))
    assert len(server.asks) == 1
    assert found[-1].reason == (
        "not asked, provider 'local' keeps failing: provider 'local' refused access (401); check the key in SOME_KEY"
    )


def test_failures_with_answers_between_them_do_not_close_the_matter() -> None:
    def every_other(ask: Ask) -> Reaction:
        return error(413) if NAMES.index(ask.read_text) % 2 else echo(ask)

    with chat_server(every_other) as server:
        found = interview(provider(server.base_url, stop_after_failures=2))
    assert brands(found) == [name if index % 2 == 0 else "" for index, name in enumerate(NAMES)]


def test_stored_answers_are_used_after_the_provider_went_away() -> None:
    store = MemoryAnswerStore()
    with chat_server(echo) as server:
        one = provider(server.base_url, stop_after_failures=1)
        interview(one, NAMES[6:], store=store)
        server.behave = lambda ask: error(503)
        found = interview(one, store=store)
    assert brands(found) == [""] * 6 + NAMES[6:]


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


def test_progress_ends_at_all_of_them() -> None:
    seen: list[tuple[int, int]] = []
    with chat_server(echo) as server, OpenAIClient(provider(server.base_url, concurrency=3), KEY) as client:
        asking = Interview(
            client, MemoryAnswerStore(), Budget(Decimal(1)), progress=lambda done, total: seen.append((done, total))
        )
        asking.run([partial(question, name) for name in NAMES])
    assert seen == sorted(seen)
    assert seen[-1] == (12, 12)


def test_no_questions_are_no_calls() -> None:
    with chat_server(echo) as server:
        assert interview(provider(server.base_url), []) == []
    assert server.asks == []


class TestIdempotencyKey:
    """What a provider needs to charge once for a question that is asked again after a crash."""

    def test_same_question_has_the_same_key_wherever_it_is_asked(self) -> None:
        with chat_server(echo) as server:
            for _ in range(2):
                interview(provider(server.base_url), NAMES[:2])  # each with an empty store
            first, second, *again = [ask.headers["idempotency-key"] for ask in server.asks]
        assert [first, second] == again
        assert first != second

    def test_question_that_is_to_be_answered_anew_has_another(self) -> None:
        with chat_server(echo) as server:
            for nonce in (0, 1):
                interview(provider(server.base_url), NAMES[:1], nonce=nonce)
            first, second = [ask.headers["idempotency-key"] for ask in server.asks]
        assert first != second

    def test_call_that_failed_is_repeated_under_its_key_and_nonsense_is_not(self) -> None:
        with chat_server(in_turn(error(503), completion("?"), completion("?"), verdict("Acme"))) as server:
            interview(provider(server.base_url, max_attempts=4), NAMES[:1])
            failed, nonsense, other_nonsense, answered = [ask.headers["idempotency-key"] for ask in server.asks]
        assert failed == nonsense
        assert len({nonsense, other_nonsense, answered}) == 3

"""Many questions: order, concurrency and a provider that is gone."""

from __future__ import annotations

import socket
import threading
from decimal import Decimal
from functools import partial

import pytest

from detect.errors import StorageError
from detect.providers.answers import MemoryAnswerStore, StoredAnswer
from detect.providers.budget import Budget
from detect.providers.interview import Interview
from detect.providers.openai_client import OpenAIClient
from tests.providers.chat_server import Ask, Reaction, chat_server, completion, error, in_turn, verdict
from tests.providers.interviewing import NAMES, brands, echo, interview
from tests.providers.made import KEY, provider, question


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

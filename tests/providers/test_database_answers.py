"""The store in Postgres keeps the contract too."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from decimal import Decimal
from urllib.parse import quote

import pytest
from django.db import connection

from detect.models import ModelAnswer
from detect.persistence import DatabaseAnswerStore
from detect.providers.answers import AnswerStore
from mediaproc.datafolder import PROJECT_ROOT
from tests.providers.answer_store_contract import DIGEST, STORED, AnswerStoreContract
from tests.providers.chat_server import Ask, Reaction, chat_server, verdict


@pytest.mark.django_db
class TestDatabaseAnswerStore(AnswerStoreContract):
    @pytest.fixture
    def store(self) -> AnswerStore:
        return DatabaseAnswerStore()

    def test_the_price_can_be_summed_in_the_database(self, store: AnswerStore) -> None:
        store.put(DIGEST, STORED)
        assert ModelAnswer.objects.get(digest=DIGEST).usd == Decimal(STORED.usd)


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_want_the_same_answers_pay_once() -> None:
    """They ask about the same names at the same moment, one from each end."""
    names = ["ACME", "GLOBEX", "HOOLI", "INITECH", "SOYLENT"]
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}"

    def slow(ask: Ask) -> Reaction:
        time.sleep(0.3)
        return verdict(ask.read_text)

    with chat_server(slow) as models:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.providers.asking", models.base_url, *order],
                cwd=PROJECT_ROOT,
                env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "mediaproc.settings"},
                stdout=subprocess.PIPE,
                text=True,
            )
            for order in (names, names[::-1])
        ]
        told = [process.communicate(timeout=60)[0] for process in processes]
    assert told == [",".join(names), ",".join(names[::-1])]
    assert sorted(ask.read_text for ask in models.asks) == names


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_held_is_free() -> None:
    """Its connection ends with it."""
    store, other = DatabaseAnswerStore(), DatabaseAnswerStore()
    held = threading.Event()

    def hold_and_die() -> None:
        assert other.hold(DIGEST)
        held.set()
        dead.wait(30)
        connection.close()

    dead = threading.Event()
    thread = threading.Thread(target=hold_and_die)
    thread.start()
    assert held.wait(30)
    assert not store.hold(DIGEST)
    dead.set()
    thread.join()
    assert store.hold(DIGEST)
    store.let_go(DIGEST)

"""The store in Postgres keeps the contract too."""

from __future__ import annotations

from decimal import Decimal

import pytest

from detect.models import ModelAnswer
from detect.persistence import DatabaseAnswerStore
from detect.providers.answers import AnswerStore
from tests.providers.answer_store_contract import DIGEST, STORED, AnswerStoreContract


@pytest.mark.django_db
class TestDatabaseAnswerStore(AnswerStoreContract):
    @pytest.fixture
    def store(self) -> AnswerStore:
        return DatabaseAnswerStore()

    def test_the_price_can_be_summed_in_the_database(self, store: AnswerStore) -> None:
        store.put(DIGEST, STORED)
        assert ModelAnswer.objects.get(digest=DIGEST).usd == Decimal(STORED.usd)

"""The reference store, and how an answer becomes a line of the bill."""

from __future__ import annotations

import pytest

from detect.providers.answers import AnswerStore, MemoryAnswerStore
from detect.types import ModelCall
from tests.providers.answer_store_contract import DIGEST, STORED, AnswerStoreContract


class TestMemoryAnswerStore(AnswerStoreContract):
    @pytest.fixture
    def store(self) -> AnswerStore:
        return MemoryAnswerStore()


def test_a_stored_answer_is_listed_with_its_cost() -> None:
    assert STORED.as_call(DIGEST) == ModelCall(DIGEST, "cloud", "some/model:1", 812, 41, "0.00014634", 1.234)

"""What every :class:`~detect.providers.answers.AnswerStore` must do.

A test module subclasses :class:`AnswerStoreContract` and gives a ``store`` fixture.
"""

from __future__ import annotations

from msgspec.structs import replace

from detect.providers.answers import Answer, AnswerStore, StoredAnswer

STORED = StoredAnswer(
    answer=Answer(is_brand=True, brand="Ácme – 株式会社", confidence=0.87, reason="lettering"),
    provider="cloud",
    model="some/model:1",
    raw='{"is_brand": true}\n',
    input_tokens=812,
    output_tokens=41,
    usd="0.00014634",
    seconds=1.234,
    attempts=2,
)
DIGEST = "a" * 64


class AnswerStoreContract:
    """Duties of a store."""

    def test_nothing_is_known_at_first(self, store: AnswerStore) -> None:
        assert store.get(DIGEST) is None

    def test_what_is_put_comes_back_as_it_was(self, store: AnswerStore) -> None:
        store.put(DIGEST, STORED)
        assert store.get(DIGEST) == STORED

    def test_answers_are_kept_apart(self, store: AnswerStore) -> None:
        other = replace(STORED, answer=Answer(is_brand=False, brand="", confidence=0.99))
        store.put(DIGEST, STORED)
        store.put("b" * 64, other)
        assert (store.get(DIGEST), store.get("b" * 64)) == (STORED, other)

    def test_what_is_there_is_found_at_once(self, store: AnswerStore) -> None:
        store.put(DIGEST, STORED)
        assert store.find([DIGEST, "b" * 64]) == {DIGEST}
        assert store.find([]) == set()

    def test_an_answer_once_stored_stays(self, store: AnswerStore) -> None:
        store.put(DIGEST, STORED)
        store.put(DIGEST, replace(STORED, usd="9"))
        assert store.get(DIGEST) == STORED

    def test_a_free_answer_is_kept(self, store: AnswerStore) -> None:
        store.put(DIGEST, replace(STORED, usd="0"))
        assert store.get(DIGEST) == replace(STORED, usd="0")

    def test_a_question_is_held_by_one(self, store: AnswerStore) -> None:
        assert store.hold(DIGEST)
        assert not store.hold(DIGEST)
        assert store.hold("b" * 64), "others are free"
        store.let_go(DIGEST)
        assert store.hold(DIGEST)
        store.let_go(DIGEST)
        store.let_go("b" * 64)

    def test_what_is_not_held_can_be_let_go(self, store: AnswerStore) -> None:
        store.let_go(DIGEST)
        assert store.hold(DIGEST)
        store.let_go(DIGEST)

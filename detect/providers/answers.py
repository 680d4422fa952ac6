"""What models answered, kept by digest so that a model is asked about a crop once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Annotated, Protocol

from msgspec import Meta

from detect.types import ModelCall, Value


class Answer(Value, frozen=True):
    """A model's verdict on one crop: whether it shows a brand, which, how sure it is (0-1) and why."""

    is_brand: bool
    brand: str
    confidence: Annotated[float, Meta(ge=0, le=1)]
    reason: str = ""


class StoredAnswer(Value, frozen=True):
    """An answer with what it cost.

    Tokens and ``usd`` (a Decimal as text) cover every attempt that was billed on the way to it; ``seconds`` is how
    long the answering call took. ``raw`` is the model's own text.
    """

    answer: Answer
    provider: str
    model: str
    raw: str
    input_tokens: int
    output_tokens: int
    usd: str
    seconds: float
    attempts: int = 1

    def as_call(self, digest: str) -> ModelCall:
        """The call as reports list it: the same whether it was made now or is reused."""
        return ModelCall(
            digest=digest,
            provider=self.provider,
            model=self.model,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            usd=self.usd,
            seconds=self.seconds,
        )


class AnswerStore(Protocol):
    """Keeps answers under the digest of their question.

    Duties of an implementation: ``put`` is durable when it returns, and an answer once stored stays (a second ``put``
    under its digest changes nothing). Callers use it from the thread that runs the stage and from no other.
    ``tests/providers/answer_store_contract.py`` holds the suite that every implementation passes.
    """

    def get(self, digest: str) -> StoredAnswer | None:
        """The answer under ``digest``, or None."""

    def find(self, digests: Sequence[str]) -> set[str]:
        """Those of ``digests`` under which there is an answer, in one query."""

    def put(self, digest: str, answer: StoredAnswer) -> None:
        """Store an answer. Raises ``StorageError`` when it cannot be kept."""

    def hold(self, digest: str) -> bool:
        """Take a question for oneself to ask; False while somebody else has it, in whatever process.

        Held until ``let_go``, or until the process or its connection to the store ends. Who is refused waits for the
        answer, or for the question to be free again: so two runs that want the same answer pay for it once.
        """

    def let_go(self, digest: str) -> None:
        """Give a held question back, answered or not."""


class MemoryAnswerStore:
    """Keeps answers for the life of the process."""

    def __init__(self) -> None:
        self._answers: dict[str, StoredAnswer] = {}
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def get(self, digest: str) -> StoredAnswer | None:
        return self._answers.get(digest)

    def find(self, digests: Sequence[str]) -> set[str]:
        return self._answers.keys() & set(digests)

    def put(self, digest: str, answer: StoredAnswer) -> None:
        self._answers.setdefault(digest, answer)

    def hold(self, digest: str) -> bool:
        with self._lock:
            free = digest not in self._held
            self._held.add(digest)
        return free

    def let_go(self, digest: str) -> None:
        with self._lock:
            self._held.discard(digest)

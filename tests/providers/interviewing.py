"""What tests of many questions share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from detect.providers.answers import AnswerStore, MemoryAnswerStore
from detect.providers.budget import Budget
from detect.providers.catalog import Provider
from detect.providers.interview import Interview, Verdict
from detect.providers.openai_client import OpenAIClient
from tests.providers.chat_server import Ask, Reaction, verdict
from tests.providers.made import KEY, question

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

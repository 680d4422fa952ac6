"""Asking many questions at once: stored answers first, within the budget, and no longer than it makes sense."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from detect.providers.answers import AnswerStore, StoredAnswer
from detect.providers.budget import Budget, as_text
from detect.providers.failures import CallFailedError, OverBudgetError, Usage
from detect.providers.limits import Ledger, MemoryLedger
from detect.providers.openai_client import OpenAIClient
from detect.providers.patience import Outcome, ask_patiently
from detect.providers.questions import Question
from detect.types import ModelCall

_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Verdict:
    """What came of one question: an answer, or the reason why there is none.

    ``call`` is what was paid, also where nothing usable came back. ``failed`` says that the provider or a limit of this
    run is to blame, so that asking again later may help.
    """

    answer: StoredAnswer | None
    reason: str = ""
    call: ModelCall | None = None
    failed: bool = False


class Interview:
    """Asks one provider a series of questions, ``provider.concurrency`` at a time.

    The thread that calls :meth:`run` alone touches the answer store and the ledger, in the moment an answer arrives: a
    kill loses at most the calls in flight, and the ledger counts those with the most they can cost. ``checkpoint`` is
    called often and may raise to stop; calls in flight are then waited for and their answers kept, being paid for.
    """

    def __init__(
        self,
        client: OpenAIClient,
        answers: AnswerStore,
        budget: Budget,
        *,
        nonce: int = 0,
        ledger: Ledger | None = None,
        checkpoint: Callable[[], None] = lambda: None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self._client = client
        self._provider = client.provider
        self._answers = answers
        self._budget = budget
        self._nonce = nonce
        self._ledger = ledger or MemoryLedger()
        self._checkpoint = checkpoint
        self._progress = progress
        self._give_up = threading.Event()
        self._failures_in_a_row = 0
        self._closed = ""
        self._closed_by_run = False
        self._in_flight: dict[Future[Outcome], tuple[int, str, int]] = {}
        self._verdicts: dict[int, Verdict] = {}

    def run(self, questions: Sequence[Callable[[], Question]]) -> list[Verdict]:
        """One verdict a question, in the order of the questions, which is also the order in which money is given.

        A question is made when its turn comes, so that not all pictures are held at once.
        """
        with ThreadPoolExecutor(self._provider.concurrency, thread_name_prefix="ask") as pool:
            try:
                for index, make in enumerate(questions):
                    self._checkpoint()
                    self._put_to(pool, index, make())
                    self._progress(len(self._verdicts), len(questions))
                while self._in_flight:
                    self._collect()
                    self._progress(len(self._verdicts), len(questions))
            except BaseException:
                self._give_up.set()
                self._keep_what_was_paid()
                raise
        return [self._verdicts[index] for index in range(len(questions))]

    def _put_to(self, pool: ThreadPoolExecutor, index: int, question: Question) -> None:
        digest = question.digest(self._provider, self._nonce)
        stored = self._find_or_hold(digest)
        if stored is not None:
            self._budget.count(Decimal(stored.usd))
            self._verdicts[index] = Verdict(stored, call=stored.as_call(digest))
            return
        try:
            asked = self._ask(pool, index, question, digest)
        except BaseException:
            self._answers.let_go(digest)
            raise
        if not asked:
            self._answers.let_go(digest)

    def _ask(self, pool: ThreadPoolExecutor, index: int, question: Question, digest: str) -> bool:
        """Put a question to the provider, once there is room and money for it; False where there is none."""
        while len(self._in_flight) >= self._provider.concurrency:
            self._collect()
        worst = question.most_usd(self._provider)
        reserved = None if self._closed else self._budget.reserve(worst)
        while reserved is None and self._in_flight and not self._closed:
            # Calls in flight give back what they do not need: only when all are settled is the answer final.
            self._collect()
            reserved = self._budget.reserve(worst)
        if self._closed or reserved is None:
            if reserved is not None:
                self._budget.release(reserved)
            elif not self._closed:
                self._closed, self._closed_by_run = self._budget.refusal, self._budget.refused_by_run
            failed = self._give_up.is_set() or self._closed_by_run
            self._verdicts[index] = Verdict(None, reason=self._closed, failed=failed)
            return False
        entry = self._ledger.open(digest, reserved)
        ask = partial(ask_patiently, self._client, question, self._budget, reserved, self._give_up, name=digest)
        future = pool.submit(ask)
        self._in_flight[future] = (index, digest, entry)
        return True

    def _find_or_hold(self, digest: str) -> StoredAnswer | None:
        """The stored answer, or None once the question is ours to ask: another run may be asking it at this moment.

        That run is given the time that one call may take: it could be frozen, and nobody waits for that.
        """
        until = time.monotonic() + self._provider.timeout_s
        while True:
            stored = self._answers.get(digest)
            if stored is not None:
                return stored
            if self._answers.hold(digest):
                # it may have been answered and let go of in between
                stored = self._answers.get(digest)
                if stored is not None:
                    self._answers.let_go(digest)
                return stored
            if time.monotonic() > until:
                return None
            # what is in flight here must be settled meanwhile: the other run may be waiting for one of these
            if self._in_flight:
                self._collect()
            else:
                self._checkpoint()
                time.sleep(_POLL_SECONDS)

    def _collect(self) -> None:
        """Wait until a call ends, or for a moment, and settle those that did."""
        done, _ = wait(self._in_flight, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            self._settle(future)
        self._checkpoint()

    def _settle(self, future: Future[Outcome]) -> None:
        index, digest, entry = self._in_flight.pop(future)
        try:
            self._keep(index, digest, entry, future.result())
        finally:
            self._answers.let_go(digest)

    def _keep(self, index: int, digest: str, entry: int, outcome: Outcome) -> None:
        # Before the answer: a kill in between then counts the call twice, as it will be made twice.
        self._ledger.close(entry, calls=outcome.calls, usd=outcome.counted)
        answer = self._as_answer(outcome)
        if answer is not None:
            self._answers.put(digest, answer)
            self._failures_in_a_row = 0
            self._verdicts[index] = Verdict(answer, call=answer.as_call(digest))
        elif outcome.failure is not None:
            call = self._wasted(outcome, digest)
            reason = outcome.failure.message
            if outcome.attempts > 1:
                reason = f"{reason} (after {outcome.attempts} attempts)"
            self._verdicts[index] = Verdict(None, reason=reason, call=call, failed=True)
            self._note_failure(outcome.failure)

    def _note_failure(self, failure: CallFailedError) -> None:
        """Close the matter when every further question would only fail too."""
        if isinstance(failure, OverBudgetError):
            self._closed, self._closed_by_run = self._closed or failure.message, self._closed_by_run or failure.by_run
            return
        self._failures_in_a_row += 1
        if failure.for_all or self._failures_in_a_row >= self._provider.stop_after_failures:
            state = "is unreachable" if failure.unreachable else "keeps failing"
            self._closed = f"not asked, provider '{self._provider.name}' {state}: {failure.message}"
            self._give_up.set()

    def _as_answer(self, outcome: Outcome) -> StoredAnswer | None:
        if outcome.reply is None:
            return None
        return StoredAnswer(
            answer=outcome.reply.answer,
            provider=self._provider.name,
            model=self._provider.model,
            raw=outcome.reply.raw,
            input_tokens=outcome.usage.input_tokens,
            output_tokens=outcome.usage.output_tokens,
            usd=as_text(outcome.usd),
            seconds=round(outcome.reply.seconds, 3),
            attempts=outcome.attempts,
        )

    def _wasted(self, outcome: Outcome, digest: str) -> ModelCall | None:
        """The record of a question that was charged and not answered."""
        if outcome.usage == Usage():
            return None
        return ModelCall(
            digest=digest,
            provider=self._provider.name,
            model=self._provider.model,
            input_tokens=outcome.usage.input_tokens,
            output_tokens=outcome.usage.output_tokens,
            usd=as_text(outcome.usd),
            seconds=0.0,
        )

    def _keep_what_was_paid(self) -> None:
        for future in wait(list(self._in_flight)).done:
            self._settle(future)

"""Limits of a run: kept to over stages, attempts and restarts, and without a trace in what is stored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from detect.errors import CancelledError
from detect.options import convert_options
from detect.persistence import DatabaseLedger
from detect.providers.answers import AnswerStore, MemoryAnswerStore
from detect.providers.budget import Budget
from detect.providers.catalog import Provider
from detect.providers.limits import Ledger, MemoryLedger, ModelLimits, Spent
from detect.stages.escalate_cloud import EscalateCloud, EscalateCloudInput
from detect.stages.escalate_vlm import EscalateVlm, EscalateVlmInput, EscalateVlmOutput
from detect.stages.match_brands import MatchBrandsOutput
from tests.providers.chat_server import Ask, Reaction, chat_server, completion, error, in_turn, verdict
from tests.providers.ledger_contract import LedgerContract
from tests.providers.made import PRICES, candidate, context, provider, resources

NAMES = ["ALPHA", "BRAVO", "CHARLIE", "DELTA"]
COST = Decimal("0.00086")
STAGE: Any = EscalateVlm()
CLOUD: Any = EscalateCloud()


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()


@pytest.mark.django_db
class TestDatabaseLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return DatabaseLedger(uuid4())

    def test_jobs_are_kept_apart(self, ledger: Ledger) -> None:
        ledger.open("a" * 64, COST)
        assert DatabaseLedger(uuid4()).spent() == Spent()

    def test_another_process_goes_on_with_it(self) -> None:
        job = uuid4()
        DatabaseLedger(job).open("a" * 64, COST)
        assert DatabaseLedger(job).spent() == Spent(1, COST)


def echo(ask: Ask) -> Reaction:
    return verdict(ask.read_text)


def escalate(
    one: Provider,
    limits: ModelLimits | None,
    *,
    answers: AnswerStore | None = None,
    names: list[str] = NAMES,
    **more: Any,
) -> EscalateVlmOutput:
    options = convert_options(STAGE, {"budget_usd": 5})
    ctx = context(options, resources([one], answers), limits=limits, **more)
    given = EscalateVlmInput(match_brands=MatchBrandsOutput(detections=[], unresolved=[candidate(x) for x in names]))
    output: EscalateVlmOutput = STAGE.run(ctx, given)
    return output


class TestCalls:
    def test_candidates_beyond_the_limit_stay_with_the_reason(self) -> None:
        with chat_server(echo) as server:
            output = escalate(provider(server.base_url), ModelLimits(calls=3))
        assert len(server.asks) == 3
        assert len(output.detections) == 3
        [left] = output.unresolved
        assert "the run's limit of 3 model calls is reached" in left.reason
        assert output.incomplete, "a run without the limit must ask about the rest"

    def test_a_limit_that_is_just_enough_leaves_no_trace(self) -> None:
        with chat_server(echo) as server:
            output = escalate(provider(server.base_url), ModelLimits(calls=4))
        assert not output.incomplete
        assert output.unresolved == []

    def test_several_at_once_keep_to_it_too(self) -> None:
        names = [f"BRAND {number}" for number in range(12)]
        with chat_server(echo) as server:
            output = escalate(provider(server.base_url, concurrency=4), ModelLimits(calls=7), names=names)
        assert len(server.asks) == 7
        assert len(output.detections) == 7

    def test_stored_answers_cost_nothing(self) -> None:
        answers = MemoryAnswerStore()
        with chat_server(echo) as server:
            one = provider(server.base_url, **PRICES)
            escalate(one, None, answers=answers)
            again = escalate(one, ModelLimits(calls=0, usd=Decimal(0)), answers=answers)
        assert len(server.asks) == 4
        assert (len(again.detections), again.incomplete) == (4, False)

    def test_both_stages_of_a_run_share_it(self) -> None:
        limits = ModelLimits(calls=5)
        with chat_server(lambda ask: verdict(ask.read_text, confidence=0.2)) as server:
            local = escalate(provider(server.base_url), limits)
            cloud = provider(server.base_url, name="cloud", model="another", kind="cloud")
            ctx = context(convert_options(CLOUD, {}), resources([cloud]), limits=limits)
            output = CLOUD.run(ctx, EscalateCloudInput(escalate_vlm=local))
        assert len(server.asks) == 5
        assert sum("limit of 5 model calls" in one.reason for one in output.unresolved) == 3

    def test_a_provider_that_takes_no_call_uses_up_none(self) -> None:
        with chat_server(in_turn(error(503), error(503), verdict("Alpha"))) as server:
            output = escalate(provider(server.base_url), ModelLimits(calls=1), names=["ALPHA"])
        assert len(server.asks) == 3
        assert len(output.detections) == 1

    def test_asking_again_after_a_useless_answer_is_another_call(self) -> None:
        ledger = MemoryLedger()
        with chat_server(in_turn(completion("no idea"), verdict("Alpha"))) as server:
            output = escalate(provider(server.base_url), ModelLimits(calls=1, ledger=ledger), names=["ALPHA"])
        assert len(server.asks) == 1
        assert "limit of 1 model calls" in output.unresolved[0].reason
        assert output.incomplete
        assert ledger.spent().calls == 1


class TestMoney:
    def test_no_call_is_made_that_could_break_it(self) -> None:
        ledger = MemoryLedger()
        with chat_server(echo) as server:
            limits = ModelLimits(usd=Decimal("0.006"), ledger=ledger)
            output = escalate(provider(server.base_url, **PRICES), limits)
        assert ledger.spent() == Spent(len(server.asks), len(server.asks) * COST)
        assert 0 < len(server.asks) < 4
        assert "the run's limit of $0.006 would be exceeded" in output.unresolved[0].reason
        assert output.incomplete

    def test_a_model_without_a_price_is_asked_all_the_same(self) -> None:
        with chat_server(echo) as server:
            output = escalate(provider(server.base_url), ModelLimits(usd=Decimal(0)))
        assert len(output.detections) == 4
        assert not output.incomplete

    def test_the_budget_of_the_options_comes_first_and_is_complete(self) -> None:
        """What the options forbid, every run with these options leaves out: that result may be reused."""
        budget = Budget(Decimal("0.001"), ModelLimits(usd=Decimal("0.0005")))
        assert budget.reserve(Decimal("0.002")) is None
        assert (budget.refusal, budget.refused_by_run) == ("budget of $0.001 would be exceeded", False)
        assert budget.reserve(Decimal("0.0008")) is None
        assert (budget.refusal, budget.refused_by_run) == ("the run's limit of $0.0005 would be exceeded", True)


class TestRestarts:
    def test_a_run_that_was_killed_counts_what_it_may_have_paid(self) -> None:
        """Killed with a call in the air: nobody knows its end, so it is taken for paid."""
        ledger = MemoryLedger()
        ledger.open("a" * 64, Decimal("0.0045"))
        with chat_server(echo) as server:
            escalate(provider(server.base_url), ModelLimits(calls=3, ledger=ledger))
        assert len(server.asks) == 2

    def test_a_stopped_run_goes_on_with_what_is_left(self) -> None:
        ledger, answers = MemoryLedger(), MemoryAnswerStore()

        def stop() -> None:
            if ledger.spent().calls == 2:
                raise CancelledError("stop")

        with chat_server(echo) as server:
            one = provider(server.base_url)
            with pytest.raises(CancelledError):
                escalate(one, ModelLimits(calls=3, ledger=ledger), answers=answers, checkpoint=stop)
            asked = len(server.asks)
            output = escalate(one, ModelLimits(calls=3, ledger=ledger), answers=answers)
        assert 0 < asked < 4
        assert len(server.asks) == 3
        assert len(output.detections) == 3

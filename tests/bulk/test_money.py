"""What a batch may spend on models: told before, and kept to whatever they charge."""

from __future__ import annotations

from decimal import Decimal

import pytest

from detect.errors import CancelledError
from detect.models import ModelCharge
from jobs.bulk.batches import BatchSettings, batch_totals
from jobs.bulk.book import Outcome
from jobs.bulk.runs import batch_run_here, batch_run_queued
from jobs.choices import JobStatus
from jobs.models import DetectJob
from tests.bulk.conftest import PRICED, Watch, an_order, plan_of
from tests.bulk.test_runs import replays, work
from tests.providers.chat_server import ChatServer, verdict
from tests.providers.made import candidate
from tests.trees.made import an_asset, matched_job

pytestmark = pytest.mark.django_db

ASKING = BatchSettings("escalate_vlm", {})
NAMES = ("KORD", "VELMORA", "HOOLI", "TYRELL", "INITECH", "SOYLENT")


@pytest.fixture(autouse=True)
def priced(models: ChatServer, use_providers, monkeypatch: pytest.MonkeyPatch) -> None:
    use_providers(PRICED.format(url=models.base_url))
    monkeypatch.setattr("jobs.work.execute.close_old_connections", lambda: None)


def asking_jobs(count: int) -> list[DetectJob]:
    """Jobs on videos of their own, with two candidates each that nobody was asked about, at other places each."""
    return [
        matched_job(
            asset=an_asset(sha256=f"{number:064x}"),
            unresolved=[
                candidate(NAMES[2 * number], sequence=number),
                candidate(NAMES[2 * number + 1], sequence=number + 3),
            ],
            frames=True,
            status=JobStatus.COMPLETED,
        )
        for number in range(count)
    ]


def one_costs() -> Decimal:
    """The most that one of the replays can cost."""
    estimate = plan_of(ASKING)[0].estimate
    assert estimate is not None
    return estimate.usd


def limits(*jobs: DetectJob) -> Decimal:
    return sum((job.cost_limit_usd or Decimal(0) for job in jobs), Decimal(0))


def spent() -> Decimal:
    return sum((charge.usd for charge in ModelCharge.objects.all()), Decimal(0))


def test_dry_run_totals_are_what_the_runs_then_use(models: ChatServer) -> None:
    asking_jobs(3)
    plan = plan_of(ASKING)
    totals = batch_totals(plan)
    assert (totals.jobs, totals.to_run, totals.model_calls) == (3, 3, 6)
    assert models.asks == []
    results = batch_run_here(plan, an_order())
    assert len(models.asks) == totals.model_calls
    assert 0 < sum(result.usd for result in results) == spent() <= totals.usd
    assert sum(job.estimated_cost_usd for job in replays()) == spent()
    for result in results:
        assert result.planned.estimate is not None
        assert result.usd <= result.planned.estimate.usd


def test_every_replay_is_limited_to_its_estimate() -> None:
    asking_jobs(2)
    plan = plan_of(ASKING)
    batch_run_here(plan, an_order())
    for job, planned in zip(replays(), plan, strict=True):
        assert planned.estimate is not None
        assert (job.cost_limit_usd, job.call_limit) == (planned.estimate.usd, 2)


def test_it_stops_before_the_replay_that_would_break_the_limit(models: ChatServer) -> None:
    asking_jobs(3)
    plan = plan_of(ASKING)
    one = one_costs()
    watch = Watch()
    results = batch_run_here(plan, an_order(most_usd=one * Decimal("1.1"), watch=watch))
    assert results[0].outcome == Outcome.COMPLETED
    assert results[-1].outcome == Outcome.NOT_STARTED
    ran = [result for result in results if result.outcome == Outcome.COMPLETED]
    assert len(replays()) == len(ran) < 3
    assert len(models.asks) == 2 * len(ran)
    assert spent() <= one * Decimal("1.1")
    assert "can cost $" in results[-1].reason
    assert "are left" in results[-1].reason


@pytest.mark.parametrize("at_once", [1, 2])
def test_models_that_charge_more_than_they_should_do_not_break_it(
    models: ChatServer, use_providers, at_once: int
) -> None:
    """They report many times the tokens that were reckoned with."""
    use_providers(PRICED.format(url=models.base_url).replace("kind: cloud,", f"kind: cloud, concurrency: {at_once},"))
    huge = {"prompt_tokens": 3000, "completion_tokens": 400, "total_tokens": 3400}
    models.behave = lambda ask: verdict(ask.read_text, usage=huge)
    asking_jobs(3)
    most = one_costs() * 2
    batch_run_here(plan_of(ASKING), an_order(most_usd=most))
    assert 0 < spent() <= most
    assert limits(replays()[0]) <= most


def test_what_the_batch_spent_in_earlier_runs_counts(models: ChatServer) -> None:
    asking_jobs(3)
    most = one_costs() * Decimal("1.1")
    for _ in range(4):
        results = batch_run_here(plan_of(ASKING), an_order(most_usd=most))
        assert spent() <= most
    assert results[-1].outcome == Outcome.NOT_STARTED
    before = spent()
    results = batch_run_here(plan_of(ASKING), an_order(most_usd=before + most))
    assert before < spent() <= before + most
    assert results[0].outcome == Outcome.DONE


def test_what_costs_nothing_is_run_without_money() -> None:
    asking_jobs(2)
    settings = BatchSettings("compile_report", {"compile_report": {"min_seconds": 0.7}})
    batch_run_here(plan_of(ASKING), an_order())
    results = batch_run_here(plan_of(settings, replays=True, tag=ASKING.tag), an_order(most_usd=Decimal(0)))
    assert [result.outcome for result in results] == [Outcome.COMPLETED] * 2


def test_one_gone_on_with_keeps_within_the_limit_with_what_it_spent(models: ChatServer) -> None:
    asking_jobs(1)
    one = one_costs()

    def stop_after_the_first_answer() -> None:
        if ModelCharge.objects.exists():
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        batch_run_here(plan_of(ASKING), an_order(most_usd=one, checkpoint=stop_after_the_first_answer))
    assert spent() > 0
    [planned] = plan_of(ASKING)
    assert planned.begun == replays()[0].id
    [result] = batch_run_here([planned], an_order(most_usd=one))
    assert result.outcome == Outcome.COMPLETED
    assert result.usd == spent() <= one
    assert limits(*replays()) <= one
    assert len(models.asks) == 2, "nothing was asked twice"


def test_workers_are_given_what_fits_and_the_rest_when_money_is_free_again(models: ChatServer) -> None:
    asking_jobs(3)
    most = one_costs() * Decimal("1.9")
    given: list[int] = []

    def wait(seconds: float) -> None:
        given.append(DetectJob.objects.filter(status=JobStatus.PENDING).count())
        assert limits(*(job for job in replays() if job.status == JobStatus.PENDING)) + spent() <= most
        work(seconds)

    results = batch_run_queued(plan_of(ASKING), an_order(most_usd=most, wait=wait))
    assert given[0] == 1
    assert len(given) >= 2
    assert spent() <= most
    assert [result.outcome for result in results].count(Outcome.COMPLETED) == len(given)

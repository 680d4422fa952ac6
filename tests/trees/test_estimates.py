"""Estimates: never less than what the run then does, and limits that make it keep to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from detect.models import Checkpoint, ModelAnswer, ModelCharge, StageOutput
from jobs.api.estimates import EstimateSerializer
from jobs.branches.estimates import Estimate, StageEstimate, replay_estimate
from jobs.choices import RunType
from jobs.models import DetectJob
from jobs.selectors import job_branch
from jobs.services import Order, job_replay
from tests.providers.chat_server import verdict
from tests.trees.made import CANDIDATES, a_job, an_asset, matched_job, run

LOCAL = "providers:\n  local: {{base_url: '{url}', model: tiny-vl}}\n"
PRICED = (
    "providers:\n  cloud: {{kind: cloud, base_url: '{url}', model: big-vl, usd_per_million_input_tokens: '2',"
    " usd_per_million_output_tokens: '2', image_tokens: 1000}}\n"
)
MOST = Decimal("0.0045")  # of one question at these prices, and a little more


def of(estimate: Estimate, stage: str) -> StageEstimate:
    return next(one for one in estimate.stages if one.stage == stage)


def replay(parent: DetectJob, start_stage: str, overrides: Any = None, **order: Any) -> DetectJob:
    return run(
        job_replay(
            parent=parent,
            start_stage=start_stage,
            overrides=overrides or {},
            run_type=RunType.RETRY,
            order=Order(**order),
        )
    )


@pytest.mark.django_db
class TestUnits:
    def test_an_unchanged_replay_is_all_reused(self):
        job = run(matched_job())
        again = replay(job, "escalate_vlm")
        estimate = replay_estimate(parent=again, start_stage="escalate_vlm", overrides={})
        assert len(estimate.reused_stages) == 9
        assert (estimate.model_calls, estimate.usd, estimate.seconds) == (0, Decimal(0), 0.0)

    def test_a_changed_option_is_counted_from_there_on(self):
        job = run(matched_job())
        StageOutput.objects.filter(stage="compile_report").update(seconds=1.5)
        changes = {"compile_report": {"min_seconds": 0.7}}
        estimate = replay_estimate(parent=job, start_stage="compile_report", overrides=changes)
        assert [one.stage for one in estimate.stages if one.reused_units < one.units] == ["compile_report"]
        assert of(estimate, "compile_report").seconds == 1.5
        assert estimate.seconds == 1.5
        replay(job, "compile_report", changes)
        assert len(replay_estimate(parent=job, start_stage="compile_report", overrides=changes).reused_stages) == 9

    def test_behind_a_stage_that_has_to_run_everything_counts_as_to_be_run(self):
        job = run(matched_job())
        estimate = replay_estimate(
            parent=job, start_stage="match_brands", overrides={"match_brands": {"min_similarity": 0.9}}
        )
        run_anew = [one.stage for one in estimate.stages if one.reused_units < one.units]
        assert run_anew == ["match_brands", "escalate_vlm", "escalate_cloud", "compile_report"]

    def test_from_the_first_stage_on_chunks_follow_from_the_options(self):
        job = matched_job()
        asset = job.source_asset
        asset.probe = {**asset.probe, "duration": 100.0}
        asset.save()
        estimate = replay_estimate(
            parent=job, start_stage="extract_frames", overrides={"extract_frames": {"chunk_seconds": 20}}
        )
        assert [one.units for one in estimate.stages] == [5, 5, 5, 5, 5, 1, 1, 1, 1]
        assert estimate.reused_stages == []

    def test_what_makes_no_sense_is_told_as_by_the_replay(self, viewer):
        job = matched_job()
        ask = {"job_id": str(job.id), "start_stage": "match_brands"}
        for body, status in (
            ({**ask, "start_stage": "nonsense"}, 400),
            ({**ask, "config_overrides": {"match_brands": {"nonsense": 1}}}, 400),
            ({**ask, "config_overrides": {"match_brands": {"min_similarity": 7}}}, 400),
            ({**ask, "config_overrides": {"run_ocr": {}}}, 400),
            ({**ask, "job_id": "nonsense"}, 404),
            ({**ask, "job_id": str(uuid4())}, 404),
            ({**ask, "start_stage": "compile_report"}, 409),
            ({"job_id": str(job.id)}, 400),
            ({**ask, "job_id": str(a_job().id)}, 409),
        ):
            answer = viewer.post("/detect/estimate", body, format="json")
            assert answer.status_code == status, body
            assert answer.json()["detail"]

    def test_nothing_is_stored_or_asked(self, models, use_providers, django_assert_max_num_queries):
        use_providers(LOCAL.format(url=models.base_url))
        job = matched_job(frames=True)
        before = (StageOutput.objects.count(), Checkpoint.objects.count(), DetectJob.objects.count())
        with django_assert_max_num_queries(40):
            replay_estimate(parent=job, start_stage="escalate_vlm", overrides={})
        assert (StageOutput.objects.count(), Checkpoint.objects.count(), DetectJob.objects.count()) == before
        assert models.asks == []


@pytest.mark.django_db
class TestQuestions:
    def test_every_candidate_that_was_never_asked_about(self, models, use_providers):
        use_providers(PRICED.format(url=models.base_url))
        job = matched_job(frames=True)
        estimate = replay_estimate(parent=job, start_stage="escalate_vlm", overrides={})
        cloud = of(estimate, "escalate_cloud")
        assert (cloud.calls, cloud.exact, estimate.model_calls) == (3, True, 3)
        assert of(estimate, "escalate_vlm").calls == 0, "there is no local provider"
        done = replay(job, "escalate_vlm")
        assert len(models.asks) == 3
        assert 0 < done.estimated_cost_usd <= estimate.usd <= 3 * MOST

    def test_what_was_answered_is_not_asked_again(self, models, use_providers):
        use_providers(PRICED.format(url=models.base_url))
        job = matched_job(frames=True)
        replay(job, "escalate_vlm", {"escalate_cloud": {"max_questions": 2}})
        estimate = replay_estimate(parent=job, start_stage="escalate_vlm", overrides={})
        assert (estimate.model_calls, of(estimate, "escalate_cloud").exact) == (1, True)
        replay(job, "escalate_vlm")
        assert len(models.asks) == 3
        again = replay_estimate(parent=job, start_stage="escalate_vlm", overrides={"escalate_cloud": {"ask_again": 1}})
        assert again.model_calls == 3

    def test_another_provider_is_asked_about_all(self, models, use_providers):
        use_providers(
            LOCAL.format(url=models.base_url) + f"  other: {{base_url: '{models.base_url}', model: other-vl}}\n"
        )
        job = replay(matched_job(frames=True), "escalate_vlm")
        changes = {"escalate_vlm": {"provider": "other"}}
        assert replay_estimate(parent=job, start_stage="escalate_vlm", overrides={}).model_calls == 0
        assert replay_estimate(parent=job, start_stage="escalate_vlm", overrides=changes).model_calls == 3

    def test_what_one_model_leaves_to_the_next_is_bounded(self, models, use_providers):
        use_providers(LOCAL.format(url=models.base_url) + PRICED.format(url=models.base_url).partition("\n")[2])
        job = matched_job(frames=True)
        models.behave = lambda ask: verdict(ask.read_text, confidence=0.1)
        estimate = replay_estimate(parent=job, start_stage="escalate_vlm", overrides={})
        assert (of(estimate, "escalate_vlm").calls, of(estimate, "escalate_vlm").exact) == (3, True)
        assert (of(estimate, "escalate_cloud").calls, of(estimate, "escalate_cloud").exact) == (3, False)
        done = replay(job, "escalate_vlm")
        assert len(models.asks) == 6 <= estimate.model_calls
        assert done.estimated_cost_usd <= estimate.usd

    def test_candidates_that_are_not_known_yet_are_as_many_as_there_can_be(self, models, use_providers):
        use_providers(PRICED.format(url=models.base_url))
        job = matched_job(frames=True)
        changes: dict[str, Any] = {"match_brands": {"max_candidates": 7}, "escalate_cloud": {"budget_usd": 0.02}}
        estimate = replay_estimate(parent=job, start_stage="match_brands", overrides=changes)
        cloud = of(estimate, "escalate_cloud")
        assert (cloud.calls, cloud.exact) == (7, False)
        assert estimate.usd == Decimal("0.02"), "the stage's own budget holds too"

    def test_a_budget_below_one_question_allows_none(self, models, use_providers):
        use_providers(PRICED.format(url=models.base_url))
        job = matched_job(frames=True)
        changes = {"escalate_cloud": {"budget_usd": 0.001}}
        assert replay_estimate(parent=job, start_stage="escalate_vlm", overrides=changes).model_calls == 0
        replay(job, "escalate_vlm", changes)
        assert models.asks == []

    def test_frames_that_are_gone_leave_a_bound(self, models, use_providers):
        use_providers(PRICED.format(url=models.base_url))
        estimate = replay_estimate(parent=matched_job(), start_stage="escalate_vlm", overrides={})
        assert (estimate.model_calls, of(estimate, "escalate_cloud").exact) == (len(CANDIDATES), False)


@pytest.mark.django_db
class TestKeptTo:
    def test_with_its_limits_the_run_completes(self, models, use_providers, viewer):
        use_providers(PRICED.format(url=models.base_url))
        job = matched_job(frames=True)
        answer = viewer.post("/detect/estimate", {"job_id": str(job.id), "start_stage": "escalate_vlm"}, format="json")
        assert answer.status_code == 200
        estimate = answer.json()
        assert set(estimate) == set(EstimateSerializer().fields)
        assert estimate["limits"] == {"cost_limit_usd": estimate["usd"], "call_limit": estimate["model_calls"]}
        limits = {"cost_limit_usd": Decimal(estimate["usd"]), "call_limit": estimate["model_calls"]}
        done = replay(job, "escalate_vlm", **limits)
        cloud = next(node for node in job_branch(done) if node.stage == "escalate_cloud")
        assert (cloud.stats["escalate_cloud"]["calls"], cloud.stats["escalate_cloud"]["incomplete"]) == (3, False)

    def test_a_run_stops_asking_where_its_estimate_ends(self, models, use_providers):
        """More candidates than were foreseen: here, because the limits are those of another estimate."""
        use_providers(PRICED.format(url=models.base_url))
        job = matched_job(frames=True)
        done = replay(job, "escalate_vlm", call_limit=2)
        assert len(models.asks) == 2
        cloud = next(node for node in job_branch(done) if node.stage == "escalate_cloud")
        assert cloud.stats["escalate_cloud"]["incomplete"]
        assert sum(charge.calls for charge in ModelCharge.objects.filter(job_id=done.id)) == 2
        free = replay(job, "escalate_vlm")
        assert free.id != done.id
        assert len(models.asks) == 3, "answers are reused, what is incomplete is not"
        assert ModelAnswer.objects.count() == 3

    def test_money_is_kept_to_as_well(self, models, use_providers):
        use_providers(PRICED.format(url=models.base_url))
        job = matched_job(frames=True)
        of_one = replay_estimate(parent=job, start_stage="escalate_vlm", overrides={}).usd / len(CANDIDATES)
        done = replay(job, "escalate_vlm", cost_limit_usd=of_one + Decimal("0.0005"))
        assert len(models.asks) == 1
        assert done.estimated_cost_usd == Decimal("0.00086")


@pytest.mark.django_db
class TestSeconds:
    def test_each_chunk_that_is_to_be_run_counts_as_it_took_before(self):
        job = run(matched_job())
        StageOutput.objects.filter(stage="match_brands").update(seconds=2.5)
        changes = {"match_brands": {"min_similarity": 0.9}}
        assert (
            of(replay_estimate(parent=job, start_stage="match_brands", overrides=changes), "match_brands").seconds
            == 2.5
        )

    def test_another_run_on_the_asset_serves_where_the_parent_did_not_get_that_far(self):
        run(matched_job())
        StageOutput.objects.filter(stage="compile_report").update(seconds=0.75)
        other = matched_job(detections=[])
        estimate = replay_estimate(parent=other, start_stage="escalate_vlm", overrides={})
        assert of(estimate, "compile_report").seconds == 0.75

    def test_other_videos_serve_by_their_length(self):
        run(matched_job())  # five seconds long
        StageOutput.objects.filter(stage="compile_report").update(seconds=0.5)
        longer = an_asset(sha256="cd" * 32, duration=50.0)
        job = matched_job(asset=longer)
        estimate = replay_estimate(parent=job, start_stage="escalate_vlm", overrides={})
        assert of(estimate, "compile_report").seconds == 5.0

    def test_what_never_ran_is_not_guessed(self):
        estimate = replay_estimate(parent=matched_job(), start_stage="escalate_vlm", overrides={})
        assert of(estimate, "compile_report").seconds is None
        assert of(estimate, "escalate_vlm").seconds == 0, "nobody is asked"

    def test_questions_take_as_long_as_they_did(self, models, use_providers):
        use_providers(PRICED.format(url=models.base_url).replace("kind:", "concurrency: 1, kind:"))
        job = matched_job(frames=True)
        assert (
            of(replay_estimate(parent=job, start_stage="escalate_vlm", overrides={}), "escalate_cloud").seconds is None
        )
        replay(job, "escalate_vlm")
        changes = {"escalate_cloud": {"ask_again": 1}}
        seconds = of(
            replay_estimate(parent=job, start_stage="escalate_vlm", overrides=changes), "escalate_cloud"
        ).seconds
        assert seconds is not None
        assert 0 < seconds < 5

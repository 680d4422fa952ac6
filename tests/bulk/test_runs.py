"""Running a batch: what its replays then use, what is not done twice, and how a stop leaves it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from brands.models import RejectedText
from detect.errors import CancelledError
from detect.options import Overrides
from detect.stages.compile_report import CompileReport
from jobs.bulk.batches import BatchSettings, batch_totals
from jobs.bulk.book import Outcome, Result
from jobs.bulk.runs import batch_run_here, batch_run_queued
from jobs.bulk.schedules import Schedule
from jobs.choices import JobStatus, RunType
from jobs.lifecycle import job_cancel
from jobs.models import DetectJob
from jobs.selectors import job_branch, job_report
from jobs.states import job_move
from jobs.work.execute import advance, work_once
from jobs.work.owners import this_process
from tests.bulk.conftest import STRICTER, Watch, an_order, completed, plan_of
from tests.trees.made import a_job, an_asset

pytestmark = pytest.mark.django_db


def outcomes(results) -> list[Outcome]:
    return [result.outcome for result in results]


def replay_of(result: Result) -> DetectJob:
    assert result.replay_id is not None
    return DetectJob.objects.get(id=result.replay_id)


def replays() -> list[DetectJob]:
    return list(DetectJob.objects.filter(run_type=RunType.REPLAY).order_by("created_at"))


class TestHere:
    def test_every_job_is_replayed_with_its_own_options_under_the_new_ones(self) -> None:
        parents = [completed(1), completed(2, overrides={"match_brands": {"min_similarity": 0.91}})]
        watch = Watch()
        results = batch_run_here(plan_of(), an_order(watch=watch, tags=("evening",)))
        assert outcomes(results) == [Outcome.COMPLETED] * 2
        made = replays()
        assert [job.parent_job_id for job in made] == [parent.id for parent in parents]
        assert [job.status for job in made] == [JobStatus.COMPLETED] * 2
        assert made[1].config_overrides == {**parents[1].config_overrides, **STRICTER.overrides}
        assert made[0].tags == [STRICTER.tag, "evening"]
        assert [result.replay_id for result in results] == watch.replays == [job.id for job in made]
        assert results[0].brands_found == made[0].brands_found == 1
        assert watch.shares
        assert all(0 <= share <= 1 for share in watch.shares)

    def test_what_the_plan_says_is_what_the_runs_then_do(self, job: DetectJob) -> None:
        """With the really analysed match: stages reused and run, one by one."""
        tries: list[Overrides] = [{"compile_report": {"min_seconds": 0.7}}, {"match_brands": {}}]
        for number, changes in enumerate(tries):
            plan = plan_of(BatchSettings("match_brands", changes), jobs=(str(job.id),))
            [result] = batch_run_here(plan, an_order())
            report = job_report(replay_of(result))
            reused = [stage.stage for stage in report.stages if stage.reused]
            [estimate] = [one.estimate for one in plan]
            assert estimate is not None
            assert estimate.reused_stages == reused
            totals = batch_totals(plan)
            assert (totals.stages, totals.stages_reused) == (len(report.stages), len(reused))
            assert (totals.model_calls, totals.usd) == (report.costs.calls, Decimal(0)) == (0, Decimal(0))
            assert len(reused) == (5, 8)[number], "the second finds what the first has matched"

    def test_one_that_fails_does_not_stop_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        parents = [completed(1), completed(2)]
        run = CompileReport.run

        def fail_once(stage, ctx, data):
            if ctx.source.sha256 == parents[0].source_asset.sha256:
                raise ValueError("the abacus is out of beads")
            return run(stage, ctx, data)

        monkeypatch.setattr(CompileReport, "run", fail_once)
        failed, fine = batch_run_here(plan_of(), an_order())
        assert (failed.outcome, fine.outcome) == (Outcome.FAILED, Outcome.COMPLETED)
        assert "abacus" in failed.reason
        assert [job.status for job in replays()] == [JobStatus.FAILED, JobStatus.COMPLETED]
        monkeypatch.setattr(CompileReport, "run", run)
        again = plan_of()
        assert (again[0].begun, again[1].done) == (failed.replay_id, fine.replay_id)
        assert outcomes(batch_run_here(again, an_order())) == [Outcome.DONE, Outcome.COMPLETED]
        assert len(replays()) == 2, "the one that failed was gone on with"

    def test_a_job_that_cannot_be_replayed_is_a_failure_of_its_own(self) -> None:
        completed(1)
        a_job(an_asset(sha256=f"{2:064x}"), status=JobStatus.COMPLETED)
        plan = plan_of()
        assert "nothing to replay compile_report from" in plan[1].problem
        assert batch_totals(plan).problems == 1
        assert sorted(outcomes(batch_run_here(plan, an_order()))) == [Outcome.COMPLETED, Outcome.FAILED]

    def test_a_stop_pauses_the_replay_and_the_next_run_goes_on_with_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(3):
            completed(number)
        run, begun = CompileReport.run, []

        def count(stage, ctx, data):
            begun.append(ctx)
            return run(stage, ctx, data)

        monkeypatch.setattr(CompileReport, "run", count)

        def stop_in_the_second() -> None:
            if len(replays()) == 2:
                raise CancelledError("stopped")

        with pytest.raises(CancelledError):
            batch_run_here(plan_of(), an_order(checkpoint=stop_in_the_second))
        assert [job.status for job in replays()] == [JobStatus.COMPLETED, JobStatus.PAUSED]
        results = batch_run_here(plan_of(), an_order())
        assert outcomes(results) == [Outcome.DONE, Outcome.COMPLETED, Outcome.COMPLETED]
        assert [job.status for job in replays()] == [JobStatus.COMPLETED] * 3
        assert len(begun) == 3, "each was computed once"

    def test_one_that_somebody_else_stops_fails_alone(self) -> None:
        completed(1), completed(2)

        class Meddler(Watch):
            def started(self, planned, replay_id) -> None:
                super().started(planned, replay_id)
                if len(self.replays) == 1:
                    job_cancel(DetectJob.objects.get(id=replay_id))

        results = batch_run_here(plan_of(), an_order(watch=Meddler()))
        assert outcomes(results) == [Outcome.FAILED, Outcome.COMPLETED]
        assert "cancelled" in results[0].reason


class TestResuming:
    def test_done_with_the_same_settings_only(self) -> None:
        completed(1)
        [first] = batch_run_here(plan_of(), an_order())
        assert plan_of()[0].done == first.replay_id
        assert outcomes(batch_run_here(plan_of(), an_order())) == [Outcome.DONE]
        other = BatchSettings("compile_report", {"compile_report": {"min_seconds": 0.8}})
        assert plan_of(other)[0].open
        assert plan_of(BatchSettings("match_brands", STRICTER.overrides))[0].open
        assert len(replays()) == 1

    def test_again(self) -> None:
        completed(1)
        batch_run_here(plan_of(), an_order())
        results = batch_run_here(plan_of(again=True), an_order(again=True))
        assert outcomes(results) == [Outcome.COMPLETED]
        assert len(replays()) == 2

    def test_a_decision_about_brands_makes_it_another_replay(self) -> None:
        completed(1)
        batch_run_here(plan_of(), an_order())
        RejectedText.objects.create(text="acne")
        assert plan_of()[0].open

    def test_cancelled_is_not_gone_on_with(self) -> None:
        completed(1)
        [result] = batch_run_here(plan_of(), an_order())
        replay_of(result).delete()
        first = plan_of()
        with pytest.raises(CancelledError):
            batch_run_here(first, an_order(checkpoint=_cancel))
        job_cancel(replays()[0])
        [planned] = plan_of()
        assert (planned.done, planned.begun) == (None, None)
        assert outcomes(batch_run_here([planned], an_order())) == [Outcome.COMPLETED]


def _cancel() -> None:
    raise CancelledError("stopped")


class TestQueued:
    @pytest.fixture(autouse=True)
    def one_transaction(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("jobs.work.execute.close_old_connections", lambda: None)

    def test_workers_do_them(self) -> None:
        completed(1), completed(2)
        results = batch_run_queued(plan_of(), an_order(wait=work))
        assert outcomes(results) == [Outcome.COMPLETED] * 2
        assert all(job.task_id for job in replays())
        assert [result.brands_found for result in results] == [1, 1]

    def test_at_a_moment_to_come_they_are_left_to_the_workers(self) -> None:
        completed(1)
        start = datetime.now(UTC) + timedelta(hours=3)
        [result] = batch_run_queued(plan_of(), an_order(schedule=Schedule(start=start)))
        assert result.outcome == Outcome.QUEUED
        assert replays()[0].scheduled_for == start
        assert replays()[0].status == JobStatus.PENDING
        work(0)
        assert replays()[0].status == JobStatus.PENDING, "not before its time"
        assert plan_of()[0].begun == result.replay_id

    def test_a_stop_pauses_what_has_not_begun(self) -> None:
        completed(1), completed(2)
        watch, looks = Watch(), []

        def stop_later() -> None:
            looks.append(1)
            if len(looks) == 2:
                job_move(replays()[0], JobStatus.RUNNING)
                raise CancelledError("stopped")

        with pytest.raises(CancelledError):
            batch_run_queued(plan_of(), an_order(watch=watch, checkpoint=stop_later, wait=lambda _: None))
        assert [job.status for job in replays()] == [JobStatus.RUNNING, JobStatus.PAUSED]
        assert watch.notes == ["1 of the replays are being worked on: the workers go on with them."]
        results = batch_run_queued(plan_of(), an_order(wait=work))
        assert outcomes(results) == [Outcome.COMPLETED] * 2
        assert len(replays()) == 2

    @pytest.mark.parametrize(("to", "says"), [(JobStatus.PAUSED, "paused"), (JobStatus.CANCELLED, "cancelled")])
    def test_what_somebody_else_stops_is_not_waited_for(self, to: JobStatus, says: str) -> None:
        completed(1)
        [result] = batch_run_queued(plan_of(), an_order(wait=lambda _: job_move(replays()[0], to)))
        assert result.outcome == Outcome.FAILED
        assert says in result.reason

    def test_in_a_window_no_more_than_workers_and_none_begins_after_it(self) -> None:
        for number in range(2):
            completed(number)
        clock = Clock(datetime(2026, 5, 1, 4, 59, 59, tzinfo=UTC))
        told: list[tuple[str, object]] = []

        def wait(seconds: float) -> None:
            told.append((f"{clock.now:%d %H:%M}", [job.scheduled_for for job in replays()]))
            if clock.now.day == 1 and len(told) < 4:
                clock.now += timedelta(seconds=1)
            else:
                clock.now = datetime(2026, 5, 2, 1, 0, 0, tzinfo=UTC)
                DetectJob.objects.filter(status=JobStatus.PENDING).update(scheduled_for=None)  # as the scheduler would
                work(0)

        window = Schedule(window=(time(1), time(5)))
        results = batch_run_queued(plan_of(), an_order(wait=wait, schedule=window, now=clock))
        assert outcomes(results) == [Outcome.COMPLETED] * 2
        assert told[0] == ("01 04:59", [None]), "one at a time, as there is no more than one worker"
        assert told[1] == ("01 05:00", [datetime(2026, 5, 2, 1, 0, tzinfo=UTC)]), "it waits for the next window"


class TestSchedule:
    @pytest.mark.parametrize(
        ("window", "now", "opens"),
        [
            ((1, 5), "01T00:30", "01T01:00"),
            ((1, 5), "01T01:00", "01T01:00"),
            ((1, 5), "01T04:59", "01T04:59"),
            ((1, 5), "01T05:00", "02T01:00"),
            ((22, 6), "01T23:00", "01T23:00"),
            ((22, 6), "01T05:59", "01T05:59"),
            ((22, 6), "01T06:00", "01T22:00"),
        ],
    )
    def test_windows(self, window: tuple[int, int], now: str, opens: str) -> None:
        schedule = Schedule(window=(time(window[0]), time(window[1])))
        at, then = (datetime.fromisoformat(f"2026-05-{text}:00+00:00") for text in (now, opens))
        assert schedule.opens(at) == then

    def test_here_it_is_waited_for(self) -> None:
        completed(1)
        clock = Clock(datetime(2026, 5, 1, 0, 59, 58, tzinfo=UTC))
        begun: list[datetime] = []

        class Timed(Watch):
            def started(self, planned, replay_id) -> None:
                begun.append(clock.now)

        watch = Timed()
        order = an_order(watch=watch, wait=clock.wait, now=clock, schedule=Schedule(window=(time(1), time(5))))
        assert outcomes(batch_run_here(plan_of(), order)) == [Outcome.COMPLETED]
        assert begun == [datetime(2026, 5, 1, 1, 0, tzinfo=UTC)]
        assert watch.notes == ["Waiting until 2026-05-01 01:00 UTC."]


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def work(_: float) -> None:
    """What workers would do now."""
    for job_id in DetectJob.objects.filter(status__in=["pending", "running"]).values_list("id", flat=True):
        advance(job_id)
    while work_once(queue="cpu", owner=this_process()) or work_once(queue="cloud", owner=this_process()):
        pass


def test_a_branch_hangs_where_it_begins() -> None:
    parent = completed(1)
    [result] = batch_run_here(plan_of(), an_order())
    nodes = job_branch(replay_of(result))
    assert {node.job_id for node in nodes} == {parent.id, result.replay_id}
    assert isinstance(result.replay_id, uuid.UUID)

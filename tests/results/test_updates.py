"""Results that decisions made outdated, and bringing them up to date."""

from __future__ import annotations

import pytest

from brands.actions import AliasOf, Confirm, Merge, NewBrand, Reject, Rename, Undo, decide
from brands.models import Decision, KnownBrand
from detect.errors import ConflictError
from jobs.choices import JobStatus
from jobs.lifecycle import job_cancel
from jobs.models import DetectJob
from jobs.results.accepted import result_accept, results_bring_in
from jobs.results.updates import Outdated, outdated_load, results_outdated, update_accept, update_begin
from jobs.selectors import job_report
from jobs.services import job_replay
from jobs.states import job_move
from tests.results.made import (
    accepted,
    analysed,
    brands_of,
    group,
    known,
    read_job,
    report_bytes,
    undecided,
    video,
)
from tests.review.material import ANA, CLEO
from tests.trees.made import run

pytestmark = pytest.mark.django_db


def all_outdated() -> list[Outdated]:
    return outdated_load(results_outdated())


def only() -> Outdated:
    (found,) = all_outdated()
    return found


def begin() -> DetectJob:
    return update_begin(result=accepted(), by="user:ana")


def brought_up_to_date() -> DetectJob:
    run(begin())
    job = update_accept(result=accepted())
    result_accept(job=job, by="user:cleo")
    return job


class TestOutdated:
    def test_nothing_is_before_anybody_decides(self):
        analysed("ACMEE", "ZORB")
        assert results_outdated() == []
        assert results_outdated() == []

    def test_a_decision_concerns_the_videos_that_show_it_and_no_other(self):
        analysed("ZORB", asset=video())
        analysed("KLAXON", asset=video("other"))
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        assert (only().result, only().decisions) == (accepted(), [decision])

    def test_undone_it_is_up_to_date_again(self):
        analysed("ZORB")
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        undoing = decide(Undo(decision.id), by=ANA)
        assert results_outdated() == []
        redoing = decide(Undo(decision.id), by=ANA)
        assert redoing.undoes == undoing
        assert only().decisions == [decision]

    def test_newest_decisions_first(self):
        analysed("ZORB", "KLAXON")
        analysed("MERIDIAN", asset=video("other"))
        first = decide(Confirm((group("ZORB"),)), by=ANA)
        second = decide(Confirm((group("MERIDIAN"),)), by=ANA)
        third = decide(Reject((group("KLAXON"),)), by=ANA)
        assert [one.decisions for one in all_outdated()] == [[third, first], [second]]

    def test_accepting_the_update_is_the_end_of_it(self):
        analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        job = brought_up_to_date()
        assert results_outdated() == []
        assert accepted().job == job
        assert "ZORB" in brands_of(job)

    def test_undoing_what_an_accepted_update_was_told_makes_it_outdated_again(self):
        analysed("ZORB")
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        brought_up_to_date()
        undoing = decide(Undo(decision.id), by=ANA)
        assert only().decisions == [undoing]
        decide(Undo(decision.id), by=ANA)
        assert results_outdated() == []

    def test_going_back_from_an_accepted_update_finds_it_worked_out(self):
        first = analysed("ZORB")
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        job = brought_up_to_date()
        result_accept(job=first, by="user:cleo")
        assert (only().decisions, only().update, only().is_ready) == ([decision], job, True)

    def test_a_decision_that_was_undone_before_and_is_made_again_after(self):
        analysed("ZORB", "KLAXON")
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        decide(Undo(decision.id), by=ANA)
        decide(Reject((group("KLAXON"),)), by=ANA)
        brought_up_to_date()
        again = decide(Undo(decision.id), by=ANA)
        assert only().decisions == [again]

    def test_a_video_that_came_during_the_decision_is_concerned_too(self):
        """Its run began before the decision and ended after it."""
        analysed("ZORB", asset=video("other"))
        job = read_job("ZORB", "MERIDIAN")
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        run(job)
        results_bring_in()
        assert {one.result.job: one.decisions for one in all_outdated()} == {
            job: [decision],
            accepted(video("other")).job: [decision],
        }

    def test_a_decision_about_something_else_does_not_concern_it(self):
        analysed("KLAXON", asset=video("other"))
        job = read_job("ZORB")
        decide(Confirm((group("KLAXON"),)), by=ANA)
        run(job)
        results_bring_in()
        assert only().result == accepted(video("other"))

    def test_brands_merged_since(self):
        acme, ackme = known("Acme", "Ackme")
        analysed("ACME", asset=video())
        decision = decide(Merge((acme.id,), into=ackme.id), by=CLEO)
        assert only().decisions == [decision]

    def test_many_cost_no_more_queries(self, django_assert_num_queries):
        for number in range(6):
            analysed("ZORB", asset=video(str(number)))
        decide(Confirm((group("ZORB"),)), by=ANA)
        with django_assert_num_queries(3):
            found = results_outdated()
        with django_assert_num_queries(2):
            assert len(outdated_load(found)) == 6


class TestUpdate:
    def test_it_shows_what_was_decided_and_leaves_the_report_before_it_as_it_was(self):
        first = analysed("ACMEX", "ZORB", "KLAXON", given=known("Acme"))
        before = report_bytes(first)
        decide(AliasOf((group("ACMEX"),), KnownBrand.objects.get(canonical_name="Acme").id), by=ANA)
        decide(NewBrand((group("ZORB"),), "Zorbium"), by=ANA)
        decide(Reject((group("KLAXON"),)), by=ANA)
        job = run(begin())
        assert set(brands_of(job)) == {"Acme", "Zorbium"}
        assert undecided(job_report(job)) == []
        assert report_bytes(first) == before
        assert (job.parent_job, job.replay_from_stage) == (first, "match_brands")

    def test_a_brand_confirmed_as_it_is_spelled_is_found_where_others_were_asked_for(self):
        """The run was told which brands to look for; what people recognise in its video is found all the same."""
        analysed("ACME", "ZORB", given=known("Acme"))
        decide(Confirm((group("ZORB"),)), by=ANA)
        assert set(brands_of(run(begin()))) == {"Acme", "ZORB"}

    def test_renaming_and_merging(self):
        acme, ackme = known("Acme", "Ackme")
        analysed("ACME", "ACKME")
        decide(Merge((ackme.id,), into=acme.id), by=CLEO)
        decide(Rename(acme.id, "Acme Corporation"), by=CLEO)
        assert set(brands_of(run(begin()))) == {"Acme Corporation"}

    def test_asked_for_twice_it_is_found(self):
        analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        job = begin()
        assert begin() == job
        run(job)
        assert begin() == job
        assert only().update == job
        assert only().is_ready

    def test_one_that_somebody_asked_for_by_hand_is_left_alone(self):
        """It may ask models."""
        first = analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        theirs = job_replay(parent=first, start_stage="match_brands", overrides={})
        job = begin()
        theirs.refresh_from_db()
        assert job != theirs
        assert (job.call_limit, theirs.call_limit) == (0, None)

    def test_one_that_failed_is_gone_on_with(self):
        analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        job = begin()
        job_move(job, JobStatus.FAILED, error_message="no room")
        assert not only().is_ready
        with pytest.raises(ConflictError, match="work out the changes first"):
            update_accept(result=accepted())
        assert begin() == job
        job.refresh_from_db()
        assert job.status == JobStatus.PENDING
        run(job)
        assert update_accept(result=accepted()) == job

    def test_one_that_was_cancelled_is_made_anew(self):
        analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        job = begin()
        job_cancel(job)
        assert begin() != job

    @pytest.mark.parametrize("finished", [True, False])
    def test_one_that_a_later_decision_overtook_is_no_use(self, finished: bool):
        analysed("ZORB", "KLAXON")
        decide(Confirm((group("ZORB"),)), by=ANA)
        job = begin()
        if finished:
            run(job)
        decide(Reject((group("KLAXON"),)), by=ANA)
        assert (only().update, only().overtaken) == (None, True)
        with pytest.raises(ConflictError, match="since it was worked out"):
            update_accept(result=accepted())
        assert begin() != job

    def test_one_that_was_told_what_is_undone_since_is_no_use(self):
        analysed("ZORB", "KLAXON")
        undone = decide(Confirm((group("ZORB"),)), by=ANA)
        stays = decide(Reject((group("KLAXON"),)), by=ANA)
        run(begin())
        decide(Undo(undone.id), by=ANA)
        assert (only().decisions, only().update, only().overtaken) == ([stays], None, True)
        with pytest.raises(ConflictError):
            update_accept(result=accepted())
        assert brands_of(brought_up_to_date()) == {}

    def test_all_undone_there_is_nothing_to_accept(self):
        analysed("ZORB")
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        run(begin())
        decide(Undo(decision.id), by=ANA)
        assert results_outdated() == []
        with pytest.raises(ConflictError):
            update_accept(result=accepted())

    def test_what_is_up_to_date_is_not_worked_out(self):
        analysed("ZORB")
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        decide(Undo(decision.id), by=ANA)
        with pytest.raises(ConflictError, match="up to date"):
            begin()

    def test_decisions_made_while_it_is_asked_for_come_before_it_or_after_it(self):
        """An update never lies between a decision and its time: it is told all that is dated before it."""
        analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        job = begin()
        assert all(one.created_at < job.created_at for one in Decision.objects.all())

"""Which result of a video counts: by itself, by choice, after a crash, and when it is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from brands.actions import Confirm, decide
from brands.actions.base import _ONE_AFTER_ANOTHER
from brands.models import BrandAppearance, ReviewGroup, ReviewItem
from brands.review.queue import waiting
from detect.errors import ConflictError, StorageError
from jobs.choices import JobStatus
from jobs.lifecycle import job_delete
from jobs.models import AcceptedResult, DetectJob
from jobs.results.accepted import result_accept, results_bring_in
from jobs.results.updates import results_outdated, update_begin
from jobs.selectors import job_report
from jobs.services import job_replay
from jobs.work.housekeeping import Housekeeping
from tests.results.made import LONG, accepted, analysed, group, known, read_job, video
from tests.review.material import ANA
from tests.trees.made import a_job, run

pytestmark = pytest.mark.django_db


def texts() -> list[str]:
    """What waits for people."""
    return sorted(ReviewItem.objects.filter(state="open").values_list("text", flat=True))


def shown() -> dict[str, str]:
    """Brands in the totals, with the job that says so."""
    rows = BrandAppearance.objects.values_list("brand__canonical_name", "job_id")
    return {name: str(job) for name, job in rows}


@contextmanager
def somebody_decides() -> Iterator[None]:
    """A decision is being made by somebody else, and nobody waits for it longer than a moment."""
    with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AFTER_ANOTHER])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
            yield
            cursor.execute("RESET lock_timeout")


class TestChoice:
    def test_the_first_counts_and_a_newer_initial_run_takes_its_place(self):
        known("Acme")
        first = analysed("ACME", "ZORB")
        assert (accepted().job, accepted().chosen_by) == (first, "")
        second = analysed("ACME", "KLAXON")
        assert accepted().job == second
        assert texts() == ["KLAXON"]
        assert shown() == {"Acme": str(second.id)}

    def test_a_replay_does_not(self):
        first = analysed("ZORB")
        run(job_replay(parent=first, start_stage="match_brands", overrides={}))
        assert accepted().job == first

    def test_once_somebody_has_chosen_nothing_takes_its_place_by_itself(self):
        first, second = analysed("ZORB"), analysed("KLAXON")
        result_accept(job=first, by="user:cleo")
        assert (accepted().job, accepted().chosen_by, texts()) == (first, "user:cleo", ["ZORB"])
        analysed("MERIDIAN")
        assert accepted().job == first
        result_accept(job=second, by="user:cleo")
        assert texts() == ["KLAXON"]

    @pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED])
    def test_only_a_finished_job_can(self, status: str):
        with pytest.raises(ConflictError, match="only a finished job"):
            result_accept(job=a_job(status=status), by="user:cleo")

    def test_what_was_decided_is_known_of_a_result_that_is_accepted_later(self):
        first = analysed("ZORB", "KLAXON")
        analysed("MERIDIAN")
        analysed("ZORB", asset=video("other"))
        decision = decide(Confirm((group("ZORB"),)), by=ANA)
        assert video() not in decision.assets.all()
        result_accept(job=first, by="user:cleo")
        assert texts() == ["KLAXON"]
        assert video() in decision.assets.all()


class TestCrash:
    """A process that ends between accepting and bringing in leaves ``recorded_at`` empty."""

    def test_housekeeping_brings_in_what_was_left(self, monkeypatch: pytest.MonkeyPatch):
        run(read_job("ZORB", seen=LONG))
        assert (accepted().recorded_at, texts()) == (None, [])
        house = Housekeeping()
        monkeypatch.setattr("jobs.work.housekeeping.uploads_expire", lambda: None)
        house.run_if_due()
        assert texts() == ["ZORB"]
        assert accepted().recorded_at is not None

    def test_what_cannot_be_brought_in_is_tried_again_and_stops_no_other(self, monkeypatch: pytest.MonkeyPatch):
        run(read_job("ZORB"))
        run(read_job("KLAXON", asset=video("other")))
        lost = accepted().job_id

        def report_of(job: DetectJob) -> Any:
            if job.id == lost:
                raise StorageError("the disk is away")
            return job_report(job)

        monkeypatch.setattr("jobs.results.accepted.job_report", report_of)
        assert results_bring_in() == 1
        assert texts() == ["KLAXON"]
        monkeypatch.undo()
        assert results_bring_in() == 1
        assert texts() == ["KLAXON", "ZORB"]

    def test_done_twice_it_is_done_once(self):
        analysed("ZORB")
        before = list(ReviewItem.objects.values_list("id", flat=True))
        assert results_bring_in() == 0
        assert list(ReviewItem.objects.values_list("id", flat=True)) == before

    def test_accepting_holds_though_it_cannot_be_brought_in_now(self, monkeypatch: pytest.MonkeyPatch):
        first = analysed("ZORB")
        analysed("KLAXON")

        def report_of(job: DetectJob) -> Any:
            raise StorageError("the disk is away")

        with monkeypatch.context() as away:
            away.setattr("jobs.results.accepted.job_report", report_of)
            result_accept(job=first, by="user:cleo")
        assert (accepted().job, accepted().recorded_at) == (first, None)
        results_bring_in()
        assert texts() == ["ZORB"]


@pytest.mark.django_db(transaction=True)
class TestOrder:
    """Of a decision and a result, one comes after the other: whichever is second sees all of the first."""

    def test_a_result_is_brought_in_behind_the_decision_that_is_being_made(self):
        run(read_job("ZORB"))
        AcceptedResult.objects.update(recorded_at=None)
        with somebody_decides():
            assert results_bring_in() == 0
        assert results_bring_in() == 1

    def test_an_update_is_told_what_is_being_decided(self):
        analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        with somebody_decides(), pytest.raises(OperationalError, match="lock timeout"):
            update_begin(result=accepted(), by="user:ana")
        assert update_begin(result=accepted(), by="user:ana").call_limit == 0


class TestDeleting:
    @pytest.fixture(autouse=True)
    def committed(self, django_capture_on_commit_callbacks: Any) -> Any:
        self._committed = django_capture_on_commit_callbacks

    def delete(self, job: DetectJob) -> None:
        with self._committed(execute=True):
            job_delete(job)

    def test_the_newest_other_one_takes_its_place(self):
        known("Acme")
        analysed("MERIDIAN")
        second = analysed("ACME", "KLAXON")
        third = analysed("ACME", "ZORB")
        result_accept(job=third, by="user:cleo")
        self.delete(third)
        assert (accepted().job, accepted().chosen_by, texts()) == (second, "", ["KLAXON"])
        assert shown() == {"Acme": str(second.id)}

    def test_an_unfinished_one_does_not(self):
        only = analysed("ZORB")
        a_job(video(), status=JobStatus.FAILED)
        self.delete(only)
        assert not AcceptedResult.objects.exists()

    def test_with_the_last_one_nothing_of_the_video_waits_or_counts(self):
        known("Acme")
        only = analysed("ACME", "ZORB")
        analysed("ZORB", "KLAXON", asset=video("other"))
        assert waiting().items == 3
        self.delete(only)
        assert not BrandAppearance.objects.exists()
        assert texts() == ["KLAXON", "ZORB"]
        zorb = ReviewGroup.objects.get(text="ZORB")
        assert (zorb.open_items, zorb.open_sources) == (1, 1)
        assert waiting().items == 2

    def test_groups_that_nothing_is_left_of_are_gone(self):
        self.delete(analysed("ZORB"))
        assert not ReviewGroup.objects.exists()

    def test_another_ones_end_changes_nothing(self):
        first = analysed("ZORB")
        second = analysed("KLAXON")
        before = list(ReviewItem.objects.values_list("id", flat=True))
        self.delete(first)
        assert accepted().job == second
        assert list(ReviewItem.objects.values_list("id", flat=True)) == before

    def test_an_update_that_is_deleted_is_worked_out_anew(self):
        analysed("ZORB")
        decide(Confirm((group("ZORB"),)), by=ANA)
        job = run(update_begin(result=accepted(), by="user:ana"))
        self.delete(job)
        (found,) = results_outdated()
        assert found.update_id is None

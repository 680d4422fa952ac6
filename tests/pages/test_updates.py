"""Bringing results up to date, and choosing the result that counts, in the browser."""

from __future__ import annotations

from typing import Any

import pytest

from brands.actions import Confirm, NewBrand, Reject, Undo, decide
from brands.models import BrandAppearance
from jobs.choices import JobStatus
from jobs.models import DetectJob
from jobs.results.accepted import result_accept
from jobs.results.updates import results_outdated, update_begin
from jobs.states import job_move
from mediaproc.roles import Role
from tests.pages.text import body, inline_parts, words
from tests.results.made import accepted, analysed, group, known, video
from tests.review.material import ANA
from tests.trees.made import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


@pytest.fixture
def outdated(workers: Any) -> DetectJob:
    """A result of which two texts were decided since."""
    job = analysed("ACME", "ZORB", "KLAXON", given=known("Acme"))
    decide(NewBrand((group("ZORB"),), "Zorb <b>"), by=ANA)
    decide(Reject((group("KLAXON"),)), by=ANA)
    return job


def worked_out() -> DetectJob:
    return run(update_begin(result=accepted(), by="user:ana"))


def post(browser: Any, what: str, **fields: Any) -> Any:
    return browser.post(f"/updates/{what}", {"next": "/updates", **fields}, follow=True)


class TestPage:
    def test_nothing_to_do(self, client: Any):
        analysed("ZORB")
        assert "Every result is up to date." in words(client.get("/updates"))

    def test_decisions_and_what_is_at_stake(self, curator: Any, outdated: DetectJob):
        response = curator.get("/updates")
        text = words(response)
        assert "'KLAXON' rejected ana," in text
        assert "About 2 texts, 2.5 s on screen" in text
        assert "Zorb &lt;b&gt;" in response.content.decode()
        assert f'href="/jobs/{outdated.id}"' in body(response)
        assert inline_parts(response) == []

    def test_the_change_is_shown_first(self, curator: Any, outdated: DetectJob):
        job = worked_out()
        response = curator.get("/updates")
        text = words(response)
        assert "1 gained" in text
        assert "Left to decide: 2 before, 0 after" in text
        assert "Zorb – 1.3 s +1.3 s" in text
        assert "Zorb &lt;b&gt;" in response.content.decode()
        assert f"/compare?left={outdated.id}&right={job.id}" in body(response)
        assert accepted().job == outdated

    def test_confirming_what_was_proposed_changes_no_seconds(self, curator: Any, workers: Any):
        analysed("ZORBIUM", seen=range(8))
        decide(Confirm((group("ZORBIUM"),)), by=ANA)
        worked_out()
        text = words(curator.get("/updates"))
        assert "Confirmed: ZORBIUM" in text
        assert "gained" not in text

    def test_where_nothing_changes_it_says_so(self, curator: Any, workers: Any):
        """What was rejected had not been left to people in this report."""
        job = analysed("ACME", given=known("Acme"))
        decision = decide(Reject((group("KLAXON"),)), by=ANA) if analysed("KLAXON", asset=video("other")) else None
        assert decision is not None
        decision.assets.add(job.source_asset)
        run(update_begin(result=accepted(), by="user:ana"))
        assert "Nothing: it would say the same." in words(curator.get("/updates"))

    def test_progress_failure_and_what_is_overtaken(self, curator: Any, outdated: DetectJob):
        job = update_begin(result=accepted(), by="user:ana")
        assert f'id="job-{job.id}" data-status="pending"' in body(curator.get("/updates"))
        job_move(job, JobStatus.FAILED, error_message="no room")
        text = words(curator.get("/updates"))
        assert "It could not be worked out: no room" in text
        assert "Try again" in text
        decide(Undo(results_outdated()[0].decisions[0]), by=ANA)
        assert "it no longer holds" in words(curator.get("/updates"))

    def test_pages(self, client: Any):
        for number in range(12):
            analysed("ZORB", asset=video(str(number)))
        decide(Confirm((group("ZORB"),)), by=ANA)
        assert words(client.get("/updates")).count("Decided since") == 10
        response = client.get("/updates?page=2")
        assert words(response).count("Decided since") == 2
        assert "Page 2 of 2, 12 results" in words(response)
        for odd in ("0", "x", "99", "²", "1" * 400):
            assert client.get(f"/updates?page={odd}").status_code == 200

    def test_many_decisions_cost_no_more_queries(self, client: Any, django_assert_max_num_queries: Any):
        for number in range(8):
            analysed("ZORB", "KLAXON", asset=video(str(number)))
        decide(Confirm((group("ZORB"),)), by=ANA)
        decide(Reject((group("KLAXON"),)), by=ANA)
        with django_assert_max_num_queries(14):
            client.get("/updates")

    def test_a_viewer_looks_and_changes_nothing(self, client: Any, client_of: Any, outdated: DetectJob):
        worked_out()
        page = body(client.get("/updates"))
        assert 'action="/updates/' not in page
        assert "What changes" in page
        reviewer = client_of(Role.REVIEWER)
        assert reviewer.post("/updates/begin", {"results": accepted().id}).status_code == 403
        assert reviewer.post("/updates/accept", {"results": accepted().id}).status_code == 403


class TestButtons:
    def test_one_is_worked_out(self, curator: Any, outdated: DetectJob):
        text = words(post(curator, "begin", results=accepted().id))
        assert "The changes of 1 result are being worked out." in text
        job = accepted().update
        assert job is not None
        assert (job.requested_by, job.call_limit) == ("user:curator", 0)

    def test_all_are_worked_out_that_nobody_has_yet(self, curator: Any, workers: Any):
        for name in ("one", "two", "three"):
            analysed("ZORB", asset=video(name))
        decide(Confirm((group("ZORB"),)), by=ANA)
        update_begin(result=accepted(video("one")), by="user:ana")
        assert "Work out all 2" in words(curator.get("/updates"))
        assert "changes of 2 results" in words(post(curator, "begin", all="yes"))

    def test_accepting_and_going_back(self, curator: Any, outdated: DetectJob):
        job = worked_out()
        response = post(curator, "accept", results=accepted().id)
        assert accepted().job == job
        assert accepted().chosen_by == "user:curator"
        assert "Brought up to date lately" in words(response)
        assert "is the accepted result of match.mp4 now. The one before is kept. Undo" in words(response)
        assert f'action="/jobs/{outdated.id}/accept"' in body(response)
        response = curator.post(f"/jobs/{outdated.id}/accept", {"next": "/updates"}, follow=True)
        assert accepted().job == outdated
        assert "1 gained" in words(response), "what was worked out is still there"

    def test_several_at_once(self, curator: Any, workers: Any):
        ids = []
        for name in ("one", "two"):
            analysed("ZORB", asset=video(name))
            ids.append(accepted(video(name)).id)
        decide(Confirm((group("ZORB"),)), by=ANA)
        for name in ("one", "two"):
            run(update_begin(result=accepted(video(name)), by="user:ana"))
        assert "Accept the 2 changes below" in words(curator.get("/updates"))
        assert "2 results are up to date; those before are kept." in words(post(curator, "accept", results=ids))
        assert set(BrandAppearance.objects.values_list("brand__canonical_name", flat=True)) == {"ZORB"}

    def test_what_was_overtaken_is_not_accepted(self, curator: Any, outdated: DetectJob):
        worked_out()
        decide(Undo(results_outdated()[0].decisions[0]), by=ANA)
        text = words(post(curator, "accept", results=accepted().id))
        assert "match.mp4: decisions have been made since it was worked out" in text
        assert accepted().job == outdated

    @pytest.mark.parametrize("ids", [[], ["x"], ["99999999"], ["9" * 40]])
    def test_what_is_no_result_does_nothing(self, curator: Any, outdated: DetectJob, ids: list[str]):
        for what in ("begin", "accept"):
            assert post(curator, what, results=ids).status_code == 200
        assert accepted().update is None


class TestAccept:
    def test_a_curator_chooses(self, curator: Any):
        first, second = analysed("ZORB"), analysed("KLAXON")
        response = curator.post(f"/jobs/{first.id}/accept", {"next": f"/jobs/{first.id}/tree"}, follow=True)
        assert response.redirect_chain == [(f"/jobs/{first.id}/tree", 302)]
        assert (accepted().job, accepted().chosen_by) == (first, "user:curator")
        assert f'action="/jobs/{second.id}/accept"' in body(response)
        assert "Undo" in words(response)

    def test_again_it_changes_nothing_that_could_be_undone(self, curator: Any):
        job = analysed("ZORB")
        response = curator.post(f"/jobs/{job.id}/accept", {"next": "/updates"}, follow=True)
        assert "Undo" not in words(response)

    def test_what_is_not_finished_cannot_be(self, curator: Any, make_job: Any):
        job = make_job(status=JobStatus.FAILED)
        response = curator.post(f"/jobs/{job.id}/accept", {"next": "/updates"}, follow=True)
        assert "only a finished job can be the accepted result" in words(response)

    def test_names_are_shown_as_they_are(self, curator: Any):
        first = analysed("ZORB", asset=video("<i>odd"), video_path="/footage/<i>odd.mp4")
        analysed("KLAXON", asset=video("<i>odd"))
        response = curator.post(f"/jobs/{first.id}/accept", {"next": "/updates"}, follow=True)
        assert "&lt;i&gt;odd.mp4" in response.content.decode()

    def test_it_leads_nowhere_else(self, curator: Any):
        job = analysed("ZORB")
        response = curator.post(f"/jobs/{job.id}/accept", {"next": "https://evil.example/"})
        assert response["Location"] == "/jobs"

    def test_only_curators_do(self, client_of: Any):
        first = analysed("ZORB")
        result_accept(job=first, by="user:cleo")
        second = analysed("KLAXON")
        assert client_of(Role.REVIEWER).post(f"/jobs/{second.id}/accept").status_code == 403
        assert accepted().job == first

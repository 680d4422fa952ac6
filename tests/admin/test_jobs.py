"""Jobs in the admin: found, looked at, and acted on through the services alone, after being asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from detect.checkpoints import serde
from detect.types import KnownBrandRecord, KnownBrands
from jobs.admin.jobfacts import MOST_EVENTS
from jobs.choices import EventKind, JobStatus, UnitState
from jobs.models import DetectJob, JobEvent, WorkUnit
from mediaproc.roles import Role
from tests.trees.made import a_job, matched_job

LIST = "/admin/jobs/detectjob/"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def text(browser: Client, address: str) -> str:
    """A page without its tags and with single blanks."""
    answer = browser.get(address)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def detail(job: DetectJob) -> str:
    return f"{LIST}{job.id}/change/"


def select(browser: Client, action: str, *jobs: DetectJob, **fields: Any) -> Any:
    return browser.post(LIST, {"action": action, "_selected_action": [str(job.id) for job in jobs], **fields})


class TestList:
    def test_shows_what_it_is_about(self, curator: Client) -> None:
        a_job(video_path="/videos/final.mp4", status="failed", progress=0.6, current_stage="run_ocr", brands_found=7)
        a_job(video_path="/videos/semi.mp4", requested_by="user:ana", estimated_cost_usd="0.0042")
        page = text(curator, LIST)
        assert "final.mp4 failed 60 %, read text soccer broadcast 7 USD 0.00" in page
        assert "semi.mp4 pending 0 % soccer broadcast 0 USD 0.0042 ana" in page

    @pytest.mark.parametrize("query", ["q=final", "q=ana", "q=week-3", "status__exact=paused", "run_type__exact=retry"])
    def test_is_searched_and_filtered(self, curator: Client, query: str) -> None:
        fields: dict[str, Any] = {
            "requested_by": "user:ana",
            "tags": ["week-3"],
            "status": "paused",
            "run_type": "retry",
        }
        a_job(video_path="/videos/final.mp4", **fields)
        a_job(video_path="/videos/semi.mp4")
        page = text(curator, f"{LIST}?{query}")
        assert "final.mp4" in page
        assert "semi.mp4" not in page

    def test_is_searched_by_id(self, curator: Client) -> None:
        one, _ = a_job(video_path="/videos/final.mp4"), a_job(video_path="/videos/semi.mp4")
        page = text(curator, f"{LIST}?q={one.id}")
        assert "final.mp4" in page and "semi.mp4" not in page

    def test_curators_have_no_actions(self, curator: Client, operator: Client) -> None:
        job = a_job()
        assert "Pause the selected jobs" not in text(curator, LIST)
        assert "Pause the selected jobs" in text(operator, LIST)
        select(curator, "pause_selected", job, confirmed="yes")  # no such action: the list again
        assert DetectJob.objects.get().status == JobStatus.PENDING


class TestDetail:
    def test_known_brands_are_told_in_sum(self, curator: Client) -> None:
        known = KnownBrands(
            brands=tuple(KnownBrandRecord(f"Brand {n:02d}", aliases=("x", "y"), confirmed=n > 0) for n in range(20)),
            rejected=("a", "b", "c"),
            given=True,
        )
        page = text(curator, detail(a_job(known_brands=serde.pack(serde.encode(known)))))
        assert "brands 20 Brand 00, Brand 01," in page and "Brand 11 and 8 more" in page and "Brand 12" not in page
        assert "of these confirmed 19" in page and "aliases 40" in page and "texts that are no brands 3" in page
        assert "They were listed for this job" in page

    def test_a_snapshot_that_cannot_be_read_is_said(self, curator: Client) -> None:
        assert "The snapshot cannot be read" in text(curator, detail(a_job(known_brands=b"?")))

    def test_options_checkpoints_and_branches(self, curator: Client) -> None:
        job = matched_job(overrides={"run_ocr": {"detect_side": 960}})
        branch = a_job(parent_job=job, run_type="replay", replay_from_stage="match_brands")
        page = text(curator, detail(job))
        assert "Read text detect side 960" in page
        assert "Match brands" in page and "Compile report" not in page
        assert f"{str(branch.id)[:8]} replay at match brands pending" in page
        assert f'href="/jobs/{job.id}/tree"' in curator.get(detail(job)).content.decode()
        assert f"{str(job.id)[:8]} at match brands" in text(curator, detail(branch))

    def test_the_last_events_in_words(self, curator: Client) -> None:
        job = a_job(last_event=60)
        made: list[tuple[EventKind, dict[str, Any]]] = [
            (EventKind.LOG, {"level": "info", "line": f"line {n}"}) for n in range(1, 57)
        ]
        made.append((EventKind.BRAND, {"brand_id": "1", "name": "<i>Acme</i>", "confirmed": True}))
        made.append((EventKind.STAGE, {"stage": "run_ocr", "seconds": 4.2, "units": 2}))
        made.append((EventKind.UPDATE, {"status": "failed", "progress": 0.5, "stage": "run_ocr", "error": "disk full"}))
        for number, (kind, data) in enumerate(made, start=2):
            JobEvent.objects.create(job=job, number=number, kind=kind, data=data)
        page = text(curator, detail(job))
        assert f"The last {MOST_EVENTS} of 60." in page
        assert "failed 50 %, run ocr: disk full" in page
        assert "Read text ended in 4.2 s, 2 units" in page
        assert "brand &lt;i&gt;Acme&lt;/i&gt;" in page
        assert "info: line 56" in page and "info: line 9 " not in page

    def test_units_that_are_not_done(self, curator: Client) -> None:
        job = a_job(status="running")
        for chunk, state in enumerate([UnitState.DONE, UnitState.DONE, UnitState.FAILED]):
            WorkUnit.objects.create(job=job, stage="run_ocr", stage_index=4, chunk=chunk, state=state, failures=chunk)
        WorkUnit.objects.filter(state=UnitState.FAILED).update(error="it is a bad one", owner="host:7:1")
        page = text(curator, detail(job))
        assert "Read text 0 0 2 1 3 0" in page
        assert "Read text 2 failed 0 host:7:1 it is a bad one" in page

    def test_a_name_is_no_markup(self, curator: Client) -> None:
        job = a_job(video_path="/videos/<img src=x onerror=alert(1)>.mp4", tags=["<b>x</b>"], error_message="<b>no</b>")
        for address in (LIST, detail(job)):
            page = curator.get(address).content.decode()
            assert "<img src=x" not in page and "<b>x</b>" not in page and "<b>no</b>" not in page

    def test_a_job_whose_video_is_gone_is_shown(self, curator: Client) -> None:
        assert "soccer broadcast" in text(curator, detail(a_job(timeline=None, video_path="storage:gone")))


class TestActing:
    def test_a_button_asks_and_then_acts(self, operator: Client) -> None:
        job = a_job(video_path="/videos/final.mp4")
        assert "Pause the job for final.mp4?" in text(operator, f"{LIST}{job.id}/pause/")
        assert DetectJob.objects.get().status == JobStatus.PENDING
        done = operator.post(f"{LIST}{job.id}/pause/", {"confirmed": "yes"}, follow=True)
        assert DetectJob.objects.get().status == JobStatus.PAUSED
        assert done.redirect_chain == [(detail(job), 302)]
        assert b"1 job paused." in done.content
        assert list(job.events.values_list("kind", flat=True)) == [EventKind.UPDATE], "the services tell it"

    def test_a_post_without_the_answer_asks_again(self, operator: Client) -> None:
        job = a_job()
        assert b"Cancel the job for" in operator.post(f"{LIST}{job.id}/cancel/").content
        assert DetectJob.objects.get().status == JobStatus.PENDING

    @pytest.mark.parametrize(
        ("status", "buttons"),
        [
            ("pending", {"pause", "cancel"}),
            ("running", {"pause", "cancel"}),
            ("paused", {"resume", "cancel", "delete"}),
            ("completed", {"delete"}),
            ("failed", {"resume", "cancel", "delete"}),
            ("cancelled", {"delete"}),
        ],
    )
    def test_buttons_are_those_of_the_state(self, operator: Client, status: str, buttons: set[str]) -> None:
        job = a_job(status=status)
        page = operator.get(detail(job)).content.decode()
        shown = {name for name in ("pause", "resume", "cancel", "delete") if f'href="{LIST}{job.id}/{name}/"' in page}
        assert shown == buttons

    def test_curators_have_no_buttons(self, curator: Client) -> None:
        job = a_job()
        assert f"{job.id}/pause/" not in curator.get(detail(job)).content.decode()
        assert curator.get(f"{LIST}{job.id}/pause/").status_code == 403
        assert curator.post(f"{LIST}{job.id}/pause/", {"confirmed": "yes"}).status_code == 403
        assert DetectJob.objects.get().status == JobStatus.PENDING

    def test_several_at_once_and_what_cannot_be_is_said(self, operator: Client) -> None:
        jobs = [a_job(video_path=f"/videos/{n}.mp4") for n in range(2)]
        ended = a_job(video_path="/videos/old.mp4", status="completed")
        asked = select(operator, "cancel_selected", *jobs, ended)
        assert b"Cancel 3 jobs?" in asked.content
        assert not DetectJob.objects.filter(status=JobStatus.CANCELLED).exists()
        done = select(operator, "cancel_selected", *jobs, ended, confirmed="yes")
        page = text(operator, done["Location"])
        assert "2 jobs cancelled." in page
        assert f"old.mp4: job {ended.id} is completed: it cannot become cancelled" in page
        assert DetectJob.objects.filter(status=JobStatus.CANCELLED).count() == 2

    def test_deleted_as_the_services_do(self, operator: Client) -> None:
        job = matched_job(status=JobStatus.COMPLETED)
        branched = matched_job(status=JobStatus.COMPLETED)
        node = branched.timeline.checkpoints.first()  # type: ignore[union-attr]
        a_job(branch_point=node, status="paused")
        done = select(operator, "delete_selected", job, branched, confirmed="yes")
        assert "other jobs are replays of job" in text(operator, done["Location"])
        assert set(DetectJob.objects.values_list("status", flat=True)) == {"completed", "paused"}
        assert not job.timeline.checkpoints.exists()  # type: ignore[union-attr]
        gone = operator.post(f"{LIST}{DetectJob.objects.get(status='paused').id}/delete/", {"confirmed": "yes"})
        assert gone["Location"] == LIST
        assert DetectJob.objects.count() == 1

    def test_a_key_or_a_reviewer_does_not_come_in(self, client_of: Callable[[Role], Client]) -> None:
        job = a_job()
        answer = client_of(Role.REVIEWER).post(f"{LIST}{job.id}/pause/", {"confirmed": "yes"})
        assert answer.status_code == 403

    def test_staff_by_flag_alone_may_not_act(self, client: Client) -> None:
        """Somebody with single permissions and a viewer's role."""
        user = User.objects.create_user("guest", is_staff=True)
        client.force_login(user)
        job = a_job()
        assert client.post(f"{LIST}{job.id}/pause/", {"confirmed": "yes"}).status_code == 403
        assert client.get(LIST).status_code == 403

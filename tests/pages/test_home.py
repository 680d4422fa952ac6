"""The first page: at a glance, before there is anything, the sample."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from typing import Any

import pytest

from brands.actions import Confirm, Merge, Reject, decide
from brands.models import KnownBrand
from brands.services import brands_ensure
from detect.errors import StorageError
from detect.types import KnownBrandRecord
from jobs import sample
from jobs.choices import JobStatus
from jobs.models import DetectJob
from jobs.results.accepted import result_offer
from mediaproc.datafolder import DataFolder
from mediaproc.roles import Role
from mediaproc.sample import Sample
from tests.media.clips import write_clip
from tests.pages.text import body, inline_parts, words
from tests.results.made import LONG, analysed, group, known, video
from tests.review.material import ANA, CLEO

pytestmark = pytest.mark.django_db


class TestGlance:
    @pytest.fixture(autouse=True)
    def files(self, storage: None) -> None:
        """Jobs here keep frames."""

    def test_jobs_under_way_and_those_that_ended(self, client: Any, make_job: Any):
        make_job(video_path="/v/done.mp4", brands_found=3, total_detections=9)
        make_job(video_path="/v/late.mp4", status=JobStatus.PENDING)
        make_job(video_path="/v/<b>now.mp4", status=JobStatus.RUNNING, progress=0.42, current_stage="run_ocr")
        response = client.get("/")
        page, text = response.content.decode(), words(response)
        assert page.index("&lt;b&gt;now.mp4") < page.index("late.mp4") < page.index("done.mp4")
        assert "42% Read text" in text
        assert "3 brands, 9 exposures" in text
        assert inline_parts(response) == []

    def test_of_many_it_shows_the_first_and_how_many_there_are(self, client: Any, make_job: Any):
        for number in range(8):
            make_job(video_path=f"/v/{number}.mp4", status=JobStatus.PENDING)
        response = client.get("/")
        assert "8 in all" in words(response)
        assert body(response).count('data-status="pending"') == 6

    def test_what_needs_a_decision(self, client_of: Any, make_job: Any):
        analysed("ZORB", "KLAXON")
        analysed("ZORB", asset=video("other"))
        make_job(video_path="/v/odd.mp4", status=JobStatus.FAILED, error_message="no room on the disk")
        decide(Confirm((group("ZORB"),)), by=ANA)
        response = client_of(Role.REVIEWER).get("/")
        text = words(response)
        assert "1 decision 1.3 s on screen" in text
        assert "2 results can be brought up to date" in text
        assert "1 job failed odd.mp4 no room on the disk" in text
        assert 'href="/updates"' in body(response)
        assert 'href="/jobs?status=failed"' in body(response)

    def test_nothing_needs_one(self, client: Any, make_job: Any):
        make_job(status=JobStatus.RUNNING)
        assert "Every candidate is decided, every result is up to date, and no job failed." in words(client.get("/"))

    def test_a_failed_job_can_be_gone_on_with_at_once(self, client: Any, operator: Any, make_job: Any):
        job = make_job(status=JobStatus.FAILED, error_message="no room")
        assert "Resume" not in words(client.get("/"))
        page = body(operator.get("/"))
        assert f'action="/jobs/{job.id}/act"' in page
        assert 'value="resume"' in page

    def test_brands_by_seconds_over_all_videos_merged_ones_as_one(self, client: Any):
        acme, ackme = known("Acme", "Ackme")
        analysed("ACME", seen=LONG)
        analysed("ACKME", "ZORB", asset=video("other"), seen=range(6))
        decide(Merge((ackme.id,), into=acme.id), by=CLEO)
        text = words(client.get("/"))
        assert "Acme 6.5 s 2 videos ZORB 2.8 s 1 video, unconfirmed" in text
        assert "Ackme" not in text.split("Decided lately")[0]

    def test_the_last_decisions(self, client: Any):
        analysed("ZORB", "KLAXON")
        decide(Confirm((group("ZORB"),)), by=ANA)
        decide(Reject((group("KLAXON"),)), by=ANA)
        text = words(client.get("/"))
        assert text.index("'KLAXON' rejected ana,") < text.index("ZORB confirmed ana,")
        assert "settled 1 candidate, 1.3 s · 1 video" in text

    def test_names_that_are_hard_to_show(self, client: Any):
        brands_ensure(listed=[KnownBrandRecord("<script>alert(1)</script>", ("ACME",))])
        analysed("ACME")
        page = client.get("/").content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page

    def test_it_costs_a_fixed_number_of_queries(self, client: Any, make_job: Any, django_assert_max_num_queries: Any):
        for number in range(4):
            analysed("ZORB", "KLAXON", asset=video(str(number)))
            make_job(status=JobStatus.RUNNING)
            make_job(status=JobStatus.FAILED)
        decide(Confirm((group("ZORB"),)), by=ANA)
        with django_assert_max_num_queries(24):
            client.get("/")

    def test_upload_is_for_operators(self, client: Any, operator: Any, make_job: Any):
        make_job()
        assert 'id="videos"' not in body(client.get("/"))
        assert 'id="videos"' in body(operator.get("/"))


class TestFirstRun:
    def test_it_says_how_to_begin(self, operator: Any):
        response = operator.get("/")
        text = words(response)
        assert "No video has been analysed yet" in text
        assert "Try the sample" in text
        assert "python manage.py analyze match.mp4" in text
        assert inline_parts(response) == []

    def test_who_may_not_begin_is_told_who_may(self, client: Any):
        text = words(client.get("/"))
        assert "An operator can analyse a video" in text
        assert "Try the sample" not in text


class TestSample:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr("jobs.sample.env.DATA", DataFolder(tmp_path))
        return tmp_path / "demo"

    @pytest.fixture
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a thread would do is done before it is started."""

        class Done(threading.Thread):
            def start(self) -> None:
                self.run()

        monkeypatch.setattr("jobs.sample.threading.Thread", Done)

    @pytest.fixture
    def made(self, tmp_path: Path, storage: None) -> Sample:
        brands = tmp_path / "brands.csv"
        brands.write_text("name,aliases\nAcme,Akme\nQuillo,\n")
        picture = tmp_path / "Quillo.png"
        picture.write_bytes(b"picture")
        return Sample(write_clip(tmp_path / "match.mp4", 10), brands, {"Quillo": picture})

    def test_its_analysis_is_asked_for_with_its_brands(
        self, operator: Any, folder: Path, at_once: None, made: Sample, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("jobs.sample.sample_match", lambda place, progress: made)
        monkeypatch.setattr("jobs.sample.connection.close", lambda: None)
        response = operator.post("/sample", follow=True)
        job = DetectJob.objects.get()
        assert (job.status, job.requested_by, job.tags) == (JobStatus.PENDING, "user:operator", ["sample"])
        assert job.video_path.startswith("storage:uploads/")
        assert made.video.exists()
        assert KnownBrand.objects.get(canonical_name="Quillo").logos.count() == 1
        assert "Sample match.mp4" in words(response)

    def test_how_far_it_is_can_be_seen(self, operator: Any, folder: Path):
        folder.mkdir()
        (folder / ".progress").write_text("0.42")
        with (folder / ".making").open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            page = words(operator.get("/"))
            assert "Rendering the sample match… 42%" in page
            assert "is being made already" in words(operator.post("/sample", follow=True))
        assert "Try the sample" in words(operator.get("/"))

    def test_why_it_could_not_be_made(
        self, operator: Any, folder: Path, at_once: None, monkeypatch: pytest.MonkeyPatch
    ):
        def fail(place: Path, progress: Any) -> Sample:
            progress(1, 2)
            raise StorageError("the disk is full")

        monkeypatch.setattr("jobs.sample.sample_match", fail)
        monkeypatch.setattr("jobs.sample.connection.close", lambda: None)
        text = words(operator.post("/sample", follow=True))
        assert "It could not be made: the disk is full" in text
        assert "Try again" in text
        assert not sample.sample_state().making

    def test_only_operators_make_it(self, client_of: Any):
        assert client_of(Role.CURATOR).post("/sample").status_code == 403


def test_an_offered_result_is_in_no_total_before_it_is_brought_in(client: Any, make_job: Any):
    job = make_job()
    result_offer(job)
    assert "No brand has been found yet" in words(client.get("/"))

"""Timelines, checkpoints, accepted results, answers and charges in the admin."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from detect.models import Checkpoint, ModelAnswer, ModelCharge
from jobs.admin.timelines import MOST_PICTURES
from jobs.branches.expectations import ScenarioExpectation
from jobs.branches.scenarios import ExpectedBrand, bookmark_set
from jobs.choices import JobStatus
from jobs.models import AcceptedResult, DetectJob
from tests.admin.conftest import an_answer
from tests.admin.test_jobs import text
from tests.trees.made import a_job, matched_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def frames(number: int) -> list[dict[str, object]]:
    return [{"sequence": n, "chunk_id": 0, "timestamp": n / 2, "perceptual_hash": ""} for n in range(number)]


class TestTimelines:
    @pytest.mark.parametrize("number", [1, 23, 24, 25, 1000])
    def test_a_strip_of_frames_along_the_video(self, curator: Client, number: int) -> None:
        job = a_job()
        assert job.timeline is not None
        job.timeline.frames_meta = frames(number)
        job.timeline.save()
        page = curator.get(f"/admin/detect/timeline/{job.timeline_id}/change/").content.decode()
        shown = [int(one) for one in re.findall(rf'src="/jobs/{job.id}/thumbs/(\d+)\.jpg"', page)]
        assert 0 < len(shown) <= MOST_PICTURES and shown[0] == 0
        assert shown[-1] >= number * 0.9 - 1, "the end of the video is among them"
        assert f"{number:,}" in page

    def test_pictures_are_there(self, curator: Client) -> None:
        job = matched_job(frames=True)
        assert job.timeline is not None
        job.timeline.frames_meta = frames(2)
        job.timeline.save()
        page = curator.get(f"/admin/detect/timeline/{job.timeline_id}/change/").content.decode()
        for address in re.findall(r'src="(/jobs/[^"]+/thumbs/\d+\.jpg)"', page):
            assert curator.get(address).content.startswith(b"\xff\xd8")

    def test_before_the_frames_are_listed_and_after_the_jobs_are_gone(self, curator: Client) -> None:
        job = a_job()
        place = f"/admin/detect/timeline/{job.timeline_id}/change/"
        assert "They are listed when the video has been gone through." in text(curator, place)
        assert job.timeline is not None
        job.timeline.frames_meta = frames(3)
        job.timeline.save()
        DetectJob.objects.update(timeline=None)
        assert "No job has them any more." in text(curator, place)

    def test_list_counts_frames_and_jobs(self, curator: Client) -> None:
        job = a_job()
        assert job.timeline is not None
        job.timeline.frames_meta = frames(1200)
        job.timeline.save()
        a_job(timeline=job.timeline)
        assert "2 fps 1,200 2" in text(curator, "/admin/detect/timeline/")


class TestCheckpoints:
    def place(self, node: Checkpoint) -> str:
        return f"/admin/detect/checkpoint/{node.id}/change/"

    def test_position_options_and_figures(self, curator: Client) -> None:
        job = matched_job(overrides={"run_ocr": {"detect_side": 960}})
        node = Checkpoint.objects.get(job_id=job.id, stage="run_ocr")
        page = curator.get(self.place(node)).content.decode()
        for stage in ("extract_frames", "match_brands"):
            other = Checkpoint.objects.get(job_id=job.id, stage=stage)
            assert f'href="{self.place(other)}"' in page
        assert f'href="/jobs/{job.id}/tree?node={node.id}#node"' in page
        shown = text(curator, self.place(node))
        assert "Options that differ Stage Option Value Read text detect side 960 Every option" in shown
        stages = [shown.index(f"{stage} units") for stage in ("Extract frames", "Detect edges", "Read text")]
        assert stages == sorted(stages)

    def test_the_bookmark_is_set_and_taken_away_by_the_service(self, curator: Client) -> None:
        node = Checkpoint.objects.get(job_id=matched_job().id, stage="run_ocr")
        curator.post(self.place(node), {"scenario_label": " Flickering boards "})
        node.refresh_from_db()
        assert (node.is_scenario, node.scenario_label) == (True, "Flickering boards")
        bookmark_set(checkpoint_id=node.id, brands=[ExpectedBrand("Acme", 3.0)])
        assert "Acme 3.0 s" in text(curator, self.place(node))
        curator.post(self.place(node), {"scenario_label": ""})
        node.refresh_from_db()
        assert (node.is_scenario, node.scenario_label) == (False, "")
        assert not ScenarioExpectation.objects.exists(), "the expectation goes with it, as on the site"

    def test_nothing_else_is_changed(self, curator: Client) -> None:
        node = Checkpoint.objects.get(job_id=matched_job().id, stage="run_ocr")
        before = Checkpoint.objects.values().get(id=node.id)
        curator.post(self.place(node), {"scenario_label": "x", "stage": "y", "stats": "{}", "config_overrides": "{}"})
        after = Checkpoint.objects.values().get(id=node.id)
        assert {name for name, value in after.items() if (name, value) not in before.items()} == {
            "scenario_label",
            "is_scenario",
        }

    def test_list_names_the_video_and_finds_bookmarks(self, curator: Client) -> None:
        job = matched_job(video_path="/videos/final.mp4")
        other = matched_job(video_path="/videos/semi.mp4")
        node = Checkpoint.objects.get(job_id=job.id, stage="run_ocr")
        bookmark_set(checkpoint_id=node.id, label="Night")
        page = text(curator, "/admin/detect/checkpoint/?is_scenario__exact=1")
        assert "Read text final.mp4" in page and "Night" in page and "Match brands final.mp4" not in page
        assert "semi.mp4" not in text(curator, f"/admin/detect/checkpoint/?q={job.id}")
        DetectJob.objects.filter(id=other.id).delete()
        assert "Read text" in text(curator, f"/admin/detect/checkpoint/?q={other.id}")


def test_accepted_results(curator: Client) -> None:
    job = matched_job(video_path="/videos/final.mp4", status=JobStatus.COMPLETED, brands_found=7)
    update = a_job(parent_job=job)
    chosen = AcceptedResult.objects.create(source_asset=job.source_asset, job=job, chosen_by="user:ana", update=update)
    page = text(curator, "/admin/jobs/acceptedresult/")
    assert "final.mp4 soccer broadcast 7 ana" in page and "not yet" in page
    detail = curator.get(f"/admin/jobs/acceptedresult/{chosen.pk}/change/").content.decode()
    assert f'href="/jobs/{job.id}"' in detail
    assert f'href="/admin/jobs/detectjob/{update.id}/change/"' in detail


class TestAnswers:
    def test_what_was_answered(self, curator: Client) -> None:
        answer = an_answer()
        page = text(curator, f"/admin/detect/modelanswer/{answer.digest}/change/")
        assert "brand Acme" in page and "sure to 90 %" in page and "tokens 1,200 in, 40 out" in page
        assert "It reads &lt;b&gt;Acme&lt;/b&gt;" in page

    def test_one_that_cannot_be_read(self, curator: Client) -> None:
        answer = an_answer()
        ModelAnswer.objects.update(body=b"?")
        assert "It cannot be read" in text(curator, f"/admin/detect/modelanswer/{answer.digest}/change/")

    def test_filter_is_by_the_providers_of_the_file(
        self, curator: Client, use_providers: Callable[[str], None]
    ) -> None:
        use_providers("providers: {local: {base_url: 'http://x/v1', model: m}}")
        an_answer(1, provider="local")
        an_answer(2 << 230, provider="cloud")
        page = text(curator, "/admin/detect/modelanswer/?provider=local")
        assert "USD 0.50" in page and f"{1:064x}"[:12] in page and f"{2 << 230:064x}"[:12] not in page

    def test_a_charge_leads_to_its_answer_and_job(self, curator: Client) -> None:
        job, answer = a_job(), an_answer()
        charge = ModelCharge.objects.create(job_id=job.id, digest=answer.digest, calls=2, usd="0.25")
        page = curator.get(f"/admin/detect/modelcharge/{charge.pk}/change/").content.decode()
        assert f'href="/admin/detect/modelanswer/{answer.digest}/change/"' in page
        assert f'href="/admin/jobs/detectjob/{job.id}/change/"' in page
        assert "USD 0.25 2" in text(curator, "/admin/detect/modelcharge/")

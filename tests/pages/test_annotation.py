"""Batches in the browser: datasets, asking for a batch, its grid, and what a video's viewer is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

import jobs.annotation.tasks
from jobs.annotation.records import AnnotationJob, Dataset, DatasetVideo
from jobs.annotation.states import BatchState
from mediaproc.roles import Role
from tests.pages.annotation_made import made_batch, made_dataset
from tests.pages.text import body, inline_parts, words

pytestmark = pytest.mark.django_db

ALL = {"talk.mp4": dict.fromkeys(("speech", "faces", "people_tracks", "scenes", "brands"), "succeeded")}


@pytest.fixture(autouse=True)
def quiet_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works."""
    monkeypatch.setattr(jobs.annotation.tasks, "_send", lambda: None)
    monkeypatch.setattr("jobs.pages.annotation_batch.workers_present", list)


@pytest.fixture
def root(storage: None, tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    settings.ROOTS = [str(folder)]
    return folder


@pytest.fixture
def dataset(root: Path) -> Dataset:
    return made_dataset(root)


def setup_of(response: Any) -> dict[str, Any]:
    found = re.search(r'<script id="viewer-setup" type="application/json">(.*?)</script>', response.content.decode())
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def ids(*paths: str) -> list[int]:
    return list(DatasetVideo.objects.filter(path__in=paths).values_list("id", flat=True))


class TestDatasets:
    def test_without_roots_it_says_who_can_do_something(self, operator, storage, settings):
        settings.ROOTS = []
        text = words(operator.get("/annotation"))
        assert "No folder of the server is open" in text
        assert "MEDIAPROC_ROOTS=" in text
        assert "New dataset" not in text

    def test_roots_that_are_not_there_are_named(self, operator, storage, settings, tmp_path):
        settings.ROOTS = [str(tmp_path / "gone")]
        assert f"are not there: {tmp_path / 'gone'}" in words(operator.get("/annotation"))

    def test_one_is_made_scanned_and_listed(self, operator, root):
        made_dataset(root).delete()  # its files stay
        name = "<b>Cup</b>"
        response = operator.post("/annotation", {"name": name, "base_path": str(root)}, follow=True)
        dataset = Dataset.objects.get()
        assert response.redirect_chain[-1][0] == reverse("batch-dataset", args=[dataset.id])
        assert "Nobody has looked for videos yet" in words(response)
        assert b"<b>Cup" not in response.content
        text = words(operator.post(reverse("batch-scan", args=[dataset.id]), follow=True))
        assert "Found 2 videos, and 1 file that cannot be used." in text
        assert "talk.mp4" in text
        assert "sound only" in text
        listed = words(operator.get("/annotation"))
        assert "1 unusable" in listed
        assert "7.0 s" in listed

    @pytest.mark.parametrize(
        ("name", "folder", "told"),
        [
            ("", "", "Give it a name."),
            ("x" * 201, "", "at most 200 letters"),
            ("Cup", "", "Choose a folder."),
            ("Cup", "/etc", "is not in an allowed folder"),
            ("Cup", "nothing-here", "There is no"),
        ],
    )
    def test_what_is_wrong_is_told_and_what_was_given_kept(self, operator, root, name, folder, told):
        response = operator.post("/annotation", {"name": name, "base_path": folder})
        assert response.status_code == 400
        assert told in words(response)
        assert f'value="{folder}"' in body(response)
        assert not Dataset.objects.exists()

    def test_a_folder_that_is_gone_is_told(self, operator, dataset, settings):
        settings.ROOTS = []
        text = words(operator.post(reverse("batch-scan", args=[dataset.id]), follow=True))
        assert "No folder is allowed here" in text
        assert "talk.mp4" in text

    def test_viewers_look_and_change_nothing(self, client_of, dataset):
        viewer = client_of(Role.VIEWER)
        page = viewer.get(reverse("batch-dataset", args=[dataset.id]))
        assert "talk.mp4" in words(page)
        assert "Look again" not in words(page)
        assert 'id="launch"' not in body(page)
        assert viewer.post(reverse("batch-dataset", args=[dataset.id])).status_code == 403

    def test_search_finds_parts_of_names(self, operator, dataset):
        text = words(operator.get(reverse("batch-dataset", args=[dataset.id]), {"search": "VOI m4a"}))
        assert "voice.m4a" in text
        assert "talk.mp4" not in text

    def test_unknown_ones_are_not_found(self, operator):
        assert operator.get(reverse("batch-dataset", args=[uuid4()])).status_code == 404


class TestLaunch:
    def sent(self, operator: Client, dataset: Dataset, **data: Any) -> Any:
        return operator.post(reverse("batch-dataset", args=[dataset.id]), data)

    def test_what_is_ticked_is_asked_for(self, operator, dataset):
        response = self.sent(
            operator,
            dataset,
            videos=ids("talk.mp4"),
            pipelines=["scenes"],
            tags="cup, final ,",
            **{"option.scenes.min_content": "30", "option.scenes.fades": ["false", "true"]},
        )
        job = AnnotationJob.objects.get()
        assert response.url == reverse("batch-page", args=[job.id])
        assert job.overrides == {"scenes": {"min_content": 30.0}}
        assert job.tags == ["cup", "final"]
        assert job.requested_by == "user:operator"
        assert [video.path for video in job.videos.all()] == ["talk.mp4"]

    def test_a_preset_stays_one_while_its_pipelines_are_ticked(self, operator, dataset):
        from jobs.annotation.presets import preset_create

        preset_create(name="cuts", pipelines={"scenes": {"min_content": 40.0}})
        common = {"videos": ids("talk.mp4"), "preset": "cuts", "pipelines": ["scenes"]}
        self.sent(operator, dataset, **common, **{"option.scenes.min_content": "40"})
        self.sent(operator, dataset, **common, **{"option.scenes.min_content": "25"})
        later, first = AnnotationJob.objects.order_by("-queued_at")
        assert (first.preset, first.overrides) == ("cuts", {})
        # what the preset sets and somebody sets back to the default is set, too
        assert (later.preset, later.overrides) == ("cuts", {"scenes": {"min_content": 25.0}})

    def test_a_preset_fills_the_form_in_without_scripts(self, operator, dataset):
        from jobs.annotation.presets import preset_create

        preset_create(name="cuts", pipelines={"scenes": {"min_content": 40.0}})
        page = body(self.sent(operator, dataset, fill="yes", preset="cuts"))
        assert re.search(r'value="scenes" id="pipeline-scenes"\s+checked', page)
        assert re.search(r'name="option.scenes.min_content" value="40"', page)

    def test_wrong_values_are_told_beside_their_fields_and_all_is_kept(self, operator, dataset):
        response = self.sent(
            operator,
            dataset,
            videos=ids("talk.mp4"),
            pipelines=["scenes"],
            tags="<i>x</i>",
            **{"option.scenes.min_content": "1000", "option.scenes.fade_below": "seven"},
        )
        page = body(response)
        assert response.status_code == 400
        assert not AnnotationJob.objects.exists()
        assert "Must be a number from 1 to 255." in page
        assert "Must be a whole number from 1 to 254." in page
        assert 'value="1000"' in page
        assert 'value="seven"' in page
        assert f'value="{ids("talk.mp4")[0]}" id="tick-{ids("talk.mp4")[0]}" aria-label="talk.mp4" checked' in page
        assert b"<i>x" not in response.content

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            ({"pipelines": ["scenes"]}, "Tick at least one video."),
            ({"everything": "yes"}, "Tick at least one pipeline."),
            ({"everything": "yes", "pipelines": ["pitstop"]}, "'pitstop' cannot run here"),
            ({"everything": "yes", "search": "voice", "pipelines": ["scenes"]}, "has no pictures"),
            ({"everything": "yes", "pipelines": ["scenes"], "tags": "x" * 101}, "At most 50 tags"),
        ],
    )
    def test_what_cannot_be_run_is_refused(self, operator, dataset, settings, data, told):
        settings.PITSTOP_YOLO_WEIGHTS_PATH = Path("/nowhere/best.pt")
        response = self.sent(operator, dataset, **data)
        assert response.status_code == 400
        assert told in words(response)
        assert not AnnotationJob.objects.exists()

    def test_everything_is_what_fits_the_search_and_can_be_used(self, operator, dataset):
        self.sent(operator, dataset, everything="yes", search="mp4", pipelines=["scenes"])
        assert [video.path for video in AnnotationJob.objects.get().videos.all()] == ["talk.mp4"]

    def test_pipelines_that_cannot_run_say_why(self, operator, dataset, settings):
        settings.PITSTOP_YOLO_WEIGHTS_PATH = Path("/nowhere/best.pt")
        page = operator.get(reverse("batch-dataset", args=[dataset.id]))
        assert "Not available: The weights '/nowhere/best.pt' do not exist" in words(page)
        assert re.search(r'id="pipeline-pitstop"\s+disabled', body(page))
        assert not inline_parts(page)


class TestBatch:
    def page(self, browser: Client, job: AnnotationJob, **query: str) -> Any:
        response = browser.get(reverse("batch-page", args=[job.id]), query)
        assert response.status_code == 200
        return response

    def test_partly_failed_is_told_with_the_list(self, operator, dataset):
        states = {"talk.mp4": {"scenes": "succeeded", "faces": "failed"}, "voice.m4a": {"speech": "succeeded"}}
        job = made_batch(dataset, states, state="failed", error="partly failed")
        page = self.page(operator, job)
        text = words(page)
        assert "Partly failed: the rest is complete. 1 of 3 runs failed:" in text
        assert "talk.mp4 · faces: talk.mp4: the file breaks off" in text
        assert b"<b>the file" not in page.content
        assert "does not apply" in text
        assert "3 of 3" in text
        assert "Run again" in text
        assert reverse("annotation-zip", args=[job.id]) in body(page)
        assert not inline_parts(page)
        only = words(self.page(operator, job, show="failed"))
        assert "voice.m4a" not in only
        assert "Partly failed" in words(operator.get("/annotation"))

    def test_one_that_runs_can_be_cancelled_once_that_is_confirmed(self, operator, dataset):
        states = {"talk.mp4": {"scenes": "running", "faces": "queued"}}
        job = made_batch(dataset, states, state="running", progress=0.4)
        text = words(self.page(operator, job))
        assert "40 %" in text
        assert "Time left" in text
        assert "No worker is running" in text
        act = reverse("batch-act", args=[job.id])
        assert "It ends for good" in words(operator.post(act, {"action": "cancel"}))
        job.refresh_from_db()
        assert job.state == BatchState.RUNNING
        text = words(operator.post(act, {"action": "cancel", "confirmed": "yes"}, follow=True))
        assert "What was finished is kept; there are no files." in text
        again = words(operator.post(act, {"action": "cancel", "confirmed": "yes"}, follow=True))
        assert "Cancelled" in again

    def test_one_that_has_ended_is_run_again_and_deleted(self, operator, dataset):
        job = made_batch(dataset, {"talk.mp4": {"scenes": "succeeded"}}, state="succeeded")
        AnnotationJob.objects.filter(id=job.id).update(configuration={"pipelines": {"scenes": {"params": {}}}})
        act = reverse("batch-act", args=[job.id])
        response = operator.post(act, {"action": "again"})
        made = AnnotationJob.objects.exclude(id=job.id).get()
        assert response.url == reverse("batch-page", args=[made.id])
        refused = words(operator.post(act, {"action": "cancel", "confirmed": "yes"}, follow=True))
        assert "cannot be canceled any more" in refused
        assert operator.post(act, {"action": "delete", "confirmed": "yes"}).url == reverse("batch-list")
        assert not AnnotationJob.objects.filter(id=job.id).exists()
        assert operator.get(reverse("batch-page", args=[job.id])).status_code == 404

    def test_tags_lead_to_batches_that_have_them(self, operator, dataset):
        made_batch(dataset, {"talk.mp4": {"scenes": "queued"}}, state="queued", progress=0.0, tags=["cup"])
        made_batch(dataset, {"voice.m4a": {"speech": "queued"}}, state="queued", progress=0.0)
        assert words(operator.get("/annotation")).count("1 video ·") == 2
        assert words(operator.get("/annotation", {"tag": "cup"})).count("1 video ·") == 1
        assert [row["job"].videos.get().path for row in operator.get("/annotation").context["rows"]] == [
            "voice.m4a",
            "talk.mp4",
        ]
        assert "No batch has this tag" in words(operator.get("/annotation", {"tag": "none"}))


class TestViewer:
    def page(self, browser: Client, job: AnnotationJob, position: int = 0, **query: str) -> Any:
        response = browser.get(reverse("batch-video", args=[job.id, position]), query)
        assert response.status_code == 200
        return response

    def test_layers_come_in_the_order_of_the_manifest(self, operator, dataset):
        job = made_batch(dataset, ALL, state="succeeded")
        page = self.page(operator, job)
        layers = setup_of(page)["layers"]
        order = operator.get(reverse("annotation-artifacts", args=[job.id])).json()["viewer_hint"]["overlayOrder"]
        assert [layer["role"] for layer in layers] == [
            role for role in order if role in {one["role"] for one in layers}
        ]
        kinds = {layer["role"]: layer["kind"] for layer in layers}
        assert kinds == {
            "faces": "boxes",
            "tracks": "boxes",
            "scenes": "scenes",
            "transcript": "captions",
            "speakers": "speakers",
            "words": "words",
            "markers": "markers",
        }
        for layer in layers:
            assert operator.get(layer["address"]).status_code == 200
        assert '<track kind="captions"' in body(page)

    def test_files_are_listed_with_digest_and_size(self, operator, dataset):
        job = made_batch(dataset, ALL, state="succeeded")
        text = body(self.page(operator, job))
        for file in job.videos.get().runs.get(pipeline="speech").artifacts.all():
            assert f'data-copy="{file.sha256}"' in text
            assert reverse("annotation-artifact", args=[job.id, file.path]) in text

    def test_large_boxes_wait_until_they_are_asked_for(self, operator, dataset):
        job = made_batch(dataset, ALL, state="succeeded")
        job.videos.get().runs.get(pipeline="faces").artifacts.filter(type="json").update(size_bytes=100_000_000)
        page = self.page(operator, job)
        heavy = [layer["role"] for layer in setup_of(page)["layers"] if layer["is_heavy"]]
        assert heavy == ["faces"]
        assert "Faces loads 100.0 MB" in words(page)

    def test_sound_alone_has_no_picture(self, operator, dataset):
        job = made_batch(dataset, {"voice.m4a": {"speech": "succeeded"}}, state="succeeded")
        page = body(self.page(operator, job))
        assert "<video" not in page
        found = re.search(r'<audio src="([^"]+)"', page)
        assert found is not None
        assert operator.get(found[1]).headers["Content-Type"] == "audio/mp4"

    def test_a_video_that_was_not_taken_in_says_so(self, operator, dataset):
        states = {"talk.mp4": {"scenes": "succeeded"}, "broken.mp4": {"scenes": "failed"}}
        job = made_batch(dataset, states, state="failed")
        text = words(self.page(operator, job, 1))
        assert "There is nothing to play: the video was not taken in." in text
        assert "Not everything is there." in text
        assert "No files ." in text or "No files." in text

    def test_there_is_no_video_beyond_the_last(self, operator, dataset):
        job = made_batch(dataset, ALL, state="succeeded")
        assert operator.get(reverse("batch-video", args=[job.id, 1])).status_code == 404
        assert operator.get(reverse("batch-video", args=[uuid4(), 0])).status_code == 404

"""Batches at the edges of what database, disk and arithmetic hold, and what is left where they end in the middle."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage

from detect.artifacts.base import Artifact
from detect.errors import MediaprocError
from jobs.annotation import exporting
from jobs.annotation.batches import VideoWanted, batch_cancel, batch_delete, batch_submit
from jobs.annotation.conducting import batches_follow
from jobs.annotation.exporting import run_export
from jobs.annotation.outputs import artifact_path, check_artifacts
from jobs.annotation.preparing import video_prepare
from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo
from jobs.annotation.tasks import due_runs, due_videos
from jobs.choices import JobStatus
from jobs.lifecycle import job_cancel
from jobs.made_files import folder_keys
from jobs.models import DetectJob
from tests.annotation.conftest import Batches

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_path_longer_than_a_stage_may_be_named(batches: Batches) -> None:
    place = batches.folder / ("d" * 200) / ("e" * 150)
    place.mkdir(parents=True)
    (batches.folder / "a.mp4").rename(place / "a.mp4")
    job = batches.submit(str((place / "a.mp4").relative_to(batches.folder)))
    batches.work()
    assert AnnotationJob.objects.get(id=job.id).state == "succeeded"


def test_lengths_that_nobody_has_do_not_stop_a_batch(batches: Batches) -> None:
    videos = [VideoWanted("a.mp4"), VideoWanted("broken.mp4", 1.7e308)]
    job = batch_submit(dataset=batches.dataset, videos=videos, overrides={"note": {}})
    AnnotationVideo.objects.update(duration=1.7e308)
    batches.work()
    ended = AnnotationJob.objects.get(id=job.id)
    assert (ended.state, ended.progress) == ("failed", 1.0)
    assert ended.error.startswith("partly failed, 1 of 2 videos")


def test_not_all_of_a_large_batch_is_asked_of_the_engine_at_once(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.annotation.tasks._MOST_AT_WORK", 1)
    batches.submit("a.mp4", "b.mp4")
    assert len(due_videos()) == 1
    video_prepare(due_videos()[0])
    assert due_videos() == []
    batches.work()
    assert set(AnnotationJob.objects.values_list("state", flat=True)) == {"succeeded"}


def test_called_off_while_its_files_are_written_it_leaves_none(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})
    end = exporting._end

    def meanwhile(*arguments: Any) -> bool:
        batch_cancel(job)
        return end(*arguments)

    monkeypatch.setattr(exporting, "_end", meanwhile)
    batches.work()
    assert list(folder_keys(f"outputs/{job.id}/")) == [f"outputs/{job.id}/manifest.json"]
    assert due_runs() == []


def test_killed_while_files_were_written_and_called_off_it_leaves_none(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})

    def die(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "_end", die)
        with pytest.raises(KeyboardInterrupt):
            batches.work()
    assert len(list(folder_keys(f"outputs/{job.id}/"))) == 2
    batch_cancel(job)
    (left,) = due_runs()
    run_export(left)
    assert list(folder_keys(f"outputs/{job.id}/")) == [f"outputs/{job.id}/manifest.json"]
    assert due_runs() == []


def test_engine_jobs_of_a_batch_whose_canceller_died_are_cancelled(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})
    video_prepare(due_videos()[0])
    AnnotationRun.objects.update(state="canceled")
    AnnotationJob.objects.filter(id=job.id).update(state="canceled")
    assert DetectJob.objects.get().status == JobStatus.PENDING
    batches_follow()
    assert DetectJob.objects.get().status == JobStatus.CANCELLED


def test_a_run_that_somebody_cancels_alone_ends_its_batch_as_failed(batches: Batches) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})
    video_prepare(due_videos()[0])
    job_cancel(DetectJob.objects.get())
    batches.work()
    ended = AnnotationJob.objects.get(id=job.id)
    assert (ended.state, "canceled" in ended.error) == ("failed", True)
    batch_delete(ended)
    assert not default_storage.exists(f"outputs/{job.id}/manifest.json")


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", "a\0b", "a\nb", "a\\b", "ö" * 101, "a/" * 251 + "b"])
def test_paths_that_a_disk_or_a_bucket_cannot_have_are_refused(path: str) -> None:
    with pytest.raises(MediaprocError, match="a writer of artifacts lists"):
        artifact_path(path)


@pytest.mark.parametrize(
    "listed",
    [
        [Artifact("json", "a", "x"), Artifact("json", "b", "x")],
        [Artifact("json", "a", "x"), Artifact("json", "b", "x/y")],
        [Artifact("json", "a", "x/y"), Artifact("json", "b", "x")],
        [Artifact("json", "r" * 101, "x")],
        [Artifact("json", "a", "x", {"told": "a\0b"})],
        [Artifact("json", "a", "taken")],
    ],
)
def test_files_in_each_others_places_and_what_cannot_be_stored_are_refused(listed: list[Artifact]) -> None:
    with pytest.raises(MediaprocError, match="a writer of artifacts"):
        check_artifacts(listed, ["v/p/taken"], below="v/p")

"""From a request to the files, step by step in one process."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.storage import default_storage

from detect.artifacts.base import Artifact
from detect.errors import ConfigError, ConflictError, MediaprocError, NotFoundError, StorageError
from detect.registry import load_pipeline
from jobs.annotation import exporting, preparing
from jobs.annotation.batches import VideoWanted, batch_again, batch_cancel, batch_delete, batch_submit
from jobs.annotation.conducting import batch_follow
from jobs.annotation.datasets import dataset_asset
from jobs.annotation.events import batch_events_after, logs_tail
from jobs.annotation.outputs import artifact_find, manifest_of
from jobs.annotation.records import AnnotationEvent, AnnotationJob, AnnotationRun, AnnotationVideo, ArtifactFile
from jobs.annotation.selectors import failures_of, queue_position, videos_of
from jobs.annotation.tasks import due_runs, due_videos
from jobs.assets.intake import store_file
from jobs.lifecycle import job_pause, job_resume
from jobs.models import DetectJob
from jobs.work.execute import advance
from mediaproc.roots import RootError
from tests.annotation.conftest import Batches
from tests.annotation.toy import First

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(job: AnnotationJob) -> AnnotationJob:
    return AnnotationJob.objects.get(id=job.id)


def test_a_batch_goes_from_queued_to_succeeded(batches: Batches) -> None:
    job = batches.submit("a.mp4", "b.mp4", overrides={"note": {"text": "one two"}, "steps": {}}, tags=["cup", "cup"])
    assert (job.state, job.tags, job.started_at) == ("queued", ["cup"], None)
    batches.work()
    job = fresh(job)
    assert (job.state, job.error, job.progress, job.current_stage) == ("succeeded", "", 1.0, "")
    assert job.started_at and job.finished_at and job.queued_at <= job.started_at <= job.finished_at
    listed = manifest_of(job)["outputs"]
    assert [one["path"] for one in listed["a.mp4"]] == [
        "a.mp4/note/sub/note.json",
        "a.mp4/steps/first.csv",
        "a.mp4/steps/second.csv",
    ]
    note = json.loads(batches.stored(job, "a.mp4/note/sub/note.json"))
    assert note == {"text": "one two", "mood": "calm", "bytes": (batches.folder / "a.mp4").stat().st_size}
    assert listed["a.mp4"][0]["meta"]["words"] == 2
    assert manifest_of(job)["viewer_hint"] == {"overlayOrder": ["note", "first", "second"]}
    kept = json.loads(batches.stored(job, "manifest.json"))
    assert {name: kept[name] for name in manifest_of(job)} == manifest_of(job)
    assert kept["configuration"]["pipelines"]["note"]["params"] == {
        "text": "one two",
        "longest": 3600.0,
        "mood": "calm",
    }


def test_a_file_that_is_no_video_fails_by_itself(batches: Batches) -> None:
    job = batches.submit("a.mp4", "broken.mp4", "b.mp4")
    batches.work()
    job = fresh(job)
    assert job.state == "failed"
    assert job.error.startswith("partly failed, 1 of 3 videos: broken.mp4 · note: ")
    assert [(one["path"], one["pipeline"]) for one in failures_of(job)] == [("broken.mp4", "note")]
    assert {path: len(files) for path, files in manifest_of(job)["outputs"].items()} == {
        "a.mp4": 1,
        "broken.mp4": 0,
        "b.mp4": 1,
    }
    states = {video["path"]: (video["state"], video["error"] is None) for video in videos_of(job)}
    assert states == {"a.mp4": ("succeeded", True), "broken.mp4": ("failed", False), "b.mp4": ("succeeded", True)}


def test_where_all_fails_it_is_not_called_partly(batches: Batches) -> None:
    job = batches.submit("broken.mp4")
    batches.work()
    assert fresh(job).error.startswith("failed, 1 of 1 videos: ")


def test_what_a_failed_run_finished_is_written(batches: Batches) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {"fail": True}})
    batches.work()
    job = fresh(job)
    assert (job.state, "the second step cannot be taken" in job.error) == ("failed", True)
    assert [one["role"] for one in manifest_of(job)["outputs"]["a.mp4"]] == ["first"]
    assert any("the second step cannot be taken" in line for line in logs_tail(job.id, 50))


def test_parameters_over_the_limits_of_one_video_fail_that_one(batches: Batches) -> None:
    job = batches.submit("a.mp4", "b.mp4", overrides={"note": {"longest": 3.0}})
    batches.work()
    assert [one["path"] for one in failures_of(fresh(job))] == ["b.mp4"]
    assert "4 s is too long" in fresh(job).error


def test_events_are_numbered_without_gaps(batches: Batches) -> None:
    first, second = batches.submit("a.mp4"), batches.submit("b.mp4")
    batches.work()
    for job in (first, second):
        events = batch_events_after(job.id, 0)
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert events[-1].kind == "job.update"
        assert events[-1].data == {
            "id": str(job.id),
            "state": "succeeded",
            "progress_pct": 100.0,
            "current_stage": "",
        }
        assert batch_events_after(job.id, len(events)) == []
        shares = [event.data["progress_pct"] for event in events if event.kind == "job.update"]
        assert shares == sorted(shares)
    together = batch_events_after(None, 0)
    assert [event.id for event in together] == sorted(event.id for event in together)
    assert len(together) == AnnotationEvent.objects.count()


def test_the_queue_tells_who_is_next(batches: Batches) -> None:
    first, second = batches.submit("a.mp4"), batches.submit("b.mp4")
    assert (queue_position(first), queue_position(second)) == (1, 2)
    preparing.video_prepare(due_videos()[0])
    assert (queue_position(fresh(first)), queue_position(second)) == (None, 1)


def test_a_batch_is_called_off(batches: Batches) -> None:
    job = batches.submit("a.mp4", "b.mp4", overrides={"steps": {}})
    preparing.video_prepare(due_videos()[0])
    assert batch_cancel(job).state == "canceled"
    assert batch_cancel(job).state == "canceled"
    assert {one.status for one in DetectJob.objects.all()} == {"cancelled"}
    assert set(AnnotationRun.objects.values_list("state", flat=True)) == {"canceled"}
    batches.work()
    assert fresh(job).state == "canceled"
    assert due_videos() == due_runs() == []


def test_one_that_has_ended_is_not_called_off(batches: Batches) -> None:
    job = batches.submit("a.mp4")
    batches.work()
    with pytest.raises(ConflictError, match="has succeeded"):
        batch_cancel(job)


def test_a_video_taken_in_while_its_batch_was_called_off_starts_nothing(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = batches.submit("a.mp4")
    take_in = dataset_asset

    def and_meanwhile(*arguments: Any) -> Any:
        batch_cancel(job)
        return take_in(*arguments)

    monkeypatch.setattr(preparing, "dataset_asset", and_meanwhile)
    preparing.video_prepare(due_videos()[0])
    assert [one.status for one in DetectJob.objects.all()] == ["cancelled"]


def test_the_same_key_is_the_same_batch(batches: Batches) -> None:
    asked: dict[str, Any] = {"requested_by": "key:a", "idempotency_key": "k1"}
    first = batches.submit("a.mp4", **asked)
    assert batches.submit("a.mp4", **asked).id == first.id
    with pytest.raises(ConflictError, match="another request"):
        batches.submit("b.mp4", **asked)
    with pytest.raises(ConflictError, match="another request"):
        batches.submit("a.mp4", overrides={"note": {"text": "other"}}, **asked)
    assert batches.submit("a.mp4", requested_by="key:b", idempotency_key="k1").id != first.id


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"nothing": {}}, "nothing"),
        ({"note": {"colour": 1}}, "colour"),
        ({"note": {"longest": -1}}, "at least 0"),
        ({"note": {"longest": "much"}}, "longest"),
        ({"note": {"longest": True}}, "longest"),
        ({"note": {"mood": "sad"}}, "'calm', 'wild'"),
        ({"steps": {"fail": 1}}, "fail"),
        ({}, "preset"),
    ],
)
def test_what_cannot_be_is_refused_at_once(batches: Batches, overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        batches.submit("a.mp4", overrides=overrides)
    assert not AnnotationJob.objects.exists()


@pytest.mark.parametrize(
    ("path", "error"),
    [("../a.mp4", RootError), ("/etc/passwd", RootError), ("none.mp4", NotFoundError), ("a\0.mp4", RootError)],
)
def test_videos_must_be_in_the_dataset(batches: Batches, path: str, error: type[MediaprocError]) -> None:
    with pytest.raises(error):
        batches.submit("a.mp4", path)
    assert not AnnotationJob.objects.exists()


def test_a_video_is_named_once(batches: Batches) -> None:
    with pytest.raises(ConfigError, match="twice"):
        batches.submit("a.mp4", "a.mp4")
    with pytest.raises(ConfigError, match="at least one"):
        batches.submit()


def test_videos_of_one_name_have_folders_of_their_own(batches: Batches) -> None:
    for name in ("x", "y"):
        (batches.folder / name).mkdir()
        (batches.folder / name / "A.mp4").write_bytes((batches.folder / "a.mp4").read_bytes())
    job = batches.submit("a.mp4", "x/A.mp4", "y/A.mp4")
    batches.work()
    paths = [one["path"] for files in manifest_of(fresh(job))["outputs"].values() for one in files]
    assert paths == ["a.mp4/note/sub/note.json", "A.mp4-2/note/sub/note.json", "A.mp4-3/note/sub/note.json"]


def test_a_worker_that_died_while_writing_files_loses_nothing(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})
    store = store_file

    def die(*arguments: Any) -> None:
        store(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "store_file", die)
    with pytest.raises(KeyboardInterrupt):
        batches.work()
    assert not ArtifactFile.objects.exists()
    assert manifest_of(job)["outputs"] == {"a.mp4": []}
    monkeypatch.setattr(exporting, "store_file", store)
    batches.work()
    assert fresh(job).state == "succeeded"
    assert ArtifactFile.objects.count() == 2


def test_who_dies_of_writing_each_time_is_given_up(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    job = batches.submit("a.mp4")

    def die(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "copy_stored", die)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            batches.work()
    batches.work()
    assert (fresh(job).state, "dies" in fresh(job).error) == ("failed", True)


def test_who_dies_of_reading_each_time_is_given_up(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    job = batches.submit("a.mp4")

    def die(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(preparing, "dataset_asset", die)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            batches.work()
    batches.work()
    assert (fresh(job).state, "dies" in fresh(job).error) == ("failed", True)


@pytest.mark.parametrize("place", ["dataset_asset", "copy_stored"])
def test_what_is_down_is_waited_for(batches: Batches, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    job = batches.submit("a.mp4")
    module = preparing if place == "dataset_asset" else exporting

    def down(*arguments: Any) -> None:
        raise StorageError("the bucket is away")

    with monkeypatch.context() as patched:
        patched.setattr(module, place, down)
        for _ in range(5):  # more often than one may die
            AnnotationVideo.objects.update(not_before=None)
            AnnotationRun.objects.update(not_before=None)
            batches.work()
    assert fresh(job).state in ("queued", "running")
    assert due_videos() == due_runs() == []
    AnnotationVideo.objects.update(not_before=None)
    AnnotationRun.objects.update(not_before=None)
    batches.work()
    assert fresh(job).state == "succeeded"


def test_a_writer_that_lists_what_is_not_its_own_fails_its_run(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outside(run: Any, folder: Any) -> list[Artifact]:
        return [Artifact("json", "note", "../../secret.json")]

    monkeypatch.setattr(exporting, "load_pipeline", lambda key: replace(load_pipeline(key), artifacts=(outside,)))
    job = batches.submit("a.mp4", overrides={"steps": {}})
    batches.work()
    assert (fresh(job).state, "not a path in its folder" in fresh(job).error) == ("failed", True)


def test_a_job_of_the_engine_that_somebody_deleted_fails_its_run(batches: Batches) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})
    preparing.video_prepare(due_videos()[0])
    DetectJob.objects.all().delete()
    batches.work()
    assert "its job was deleted" in fresh(job).error


def test_a_job_of_the_engine_that_is_paused_is_waited_for(batches: Batches) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})
    preparing.video_prepare(due_videos()[0])
    engine = DetectJob.objects.get()
    advance(engine.id)
    job_pause(DetectJob.objects.get())
    batches.work()
    assert fresh(job).state == "running"
    job_resume(DetectJob.objects.get())
    batches.work()
    assert fresh(job).state == "succeeded"


def test_again_reuses_what_is_stored_and_gives_the_same(batches: Batches) -> None:
    job = batches.submit("a.mp4", overrides={"note": {"text": "x"}, "steps": {}})
    batches.work()
    again = batch_again(job, requested_by="key:a")
    batches.work()
    first, second = manifest_of(fresh(job))["outputs"], manifest_of(fresh(again))["outputs"]
    assert first == second
    assert fresh(again).configuration == fresh(job).configuration


def test_deleted_it_leaves_nothing(batches: Batches) -> None:
    job = batches.submit("a.mp4", overrides={"note": {}, "steps": {}})
    with pytest.raises(ConflictError, match="cancel it first"):
        batch_delete(job)
    batches.work()
    assert default_storage.exists(f"outputs/{job.id}/manifest.json")
    batch_delete(job)
    assert not default_storage.exists(f"outputs/{job.id}")
    assert not AnnotationJob.objects.exists() and not DetectJob.objects.exists()


def test_only_what_the_manifest_lists_is_found(batches: Batches) -> None:
    job = batches.submit("a.mp4")
    batches.work()
    assert artifact_find(job, "a.mp4/note/sub/note.json").role == "note"
    for path in ("manifest.json", "../x", "a.mp4/note/sub", ""):
        with pytest.raises(NotFoundError):
            artifact_find(job, path)


def test_following_twice_tells_nothing_twice(batches: Batches) -> None:
    job = batches.submit("a.mp4")
    batches.work()
    told = AnnotationEvent.objects.count()
    batch_follow(job.id)
    assert AnnotationEvent.objects.count() == told


def test_an_unknown_preset_is_told_with_those_there_are(batches: Batches) -> None:
    with pytest.raises(ConfigError, match="none_such"):
        batch_submit(dataset=batches.dataset, videos=[VideoWanted("a.mp4")], preset="none_such")


def test_a_model_that_was_replaced_meanwhile_is_told(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    job = batches.submit("a.mp4", overrides={"steps": {}})
    monkeypatch.setattr(First, "model_digests", lambda *_: ("other",))
    batches.work()
    job = fresh(job)
    assert job.state == "succeeded"
    assert sum("the model of first was replaced" in line for line in logs_tail(job.id, 50)) == 1
    assert job.configuration["pipelines"]["steps"]["models"] == {"first": ["other"]}

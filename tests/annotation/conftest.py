"""Datasets of small clips, pipelines without models, and a worker in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage

import jobs.annotation.tasks
from detect.registry import use_pipelines_of
from jobs.annotation.batches import VideoWanted, batch_submit
from jobs.annotation.conducting import batches_follow
from jobs.annotation.datasets import dataset_create
from jobs.annotation.exporting import run_export
from jobs.annotation.preparing import video_prepare
from jobs.annotation.records import AnnotationJob, Dataset
from jobs.annotation.tasks import due_runs, due_videos
from jobs.models import DetectJob, WorkUnit
from jobs.work.execute import advance, work_once
from jobs.work.owners import this_process
from tests.annotation import toy
from tests.media.clips import write_clip


@dataclass
class Batches:
    """What a test works with: a dataset with ``a.mp4`` (2 s), ``b.mp4`` (4 s) and ``broken.mp4``, which is no video."""

    dataset: Dataset
    folder: Path

    def submit(self, *paths: str, overrides: dict[str, dict[str, Any]] | None = None, **options: Any) -> AnnotationJob:
        chosen = {"note": {}} if overrides is None else overrides
        videos = [VideoWanted(path) for path in paths]
        return batch_submit(dataset=self.dataset, videos=videos, overrides=chosen, **options)

    def work(self, most: int = 200) -> None:
        """Do in this process what scheduler and workers would do now."""
        for _ in range(most):
            batches_follow()
            if not self.step():
                return
        raise AssertionError("the work does not end")

    def step(self) -> bool:
        """One piece of work; False where there was none."""
        for number in due_runs()[:1]:
            run_export(number)
            return True
        for number in due_videos()[:1]:
            video_prepare(number)
            return True
        pending = DetectJob.objects.filter(status="pending").values_list("id", flat=True).first()
        if pending is not None:
            advance(pending)
            return True
        WorkUnit.objects.update(not_before=None)  # what failed is tried again at once
        return work_once(queue="cpu", owner=this_process()) or work_once(queue="gpu", owner=this_process())

    def stored(self, job: AnnotationJob, path: str) -> bytes:
        with default_storage.open(f"outputs/{job.id}/{path}", "rb") as file:
            content: bytes = file.read()
        return content


@pytest.fixture
def batches(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, quiet_queue: None
) -> Iterator[Batches]:
    folder = tmp_path / "videos"
    folder.mkdir()
    write_clip(folder / "a.mp4", 50)
    write_clip(folder / "b.mp4", 100)
    (folder / "broken.mp4").write_bytes(b"no video")
    settings.ROOTS = [str(tmp_path)]
    use_pipelines_of(toy.PIPELINES)
    yield Batches(dataset_create(name="clips", base_path=str(folder)), folder)
    _built_in()


@pytest.fixture
def quiet_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages go nowhere: tests do the work themselves."""
    monkeypatch.setattr(jobs.annotation.tasks, "_send", lambda: None)


def _built_in() -> None:
    use_pipelines_of(settings.PIPELINES_FOLDER)

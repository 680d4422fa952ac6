"""What of batches is among the jobs of the pages: analyses of brands, not the other pieces."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo, Dataset
from jobs.models import DetectJob


@pytest.mark.parametrize(("pipeline", "shown"), [("brands", True), ("scenes", False)])
def test_a_piece_of_a_batch(
    admin_client: Client, make_job: Callable[..., DetectJob], pipeline: str, shown: bool
) -> None:
    job = make_job()
    dataset = Dataset.objects.create(name="clips", base_path="/nowhere")
    batch = AnnotationJob.objects.create(dataset=dataset)
    video = AnnotationVideo.objects.create(job=batch, position=0, path="a.mp4", folder="a.mp4")
    AnnotationRun.objects.create(video=video, pipeline=pipeline, position=0, detect_job=job)
    DetectJob.objects.filter(id=job.id).update(pipeline=pipeline)
    for address in ("/jobs", "/"):
        assert (str(job.id) in admin_client.get(address).content.decode()) is shown, address
    assert str(job.id) in admin_client.get("/detect/jobs").content.decode()


def test_a_job_of_its_own_of_any_pipeline_is_shown(admin_client: Client, make_job: Callable[..., DetectJob]) -> None:
    job = make_job()
    DetectJob.objects.filter(id=job.id).update(pipeline="scenes")
    assert str(job.id) in admin_client.get("/jobs").content.decode()

"""A finished job in the database, with the frames its report shows."""

from __future__ import annotations

import uuid
from pathlib import Path

import msgspec
import pytest
from django.utils import timezone

from detect.checkpoints import serde
from detect.checkpoints.outputs import save_stage_output
from detect.config import load_pipeline
from detect.models import SourceAsset, Timeline
from detect.persistence import DatabaseCheckpointStore
from detect.stages.compile_report import CompileReportOutput
from detect.stages.extract_frames import encode_jpeg
from detect.types import KnownBrands
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob
from tests.report.sample import DrawnFrames, sample_body, sample_source


@pytest.fixture
def make_job(db, settings, tmp_path: Path):
    """Makes a job of any status; a completed one has the sample report, with ``frames`` in storage."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "allow_overwrite": True},
        },
    }

    def make(*, status: str = JobStatus.COMPLETED, body: CompileReportOutput | None = None, **fields) -> DetectJob:
        source = sample_source()
        asset, _ = SourceAsset.objects.get_or_create(
            sha256=source.sha256, defaults={"path": source.path, "probe": msgspec.to_builtins(source)}
        )
        timeline = Timeline.objects.create(
            source_asset=asset,
            source_video=source.path,
            profile_name="soccer_broadcast",
            fps=2,
            frames_prefix=f"timelines/{uuid.uuid4()}",
        )
        values = {
            "video_path": source.path,
            "known_brands": serde.encode(KnownBrands()),
            "request_digest": "",
            "status": status,
            "completed_at": timezone.now() if status == JobStatus.COMPLETED else None,
        }
        job = DetectJob.objects.create(source_asset=asset, timeline=timeline, **{**values, **fields})
        if status == JobStatus.COMPLETED:
            save_stages(job, body or sample_body())
        return job

    return make


def save_stages(job: DetectJob, body: CompileReportOutput) -> None:
    """A branch with all stages; only the report's output is looked at."""
    assert job.timeline is not None
    node = None
    for stage in load_pipeline("brands").stages:
        node = save_stage_output(
            DatabaseCheckpointStore(),
            stage=stage.name,
            parts=[body],
            timeline_id=job.timeline.id,
            job_id=job.id,
            parent=node,
        )


@pytest.fixture
def store_frame():
    """Puts a drawn frame of a job into storage and returns its JPEG."""

    def store(job: DetectJob, sequence: int) -> bytes:
        assert job.timeline is not None
        jpeg = encode_jpeg(DrawnFrames().load(sequence), 90)
        timeline_frames(job.timeline).save_jpeg(sequence, jpeg)
        return jpeg

    return store


@pytest.fixture
def client(client, django_user_model):
    """Somebody who is logged in."""
    client.force_login(django_user_model.objects.create_user("analyst", password="long enough"))
    return client

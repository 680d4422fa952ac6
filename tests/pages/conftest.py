"""A finished job in the database, with the frames its report shows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from detect.checkpoints import serde
from detect.checkpoints.outputs import save_stage_output
from detect.models import SourceAsset, Timeline
from detect.persistence import DatabaseCheckpointStore
from detect.registry import load_pipeline
from detect.stages.compile_report import CompileReportOutput
from detect.stages.extract_frames import encode_jpeg
from detect.types import KnownBrands
from jobs.choices import JobStatus
from jobs.engine import engine_resources, timeline_frames
from jobs.models import DetectJob
from jobs.work.presence import Presence
from mediaproc.roles import Role, give_role
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
            "known_brands": serde.pack(serde.encode(KnownBrands())),
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


@pytest.fixture
def client_of(db, django_user_model):
    """A browser in which somebody of that role is logged in."""

    def make(role: Role) -> Client:
        user = django_user_model.objects.create_user(role.value, password="long enough")
        give_role(user, role)
        browser = Client()
        browser.force_login(user)
        return browser

    return make


@pytest.fixture
def operator(client_of) -> Client:
    return client_of(Role.OPERATOR)


@pytest.fixture
def curator(client_of) -> Client:
    return client_of(Role.CURATOR)


@pytest.fixture
def workers(monkeypatch):
    """Says which queues living workers take work from; none before it is called."""

    def present(*queues: str) -> None:
        found = [Presence("w1", "host", 7, "idle", queues)] if queues else []
        monkeypatch.setattr("jobs.pages.progress.workers_present", lambda: found)

    present()
    return present


@pytest.fixture
def storage(settings, tmp_path: Path) -> Iterator[None]:
    """Files are the test's own, and there are no providers of models."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "allow_overwrite": True},
        },
    }
    settings.PROVIDERS_FILE = tmp_path / "providers.yaml"
    engine_resources.cache_clear()
    yield
    engine_resources.cache_clear()

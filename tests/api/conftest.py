"""A small match analysed once, and put into the database as a job for each test that wants one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rest_framework.test import APIClient

from brands.selectors import known_brands_snapshot
from brands.services import brands_ensure
from detect.checkpoints import serde
from detect.models import Checkpoint, SourceAsset, StageOutput, Timeline
from jobs.api_keys import ApiKey
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob
from mediaproc.roles import Role
from tests.tuning.conftest import OVERRIDES, Finished, finished

__all__ = ["finished"]


@pytest.fixture
def storage(settings: Any, tmp_path: Path) -> None:
    """Files of each test are its own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "allow_overwrite": True},
        },
    }


@pytest.fixture
def asset(db: None, storage: None, finished: Finished) -> SourceAsset:
    return SourceAsset.objects.create(
        sha256=finished.source.sha256, path=finished.source.path, probe=msgspec.to_builtins(finished.source)
    )


@pytest.fixture
def job(asset: SourceAsset, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> DetectJob:
    """The match's finished job, with every checkpoint, output and frame of it."""
    listed = brands_ensure(listed=finished.known_brands.brands)
    monkeypatch.setattr("jobs.runs.engine_resources", lambda: finished.resources)
    samples = [sample for part in finished.output("extract_frames") for sample in part.samples]
    timeline = Timeline.objects.create(
        source_asset=asset,
        source_video=asset.path,
        profile_name="soccer_broadcast",
        fps=2,
        frames_prefix=f"timelines/{uuid.uuid4()}",
        frames_meta=[{"sequence": sample.sequence, "timestamp": sample.timestamp} for sample in samples],
    )
    stored = timeline_frames(timeline)
    for sequence, jpeg in finished.frames.jpegs.items():
        stored.save_jpeg(sequence, jpeg)
    made = DetectJob.objects.create(
        source_asset=asset,
        timeline=timeline,
        video_path=asset.path,
        config_overrides=OVERRIDES,
        known_brands=serde.pack(serde.encode(known_brands_snapshot(asset=asset, only=listed))),
        status=JobStatus.COMPLETED,
    )
    for ref, body in finished.store._outputs.values():
        StageOutput.objects.create(**msgspec.structs.asdict(ref), body=body)
    for node in finished.store.list_checkpoints(finished.node.job_id):
        Checkpoint.objects.create(**{**msgspec.structs.asdict(node), "job_id": made.id, "timeline_id": timeline.id})
    return made


@pytest.fixture
def client_of(db: None) -> Callable[[Role], APIClient]:
    """A client with a key of that role."""

    def make(role: Role) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_X_API_KEY=ApiKey.objects.create_key(name=role.value, role=role)[1])
        return client

    return make


@pytest.fixture
def operator(client_of: Callable[[Role], APIClient]) -> APIClient:
    return client_of(Role.OPERATOR)

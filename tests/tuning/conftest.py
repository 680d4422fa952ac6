"""A small match that went through the whole pipeline once, in memory, and as a job in the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from detect.checkpoints import serde
from detect.checkpoints.memory import MemoryCheckpointStore
from detect.checkpoints.store import CheckpointRecord
from detect.config import Overrides, Pipeline, ResolvedConfig, load_pipeline, resolve
from detect.media.probe import probe
from detect.models import Checkpoint, SourceAsset, StageOutput, Timeline
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.synthetic import build_match, render_match
from detect.tuning import TrialGround
from detect.types import KnownBrandRecord, KnownBrands, SourceInfo
from jobs.api_keys import ApiKey
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob
from mediaproc.roles import Role
from tests.engines.tiny_onnx import constant_network
from tests.stages.memory_frames import MemoryFrames

OVERRIDES: Overrides = {"extract_frames": {"chunk_seconds": 5}, "run_ocr": {"detect_side": 640}}


@dataclass(frozen=True)
class Finished:
    """A run that ended, with everything it was made of."""

    pipeline: Pipeline
    store: MemoryCheckpointStore
    frames: MemoryFrames
    node: CheckpointRecord
    source: SourceInfo
    known_brands: KnownBrands
    resources: Resources

    def output(self, stage: str) -> list[Any]:
        """All parts of a stage's stored output."""
        return list(Runner(self.pipeline, self.store, self.frames, self.resources).load(self.node, stage))

    def ground(self, **changes: Any) -> TrialGround:
        values = {
            "pipeline": self.pipeline,
            "node": self.node,
            "store": self.store,
            "frames": self.frames,
            "timeline": "match",
            "source": self.source,
            "known_brands": self.known_brands,
            "resources": self.resources,
        }
        return TrialGround(**{**values, **changes})

    def config(self, **overrides: Any) -> ResolvedConfig:
        return resolve(self.pipeline, overrides={**OVERRIDES, **overrides})


def tiny_weights(folder: Path) -> Path:
    """Weights that see a person in every picture."""
    output = np.zeros((1, 5, 84), np.float32)
    output[0, :, 0] = (32, 32, 20, 40, 0.9)
    path = folder / "tiny.onnx"
    path.write_bytes(constant_network(output, metadata={"names": "{0: 'person'}", "imgsz": "[64, 64]"}))
    return path


@pytest.fixture(scope="package")
def finished(tmp_path_factory) -> Finished:
    folder = tmp_path_factory.mktemp("match")
    match = build_match(seed=11, level="easy", seconds=8, width=640, height=360)
    render_match(match, folder / "match.mp4")
    pipeline, store, frames = load_pipeline("brands"), MemoryCheckpointStore(), MemoryFrames()
    resources = Resources(object_weights=tiny_weights(folder))
    brands = KnownBrands(brands=tuple(KnownBrandRecord(brand.name) for brand in match.brands), given=True)
    source = probe(folder / "match.mp4").source_info()
    config = resolve(pipeline, overrides=OVERRIDES)
    request = RunRequest(uuid.uuid4(), uuid.uuid4(), source, config, OVERRIDES, brands)
    node = Runner(pipeline, store, frames, resources).run(request).checkpoint
    return Finished(pipeline, store, frames, node, source, brands, resources)


@pytest.fixture
def job(db, settings, tmp_path: Path, finished: Finished, monkeypatch) -> DetectJob:
    """The finished run as a job of this installation."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "allow_overwrite": True},
        },
    }
    monkeypatch.setattr("jobs.branches.trials.engine_resources", lambda: finished.resources)
    asset = SourceAsset.objects.create(
        sha256=finished.source.sha256, path=finished.source.path, probe=msgspec.to_builtins(finished.source)
    )
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
        known_brands=serde.pack(serde.encode(finished.known_brands)),
        status=JobStatus.COMPLETED,
    )
    save_node(made, finished.node, finished.store)
    return made


def save_node(job: DetectJob, node: CheckpointRecord, store: MemoryCheckpointStore) -> None:
    """The node and all outputs of its run in the database."""
    for ref, body in store._outputs.values():
        StageOutput.objects.create(**msgspec.structs.asdict(ref), body=body)
    fields = {**msgspec.structs.asdict(node), "job_id": job.id, "parent_id": None, "timeline_id": job.timeline_id}
    Checkpoint.objects.create(**fields)


@pytest.fixture
def operator(client, db):
    """A client with an operator's key."""
    key = ApiKey.objects.create_key(name="tuning", role=Role.OPERATOR)[1]
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client

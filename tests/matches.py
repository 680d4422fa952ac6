"""A small match that went through the whole pipeline once, in memory, and as a finished job in the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from brands.selectors import known_brands_snapshot
from brands.services import brands_ensure
from detect.checkpoints import serde
from detect.checkpoints.memory import MemoryCheckpointStore
from detect.checkpoints.store import CheckpointRecord
from detect.config import ResolvedConfig, resolve
from detect.media.probe import probe
from detect.models import Checkpoint, SourceAsset, StageOutput, Timeline
from detect.options import Overrides
from detect.registry import Pipeline, load_pipeline
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.synthetic import build_match, render_match
from detect.tuning import TrialGround
from detect.types import KnownBrandRecord, KnownBrands, SourceInfo
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob
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


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Analysed once for all areas: the root ``conftest.py`` takes it from here."""
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
    for place in ("jobs.runs", "jobs.branches.trials"):
        monkeypatch.setattr(f"{place}.engine_resources", lambda: finished.resources)
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

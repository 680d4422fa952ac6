"""What every stage of a pipeline was given and gave, on one small synthetic match."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.config import resolve
from detect.media.probe import probe
from detect.registry import Pipeline, load_pipeline
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.stages.base import Stage, StageContext
from detect.synthetic import build_match, render_match
from detect.types import KnownBrandRecord, KnownBrands
from tests.stages.memory_frames import MemoryFrames


@dataclass(frozen=True)
class Recorded:
    """One call of a stage."""

    stage: Any
    context: StageContext
    data: Any
    output: Any


class Recorder:
    """A stage that keeps what goes through it."""

    def __init__(self, stage: Stage, calls: list[Recorded]) -> None:
        self._stage, self._calls = stage, calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def run(self, ctx: StageContext, data: Any) -> Any:
        output = self._stage.run(ctx, data)
        self._calls.append(Recorded(self._stage, ctx, data, output))
        return output


def record_brand_pipeline(folder: Path) -> list[Recorded]:
    """Run the brand pipeline in memory over two chunks of a small match; every call of every stage, in order."""
    path = folder / "match.mp4"
    match = build_match(seed=11, level="easy", seconds=10, width=640, height=360)
    render_match(match, path)
    calls: list[Recorded] = []
    pipeline = load_pipeline("brands")
    stages: tuple[Any, ...] = tuple(Recorder(stage, calls) for stage in pipeline.stages)
    config = resolve(pipeline, overrides={"extract_frames": {"chunk_seconds": 5}, "run_ocr": {"detect_side": 640}})
    brands = KnownBrands(brands=tuple(KnownBrandRecord(brand.name) for brand in match.brands), given=True)
    recorded = Pipeline(pipeline.key, pipeline.label, pipeline.version, stages)
    runner = Runner(recorded, MemoryCheckpointStore(), MemoryFrames(), Resources())
    runner.run(RunRequest(uuid4(), uuid4(), probe(path).source_info(), config, {}, brands))
    return calls


def call_again(recorded: Recorded, **changes: Any) -> Any:
    """Run the stage once more on what it was given, with another context."""
    return recorded.stage.run(replace(recorded.context, **changes), recorded.data)

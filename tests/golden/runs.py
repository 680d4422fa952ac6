"""The brand pipeline run in memory on one video, and its score against truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from brands.brand_lists import read_brand_list
from detect.checkpoints.memory import MemoryCheckpointStore
from detect.config import resolve
from detect.media.probe import probe
from detect.options import Overrides
from detect.registry import load_pipeline
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.scoring import Score, score
from detect.stages.compile_report import CompileReportOutput
from detect.types import KnownBrands
from tests.stages.memory_frames import MemoryFrames


def analyse(video: Path, brands: KnownBrands, overrides: Overrides | None = None) -> CompileReportOutput:
    """What the brand pipeline says of ``video`` with the default profile."""
    pipeline = load_pipeline("brands")
    runner = Runner(pipeline, MemoryCheckpointStore(), MemoryFrames(), Resources())
    config = resolve(pipeline, overrides=overrides)
    source = probe(video).source_info()
    output: CompileReportOutput = runner.run(RunRequest(uuid4(), uuid4(), source, config, {}, brands)).output
    return output


def given(brand_list: Path) -> KnownBrands:
    """The brands of a CSV, as ``--brands`` gives them."""
    return KnownBrands(brands=tuple(read_brand_list(str(brand_list))), given=True)


def score_of(report: CompileReportOutput, truth: list[dict[str, Any]]) -> Score:
    """By seconds and by brand, by the published rule."""
    return score({brand.name: [(e.start, e.end) for e in brand.exposures] for brand in report.brands}, truth)


def read_truth(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(path.read_text())
    return entries

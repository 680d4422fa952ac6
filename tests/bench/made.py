"""Small clips, readings, reports and figures made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.accuracy import Reading
from bench.footage import Clip
from bench.installation import Analysis, stage_times
from bench.process import Line, Measured, MemorySample
from detect.events import StageResult
from detect.report import Report, assemble
from tests.report.factories import compile_case, detection, source

NOWHERE = Path("nowhere")


def span(brand: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"brand": brand, "t_start": start, "t_end": end, **more}


def clip(*truth: dict[str, Any], group: str = "real", name: str = "clip", seconds: float = 60.0) -> Clip:
    return Clip(name, group, NOWHERE, NOWHERE, list(truth), seconds)


def reading(**spans: list[tuple[float, float]]) -> Reading:
    return Reading(spans, 1.0, {})


def measured(lines: list[tuple[float, str]] | None = None, **change: Any) -> Measured:
    values: dict[str, Any] = {
        "wall": 10.0,
        "user": 6.0,
        "system": 1.0,
        "maxrss": 100,
        "output": "",
        "samples": [],
        "lines": [Line(at, text) for at, text in lines or []],
    }
    return Measured(**{**values, **change})


def samples(*pairs: tuple[float, int]) -> list[MemorySample]:
    return [MemorySample(at, resident) for at, resident in pairs]


def result(stage: str, index: int, *, seconds: float = 1.0, reused: bool = False, skipped: str = "") -> StageResult:
    return StageResult(
        stage=stage,
        index=index,
        units=1,
        reused=int(reused),
        seconds=seconds,
        stats={},
        skipped=skipped,
        incomplete=False,
    )


def report(stages: list[StageResult] | None = None, *brands: str) -> Report:
    body = compile_case([detection(brand, [2, 3, 4]) for brand in brands])
    return assemble(
        body,
        job_id="job",
        checkpoint_id="checkpoint",
        source=source(),
        pipeline="brands",
        profile="soccer_broadcast",
        config_digest="",
        stages=stages or [],
    )


def analysis(took: Measured, *brands: str, stages: list[StageResult] | None = None) -> Analysis:
    return Analysis(took, report(stages, *brands), stage_times(took))

"""Small inputs of compile_report, and a whole report, made by hand."""

from __future__ import annotations

from typing import Any

from detect.resources import Resources
from detect.stages.base import StageContext
from detect.stages.compile_report import CompileReport, CompileReportInput, CompileReportOptions, CompileReportOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.types import Box, BrandDetection, FrameSignals, KnownBrands, Observation, Sample, SourceInfo

WIDTH, HEIGHT, FRAME = 1000, 500, 0.04
BOX = Box(450, 225, 550, 275)  # in the middle, a hundredth of the picture, tall enough to be fully legible


def source(**change: Any) -> SourceInfo:
    values: dict[str, Any] = {
        "path": "match.mp4",
        "sha256": "ab" * 32,
        "duration": 5.0,
        "width": WIDTH,
        "height": HEIGHT,
        "frame_rate": "25/1",
        "variable_frame_rate": False,
        "start_time": 0.0,
    }
    return SourceInfo(**{**values, **change})


def extracted(count: int = 10, *, first: int = 0, problems: list[str] | None = None) -> ExtractFramesOutput:
    """``count`` samples, two a second."""
    samples = [
        Sample(index, index / 2, f"{index:064x}", "", index / 2 + FRAME) for index in range(first, first + count)
    ]
    return ExtractFramesOutput(
        samples=samples,
        signals=FrameSignals([], [], [], []),
        ended_at=(first + count) / 2,
        problems=problems or [],
    )


def detection(brand: str, sequences: list[int], *, box: Box = BOX, seen: float = 0.8, **change: Any) -> BrandDetection:
    values: dict[str, Any] = {
        "source": "ocr",
        "confidence": 0.9,
        "text": brand.upper(),
        "placement": "board",
        "rule": "exact",
    }
    observations = [Observation(sequence, box, seen) for sequence in sequences]
    return BrandDetection(brand=brand, observations=observations, **{**values, **change})


def compile_case(
    detections: list[BrandDetection],
    *,
    options: CompileReportOptions | None = None,
    known: KnownBrands | None = None,
    cuts: list[float] | None = None,
    stands_for: dict[int, int] | None = None,
    **change: Any,
) -> CompileReportOutput:
    """Run the stage on ten samples in one chunk; ``change`` replaces whole inputs."""
    inputs: dict[str, Any] = {
        "extract_frames": [extracted()],
        "filter_scenes": [FilterScenesOutput(kept=[], stands_for=stands_for or {}, cuts=cuts or [])],
        "detect_objects": [DetectObjectsOutput(regions={})],
        "match_brands": MatchBrandsOutput(detections=detections, unresolved=[]),
        "escalate_vlm": EscalateVlmOutput(detections=[], unresolved=[], calls=[]),
        "escalate_cloud": EscalateCloudOutput(detections=[], unresolved=[], calls=[]),
    }
    context = StageContext(
        source=source(),
        options=options or CompileReportOptions(),
        frames=NoFrames(),
        known_brands=known or KnownBrands(),
        resources=Resources(),
    )
    return CompileReport().run(context, CompileReportInput(**{**inputs, **change}))


class NoFrames:
    """The report is made without looking at a picture: that is what keeps a replay cheap."""

    def load(self, sequence: int) -> Any:
        raise AssertionError(f"frame {sequence} was asked for")

    def load_jpeg(self, sequence: int) -> bytes:
        raise AssertionError(f"frame {sequence} was asked for")

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        raise AssertionError(f"frame {sequence} was written")

"""A brand of a report, made by hand."""

from __future__ import annotations

from detect.report import ReportBrand, ReportEvidence, ReportExposure, ReportQuality
from detect.types import DetectionSource


def report_brand(
    name: str, *, spans: list[tuple[float, float]], source: DetectionSource = "ocr", text: str = ""
) -> ReportBrand:
    """``name`` seen over ``spans`` of seconds, each with one frame of evidence."""
    exposures = [_exposure(start, end, source, text or name) for start, end in spans]
    seconds = sum(end - start for start, end in spans)
    return ReportBrand(
        name=name,
        brand_id="",
        confirmed=True,
        seconds=seconds,
        seconds_uncertainty=0.2,
        occurrences=len(spans),
        share_of_voice=1.0,
        mean_area_share=0.01,
        max_area_share=0.02,
        clarity=0.9,
        quality_score=50.0,
        quality=ReportQuality(0.5, 0.5, 0.5, 0.5, 0.5),
        media_value=None,
        by_placement={"board": seconds},
        exposures=exposures,
    )


def _exposure(start: float, end: float, source: DetectionSource, text: str) -> ReportExposure:
    shown = ReportEvidence(start, int(start * 2), (1, 2, 30, 10), text, 0.9, "crops/1.jpg", source)
    return ReportExposure(
        start=start,
        end=end,
        start_uncertainty=0.1,
        end_uncertainty=0.1,
        placement="board",
        position="centre",
        mean_confidence=0.9,
        source=source,
        seconds=end - start,
        observations=2,
        mean_area_share=0.01,
        clarity=0.9,
        evidence=[shown],
    )

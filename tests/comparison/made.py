"""Exposures and brands of reports, as small as comparing them allows."""

from __future__ import annotations

from typing import Any

from detect.geometry import covered_length
from detect.report import ReportBrand, ReportEvidence, ReportExposure, ReportQuality, Xywh

BOX: Xywh = (100, 100, 80, 40)


def evidence(time: float, box: Xywh = BOX, text: str = "ACME") -> ReportEvidence:
    return ReportEvidence(
        time=time, sequence=round(time * 2), box=box, text=text, confidence=0.9, crop="crops/x.jpg", source="ocr"
    )


def exposure(start: float, end: float, *, box: Xywh = BOX, at: float | None = None, **change: Any) -> ReportExposure:
    """A board in the middle from ``start`` to ``end``, with one picture from its middle (or from ``at``)."""
    values: dict[str, Any] = {
        "start_uncertainty": 0.25,
        "end_uncertainty": 0.25,
        "placement": "board",
        "position": "centre",
        "mean_confidence": 0.9,
        "source": "ocr",
        "seconds": end - start,
        "observations": 1,
        "mean_area_share": 0.01,
        "clarity": 0.5,
        "evidence": [evidence((start + end) / 2 if at is None else at, box)],
    }
    return ReportExposure(start=start, end=end, **{**values, **change})


def brand(name: str, *exposures: ReportExposure) -> ReportBrand:
    seconds = float(covered_length([(one.start, one.end) for one in exposures]))
    return ReportBrand(
        name=name,
        brand_id="",
        confirmed=True,
        seconds=round(seconds, 3),
        seconds_uncertainty=0.3,
        occurrences=len(exposures),
        share_of_voice=0.5,
        mean_area_share=0.01,
        max_area_share=0.02,
        clarity=0.5,
        quality_score=50.0,
        quality=ReportQuality(0.5, 0.5, 0.5, 0.5, 0.5),
        media_value=None,
        by_placement={},
        exposures=list(exposures),
    )

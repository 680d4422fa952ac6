"""Files of the brands pipeline: the report, its exposures as a table, and as markers for editing programs."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from detect.artifacts.base import Artifact, FinishedRun
from detect.exports.rows import to_csv
from detect.formats.otio import Mark, markers_otio
from detect.report import Report, ReportExposure, to_json


def write(run: FinishedRun, folder: Path) -> list[Artifact]:
    """``report.json``, ``exposures.csv`` and ``markers.otio``.

    In the report stands what was found: which job found it and how long that took is left out, so that the same run
    gives the same file; so are pictures, which do not come with it. The video is named as its user knows it.
    """
    made = run.report()
    assert made is not None
    report = _plain(made, run.name)
    (folder / "report.json").write_bytes(to_json(report))
    (folder / "exposures.csv").write_bytes(to_csv(report))
    marks = _marks(report)
    source = run.source
    text = markers_otio(
        marks,
        video=run.name,
        duration=source.duration,
        frame_rate=source.frame_rate,
        steady=not source.variable_frame_rate,
    )
    (folder / "markers.otio").write_text(text, encoding="utf-8")
    counted = {"brands": len(report.brands), "exposures": len(marks)}
    return [
        Artifact("json", "report", "report.json", {**counted, "schema": report.schema}),
        Artifact("csv", "exposures", "exposures.csv", counted),
        Artifact("json", "markers", "markers.otio", {"format": "OpenTimelineIO", "markers": len(marks)}),
    ]


def _plain(report: Report, name: str) -> Report:
    return replace(
        report,
        job_id="",
        checkpoint_id="",
        source=replace(report.source, path=name),
        brands=[
            replace(brand, exposures=[_without_pictures(exposure) for exposure in brand.exposures])
            for brand in report.brands
        ],
        unresolved=[replace(candidate, crop="") for candidate in report.unresolved],
        stages=[],
    )


def _without_pictures(exposure: ReportExposure) -> ReportExposure:
    return replace(exposure, evidence=[replace(seen, crop="") for seen in exposure.evidence])


def _marks(report: Report) -> list[Mark]:
    """An exposure each, in the order of time; a brand has one colour."""
    marks = [
        Mark(
            name=brand.name,
            start=exposure.start,
            end=exposure.end,
            colour=number,
            metadata={
                "brand": brand.name,
                "confirmed": brand.confirmed,
                "placement": exposure.placement,
                "position": exposure.position,
                "source": exposure.source,
                "mean_confidence": exposure.mean_confidence,
                "start_uncertainty": exposure.start_uncertainty,
                "end_uncertainty": exposure.end_uncertainty,
            },
        )
        for number, brand in enumerate(report.brands)
        for exposure in brand.exposures
    ]
    return sorted(marks, key=lambda mark: (mark.start, mark.end, mark.name))

"""The report, schema ``mediaproc.report/1``: every figure with the frames it was read from.

Seconds are seconds of the video. Evidence boxes are ``[x, y, width, height]`` pixels of the upright source picture.
Money is a decimal written as text. ``docs/report.md`` explains each field and the formulas behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from detect.events import StageResult
from detect.stages.base import StageOutput, Stats
from detect.types import Box, DetectionSource, Placement, SourceInfo, Suggestion, Value

SCHEMA = "mediaproc.report/1"

Xywh = tuple[int, int, int, int]


class ReportEvidence(Value, frozen=True):
    """One frame that shows the brand: where, what was read there, by which rule and model, and its picture."""

    time: float
    sequence: int
    box: Xywh
    text: str
    confidence: float
    crop: str
    source: DetectionSource
    rule: str = ""
    model: str = ""


class ReportExposure(Value, frozen=True):
    """One brand on one kind of place over one stretch of time."""

    start: float
    end: float
    start_uncertainty: float
    end_uncertainty: float
    placement: Placement
    position: str
    mean_confidence: float
    source: DetectionSource
    seconds: float
    observations: int
    mean_area_share: float
    clarity: float
    evidence: list[ReportEvidence]


class ReportQuality(Value, frozen=True):
    """The parts of a quality score, each 0-1 (``docs/report.md``)."""

    size: float
    position: float
    clarity: float
    duration: float
    solus: float


class ReportBrand(Value, frozen=True):
    """Totals of one brand and the exposures they come from, in order of time.

    ``seconds`` counts an instant once however many boards show the brand; ``occurrences`` counts separate stretches.
    """

    name: str
    brand_id: str
    confirmed: bool
    seconds: float
    seconds_uncertainty: float
    occurrences: int
    share_of_voice: float
    mean_area_share: float
    max_area_share: float
    clarity: float
    quality_score: float
    quality: ReportQuality
    media_value: str | None
    by_placement: dict[Placement, float]
    exposures: list[ReportExposure]


class ReportUnresolved(Value, frozen=True):
    """Text or a region that may be a brand, and why it was not decided."""

    candidate_id: str
    text: str
    seconds: float
    crop: str
    reason: str
    suggestions: list[Suggestion]
    placement: Placement
    confidence: float
    time: float
    sequence: int
    box: Xywh
    members: int


class ReportCosts(Value, frozen=True):
    """What was asked of vision-language models. ``usd`` is an exact decimal."""

    calls: int = 0
    tokens: int = 0
    usd: str = "0"
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


class ReportNote(Value, frozen=True):
    """Something a reader must know: a stage that was skipped or left work undone, and why."""

    stage: str
    kind: str
    reason: str


class ReportScoring(Value, frozen=True):
    """The formulas that were used, in words, and the weights in them."""

    quality_score: str
    weights: dict[str, float]
    media_value: str
    currency: str


class ReportSource(Value, frozen=True):
    """The video: what it is and how far it could be analysed."""

    path: str
    sha256: str
    duration: float
    width: int
    height: int
    frame_rate: str
    variable_frame_rate: bool
    analyzed_seconds: float
    problems: list[str]


class ReportStage(Value, frozen=True):
    """How a stage went: ``reused`` when all of its ``units`` (chunks, or 1) were found stored."""

    stage: str
    seconds: float
    reused: bool
    units: int
    reused_units: int
    skipped: str
    incomplete: bool
    stats: Stats


class ReportBody(StageOutput, frozen=True, kw_only=True):
    """Everything of a report that follows from the stages' outputs alone: what ``compile_report`` stores."""

    brands: list[ReportBrand]
    unresolved: list[ReportUnresolved]
    costs: ReportCosts
    scoring: ReportScoring
    analyzed_seconds: float
    problems: list[str]
    notes: list[ReportNote]


class Report(Value, frozen=True, kw_only=True):
    """``report.json``: fields in the order they are written."""

    schema: str = SCHEMA
    job_id: str
    checkpoint_id: str
    source: ReportSource
    pipeline: str
    profile: str
    config_digest: str
    brands: list[ReportBrand]
    unresolved: list[ReportUnresolved]
    costs: ReportCosts
    scoring: ReportScoring
    notes: list[ReportNote]
    stages: list[ReportStage]


def assemble(
    body: ReportBody,
    *,
    job_id: UUID | str,
    checkpoint_id: UUID | str,
    source: SourceInfo,
    pipeline: str,
    profile: str,
    config_digest: str,
    stages: Sequence[StageResult] = (),
) -> Report:
    """The whole report: a stored body with the run it belongs to."""
    return Report(
        job_id=str(job_id),
        checkpoint_id=str(checkpoint_id),
        source=ReportSource(
            path=source.path,
            sha256=source.sha256,
            duration=round(source.duration, 3),
            width=source.width,
            height=source.height,
            frame_rate=source.frame_rate,
            variable_frame_rate=source.variable_frame_rate,
            analyzed_seconds=body.analyzed_seconds,
            problems=list(dict.fromkeys([*source.warnings, *body.problems])),
        ),
        pipeline=pipeline,
        profile=profile,
        config_digest=config_digest,
        brands=body.brands,
        unresolved=body.unresolved,
        costs=body.costs,
        scoring=body.scoring,
        notes=body.notes,
        stages=[report_stage(result) for result in stages],
    )


def to_json(report: Report) -> bytes:
    """UTF-8 JSON, indented, ending in a newline; the same bytes for equal reports."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def from_json(body: bytes) -> Report:
    """Read a written report back. Raises ``msgspec.ValidationError`` when it is none."""
    return msgspec.json.decode(body, type=Report)


def crop_path(sequence: int, box: Box) -> str:
    """Where the crop of a box lies, relative to the report: the same for the same frame and box."""
    return f"crops/{sequence:07d}-{'-'.join(str(number) for number in box.to_xywh())}.jpg"


def report_stage(result: StageResult) -> ReportStage:
    """How a stage went, as reports tell it."""
    return ReportStage(
        stage=result.stage,
        seconds=round(result.seconds, 3),
        reused=result.units > 0 and result.reused == result.units,
        units=result.units,
        reused_units=result.reused,
        skipped=result.skipped,
        incomplete=result.incomplete,
        stats=result.stats,
    )

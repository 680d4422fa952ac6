"""Stage 8: exposures, metrics, evidence and costs: what the report says."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from detect.brand_totals import Scene, build_brands
from detect.exposures import SampleClock
from detect.prominence import MEDIA_VALUE_FORMULA, QUALITY_FORMULA
from detect.report import (
    ReportBody,
    ReportBrand,
    ReportCosts,
    ReportNote,
    ReportScoring,
    ReportUnresolved,
    crop_path,
)
from detect.sightings import StandsFor, find_presences, samples_shown
from detect.stages.base import Needs, Options, StageContext, StageOutput, Stats
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.types import BrandDetection, Candidate, ModelCall, SourceInfo

if TYPE_CHECKING:
    from detect.resources import Resources

_FALLBACK_FRAME_RATE = Fraction(25)


class CompileReportOptions(Options, frozen=True, kw_only=True):
    """What counts as an exposure, and how it is valued."""

    bridge_seconds: Annotated[
        float, Meta(ge=0, le=60, description="an absence inside one shot up to this long is a missed reading, seconds")
    ] = 1.75
    min_seconds: Annotated[float, Meta(ge=0, le=60, description="shorter stretches are left out, seconds")] = 0.0
    min_confidence: Annotated[float, Meta(ge=0, le=1, description="detections less sure than this are left out")] = 0.0
    min_observations: Annotated[
        int, Meta(ge=1, le=100, description="stretches seen on fewer sampled frames are left out")
    ] = 1
    evidence_per_exposure: Annotated[int, Meta(ge=1, le=20, description="frames shown as evidence, at most")] = 3
    max_unresolved: Annotated[
        int, Meta(ge=0, le=10000, description="unresolved candidates listed, those longest on screen first")
    ] = 200
    full_size_share: Annotated[
        float, Meta(gt=0, le=1, description="share of the picture that counts as full size in the quality score")
    ] = 0.05
    clear_height_share: Annotated[
        float, Meta(gt=0, le=1, description="height of clearly legible writing, as a share of the picture's height")
    ] = 0.05
    weight_size: Annotated[float, Meta(ge=0, le=100, description="weight of size in the quality score")] = 0.30
    weight_position: Annotated[float, Meta(ge=0, le=100, description="weight of a central position")] = 0.15
    weight_clarity: Annotated[float, Meta(ge=0, le=100, description="weight of clarity")] = 0.30
    weight_duration: Annotated[float, Meta(ge=0, le=100, description="weight of the share of the video")] = 0.15
    weight_solus: Annotated[float, Meta(ge=0, le=100, description="weight of being alone on screen")] = 0.10
    audience: Annotated[int, Meta(ge=0, le=10**10, description="viewers, for the media value; 0 leaves it out")] = 0
    cpm: Annotated[
        float, Meta(ge=0, le=10**6, description="price of reaching 1000 viewers with one spot; 0 leaves it out")
    ] = 0.0
    spot_seconds: Annotated[float, Meta(gt=0, le=600, description="length of the spot that cpm buys, seconds")] = 30.0
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="three letters, of cpm and media value")] = "USD"

    def quality_weights(self) -> dict[str, float]:
        """Weights of the quality score by the name of its part."""
        return {
            "size": self.weight_size,
            "position": self.weight_position,
            "clarity": self.weight_clarity,
            "duration": self.weight_duration,
            "solus": self.weight_solus,
        }


class CompileReportInput(msgspec.Struct, frozen=True):
    extract_frames: Sequence[ExtractFramesOutput]
    filter_scenes: Sequence[FilterScenesOutput]
    detect_objects: Sequence[DetectObjectsOutput]
    match_brands: MatchBrandsOutput
    escalate_vlm: EscalateVlmOutput
    escalate_cloud: EscalateCloudOutput


class CompileReportOutput(ReportBody, frozen=True, kw_only=True):
    """The report but for the run it belongs to."""


class CompileReport:
    """Turn detections into exposures, metrics, evidence and costs."""

    name, version = "compile_report", 3
    scope: Literal["asset"] = "asset"
    uses_known_brands = True
    needs: Needs = "cpu"
    Options, Input, Output = CompileReportOptions, CompileReportInput, CompileReportOutput

    def model_digests(self, options: CompileReportOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: CompileReportInput) -> CompileReportOutput:
        options: CompileReportOptions = ctx.options
        clock = build_clock(ctx.source, data.extract_frames, data.filter_scenes, options.bridge_seconds)
        stands_for = find_duplicates(data.filter_scenes)
        presences = find_presences(reported_detections(data), clock, stands_for, options)
        known = {record.name: record for record in ctx.known_brands.brands}
        scene = Scene(clock, ctx.source.width, ctx.source.height, options, known)
        brands = build_brands(presences, scene)
        left = [candidate for candidate in data.escalate_cloud.unresolved if not candidate.brand_like]
        unresolved = _unresolved(left, clock, stands_for, options)
        return CompileReportOutput(
            brands=brands,
            unresolved=unresolved[: options.max_unresolved],
            costs=_costs([*data.escalate_vlm.calls, *data.escalate_cloud.calls]),
            scoring=_scoring(options),
            analyzed_seconds=round(clock.readable_seconds, 3),
            problems=list(dict.fromkeys(problem for part in data.extract_frames for problem in part.problems)),
            notes=[*_stage_notes(data), *_omitted(unresolved, options)],
            stats=_stats(brands, unresolved),
        )


def build_clock(
    source: SourceInfo,
    extracted: Sequence[ExtractFramesOutput],
    scenes: Sequence[FilterScenesOutput],
    bridge_seconds: float,
) -> SampleClock:
    """The timeline's samples and cuts over all chunks."""
    samples = sorted((sample for part in extracted for sample in part.samples), key=lambda sample: sample.sequence)
    times = [sample.timestamp for sample in samples]
    frame_seconds = _frame_seconds(source.frame_rate)
    # A sample that does not tell until when it was on screen counts for one frame, but not beyond the next sample.
    following = [*times, math.inf][1:]
    until = [
        min(time + frame_seconds, later) if sample.until is None else sample.until
        for sample, time, later in zip(samples, times, following, strict=True)
    ]
    ended = [part.ended_at for part in extracted if part.ended_at is not None] or [source.duration if samples else 0.0]
    steps = samples[-1].sequence - samples[0].sequence if samples else 0
    step = (times[-1] - times[0]) / steps if steps else 0.0
    return SampleClock(
        sequences=tuple(sample.sequence for sample in samples),
        times=tuple(times),
        until=tuple(until),
        end=max([*ended, *until]),
        frame_seconds=frame_seconds,
        cuts=tuple(sorted({cut for part in scenes for cut in part.cuts})),
        # Neighbouring samples lie one step apart; anything much longer is missing video, unless it would be bridged.
        hole_seconds=max(bridge_seconds, 2 * step),
    )


def _frame_seconds(frame_rate: str) -> float:
    try:
        rate = Fraction(frame_rate)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    return float(1 / (rate if rate > 0 else _FALLBACK_FRAME_RATE))


def reported_detections(data: CompileReportInput) -> list[BrandDetection]:
    """What all stages recognised, and the lettering that is proposed as a brand."""
    return [
        *data.match_brands.detections,
        *data.escalate_vlm.detections,
        *data.escalate_cloud.detections,
        *(_proposed(candidate) for candidate in data.escalate_cloud.unresolved if candidate.brand_like),
    ]


def find_duplicates(scenes: Iterable[FilterScenesOutput]) -> StandsFor:
    """Dropped sequences by the kept one that stands for them, ascending."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for part in scenes:
        for dropped, kept in part.stands_for.items():
            found[kept].append(dropped)
    return {kept: sorted(dropped) for kept, dropped in found.items()}


def _unresolved(
    candidates: Iterable[Candidate], clock: SampleClock, stands_for: StandsFor, options: CompileReportOptions
) -> list[ReportUnresolved]:
    """All candidates nobody could decide, those longest on screen first."""
    listed = []
    for candidate in candidates:
        shown = samples_shown(candidate.observations, clock, stands_for)
        spans = clock.spans(clock.bridge(shown, options.bridge_seconds))
        index = clock.index(candidate.crop_sequence)
        if index is None:
            raise ValueError(f"the crop of {candidate.candidate_id} lies on a frame that was never sampled")
        listed.append(
            ReportUnresolved(
                candidate_id=candidate.candidate_id,
                text=candidate.text,
                seconds=round(sum(span.seconds for span in spans), 3),
                crop=crop_path(candidate.crop_sequence, candidate.crop_box),
                reason=candidate.reason,
                suggestions=candidate.suggestions,
                placement=candidate.placement,
                confidence=round(candidate.confidence, 4),
                time=round(clock.times[index], 3),
                sequence=candidate.crop_sequence,
                box=candidate.crop_box.to_xywh(),
                members=candidate.members,
            )
        )
    return sorted(listed, key=lambda item: (-item.seconds, item.text, item.candidate_id))


def _proposed(candidate: Candidate) -> BrandDetection:
    """Lettering that repeats as a brand's does and that nobody decided on: listed as an unconfirmed brand."""
    return BrandDetection(
        brand=candidate.text,
        source="ocr",
        confidence=candidate.confidence,
        text=candidate.text,
        placement=candidate.placement,
        observations=candidate.observations,
        rule="proposed",
        confirmed=False,
    )


def _costs(calls: Sequence[ModelCall]) -> ReportCosts:
    input_tokens = sum(call.input_tokens for call in calls)
    output_tokens = sum(call.output_tokens for call in calls)
    usd = sum((Decimal(call.usd) for call in calls), Decimal(0))
    return ReportCosts(
        calls=len(calls),
        tokens=input_tokens + output_tokens,
        usd=f"{usd:f}",
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        seconds=round(sum(call.seconds for call in calls), 3),
    )


def _scoring(options: CompileReportOptions) -> ReportScoring:
    return ReportScoring(
        quality_score=QUALITY_FORMULA,
        weights=options.quality_weights(),
        media_value=MEDIA_VALUE_FORMULA,
        currency=options.currency,
    )


def _stage_notes(data: CompileReportInput) -> list[ReportNote]:
    """Stages that did nothing or could not finish, each reason once."""
    parts: list[tuple[str, StageOutput]] = [
        *(("detect_objects", part) for part in data.detect_objects),
        ("match_brands", data.match_brands),
        ("escalate_vlm", data.escalate_vlm),
        ("escalate_cloud", data.escalate_cloud),
    ]
    notes = [ReportNote(stage=stage, kind="skipped", reason=part.skipped) for stage, part in parts if part.skipped]
    notes += [
        ReportNote(stage=stage, kind="incomplete", reason="something it needs failed; the next run tries again")
        for stage, part in parts
        if part.incomplete
    ]
    return [note for index, note in enumerate(notes) if note not in notes[:index]]


def _omitted(unresolved: Sequence[ReportUnresolved], options: CompileReportOptions) -> list[ReportNote]:
    left_out = unresolved[options.max_unresolved :]
    if not left_out:
        return []
    reason = (
        f"{len(left_out)} more unresolved candidates, each at most {left_out[0].seconds:g} s on screen, are not listed "
        "(compile_report.max_unresolved)"
    )
    return [ReportNote(stage="compile_report", kind="limited", reason=reason)]


def _stats(brands: Sequence[ReportBrand], unresolved: Sequence[ReportUnresolved]) -> Stats:
    return {
        "brands": len(brands),
        "exposures": sum(len(brand.exposures) for brand in brands),
        "brand_seconds": round(sum(brand.seconds for brand in brands), 3),
        "unresolved": len(unresolved),
    }

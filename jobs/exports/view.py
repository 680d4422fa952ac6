"""A report as its page shows it: all figures are texts, all pictures are links.

One template serves the file written beside a report and the page of the site; they differ in :class:`PictureLinks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol, get_args

from detect.geometry import covered_length
from detect.prominence import grid_position
from detect.report import (
    Report,
    ReportBrand,
    ReportEvidence,
    ReportExposure,
    ReportQuality,
    ReportStage,
    ReportUnresolved,
    Xywh,
)
from detect.types import Box, Placement
from jobs.exports.timeline import build_timeline, exposure_anchor, percentage
from jobs.exports.words import (
    PLACEMENT_WORDS,
    SOURCE_WORDS,
    STAGE_WORDS,
    frame_rate,
    length,
    moment,
    money,
    percent,
    plural,
)

_QUALITY_WORDS = {
    "size": "Size",
    "position": "Position",
    "clarity": "Clarity",
    "duration": "Duration",
    "solus": "Alone on screen",
}


class PictureLinks(Protocol):
    """Where a page finds its pictures."""

    def crop(self, sequence: int, box: Xywh, path: str) -> str:
        """Address of a crop; ``path`` is its path beside a written report."""

    def frame(self, sequence: int) -> str:
        """Address of a whole frame, empty where the page has none."""


@dataclass(frozen=True)
class Fact:
    """A figure with its name; ``share`` 0-100 % draws it as a bar, empty draws none."""

    name: str
    value: str
    share: str = ""
    hint: str = ""


@dataclass(frozen=True)
class PictureView:
    """A crop, where on the frame it lies, and what was seen there."""

    crop: str
    frame: str
    box: Xywh
    alt: str
    time: str
    text: str
    facts: list[Fact]


@dataclass(frozen=True)
class ExposureView:
    anchor: str
    placement: Placement
    placement_word: str
    start: str
    end: str
    length: float
    seconds: str
    uncertainty: str
    facts: list[Fact]
    pictures: list[PictureView]


@dataclass(frozen=True)
class BrandView:
    anchor: str
    rank: int
    name: str
    confirmed: bool
    cells: Mapping[str, Fact]
    sort: Mapping[str, str]
    placements: list[tuple[Placement, str, str, str, str]]
    quality: list[Fact]
    exposures: list[ExposureView]

    @property
    def picture(self) -> PictureView:
        """The best picture of its longest exposure."""
        return max(self.exposures, key=lambda exposure: exposure.length).pictures[0]


@dataclass(frozen=True)
class UnresolvedView:
    text: str
    seconds: str
    reason: str
    suggestions: list[Fact]
    picture: PictureView


@dataclass(frozen=True)
class StageView:
    name: str
    seconds: str
    share: str
    state: str
    state_word: str
    detail: str


def report_context(report: Report, links: PictureLinks) -> dict[str, Any]:
    """What ``templates/report/_report.html`` shows."""
    return {
        "title": PurePath(report.source.path).name or report.source.path,
        "report": report,
        "timeline": build_timeline(report),
        "tiles": _tiles(report),
        "brands": [_brand(index, report, links) for index in range(len(report.brands))],
        "has_media_value": any(brand.media_value for brand in report.brands),
        "currency": report.scoring.currency,
        "weights": _weights(report),
        "unresolved": [_unresolved(item, report, links) for item in report.unresolved],
        "source_line": _source_line(report),
        "source_facts": _source_facts(report),
        "problems": report.source.problems,
        "notes": [(STAGE_WORDS.get(note.stage, note.stage), note.kind, note.reason) for note in report.notes],
        "stages": _stages(report.stages),
        "stages_seconds": length(sum(stage.seconds for stage in report.stages)),
    }


def _tiles(report: Report) -> list[Fact]:
    confirmed = sum(brand.confirmed for brand in report.brands)
    spans = [(item.start, item.end) for brand in report.brands for item in brand.exposures]
    analyzed = report.source.analyzed_seconds
    shown = float(covered_length(spans))
    tiles = [
        Fact(
            "Brands on screen",
            f"{len(report.brands)}",
            hint="all confirmed" if 0 < confirmed == len(report.brands) else f"{confirmed} confirmed",
        ),
        Fact(
            "Time with a brand",
            percent(min(1.0, shown / analyzed) if analyzed else 0.0),
            hint=f"{length(shown)} of {length(analyzed)}",
        ),
    ]
    if report.brands:
        first = report.brands[0]
        tiles.append(
            Fact("Longest", first.name, hint=f"{length(first.seconds)}, {percent(first.share_of_voice)} share of voice")
        )
    tiles.append(Fact("Undecided", f"{len(report.unresolved)}", hint="candidates to look at"))
    if report.costs.calls:
        tiles.append(Fact("Models asked", money(report.costs.usd), hint=plural(report.costs.calls, "call")))
    return tiles


def _brand(index: int, report: Report, links: PictureLinks) -> BrandView:
    brand = report.brands[index]
    longest = report.brands[0].seconds
    return BrandView(
        anchor=f"b-{index}",
        rank=index + 1,
        name=brand.name,
        confirmed=brand.confirmed,
        cells={
            "seconds": Fact(
                "On screen",
                length(brand.seconds),
                percentage(brand.seconds, longest),
                f"± {brand.seconds_uncertainty:.1f} s",
            ),
            "occurrences": Fact("Times", f"{brand.occurrences}"),
            "voice": Fact("Share of voice", percent(brand.share_of_voice)),
            "size": Fact("Size", percent(brand.mean_area_share, 2), hint=f"up to {percent(brand.max_area_share, 2)}"),
            "clarity": Fact("Clarity", percent(brand.clarity)),
            "quality": Fact("Quality", f"{brand.quality_score:.0f}", f"{brand.quality_score:.1f}%"),
            "value": Fact(
                "Media value", money(brand.media_value, report.scoring.currency) if brand.media_value else "–"
            ),
        },
        sort={
            "seconds": f"{brand.seconds}",
            "occurrences": f"{brand.occurrences}",
            "voice": f"{brand.share_of_voice}",
            "size": f"{brand.mean_area_share}",
            "clarity": f"{brand.clarity}",
            "quality": f"{brand.quality_score}",
            "value": brand.media_value or "0",
        },
        placements=_placements(brand),
        quality=_quality(brand.quality),
        exposures=[
            _exposure(exposure_anchor(index, place), brand.name, item, report, links)
            for place, item in enumerate(brand.exposures)
        ],
    )


def _placements(brand: ReportBrand) -> list[tuple[Placement, str, str, str, str]]:
    """``(placement, word, seconds, x, width)`` of each: a bar of the shares of all placements together."""
    total = sum(brand.by_placement.values())
    done, parts = 0.0, []
    for placement in get_args(Placement):
        if placement in brand.by_placement:
            seconds = brand.by_placement[placement]
            parts.append(
                (
                    placement,
                    PLACEMENT_WORDS[placement],
                    length(seconds),
                    percentage(done, total),
                    percentage(seconds, total),
                )
            )
            done += seconds
    return parts


def _quality(parts: ReportQuality) -> list[Fact]:
    return [
        Fact(word, percent(getattr(parts, name)), percentage(getattr(parts, name), 1.0))
        for name, word in _QUALITY_WORDS.items()
    ]


def _exposure(anchor: str, name: str, item: ReportExposure, report: Report, links: PictureLinks) -> ExposureView:
    return ExposureView(
        anchor=anchor,
        placement=item.placement,
        placement_word=PLACEMENT_WORDS[item.placement],
        start=moment(item.start),
        end=moment(item.end),
        length=item.seconds,
        seconds=length(item.seconds),
        uncertainty=f"start ± {item.start_uncertainty:.2f} s, end ± {item.end_uncertainty:.2f} s",
        facts=[
            Fact("Where", item.position.replace("-", " ")),
            Fact("Size", percent(item.mean_area_share, 2)),
            Fact("Clarity", percent(item.clarity)),
            Fact("Confidence", percent(item.mean_confidence)),
            Fact("Found by", SOURCE_WORDS[item.source]),
            Fact("Frames seen", f"{item.observations}"),
        ],
        pictures=[_evidence(name, evidence, report, links) for evidence in item.evidence],
    )


def _evidence(name: str, item: ReportEvidence, report: Report, links: PictureLinks) -> PictureView:
    facts = [Fact("Confidence", percent(item.confidence)), Fact("Found by", SOURCE_WORDS[item.source])]
    if item.rule:
        facts.append(Fact("Rule", item.rule))
    if item.model:
        facts.append(Fact("Model", item.model))
    return PictureView(
        crop=links.crop(item.sequence, item.box, item.crop),
        frame=links.frame(item.sequence),
        box=item.box,
        alt=f"{name} at {moment(item.time)}, {_where(item.box, report)} of the picture",
        time=moment(item.time),
        text=item.text,
        facts=facts,
    )


def _unresolved(item: ReportUnresolved, report: Report, links: PictureLinks) -> UnresolvedView:
    return UnresolvedView(
        text=item.text,
        seconds=length(item.seconds),
        reason=item.reason,
        suggestions=[Fact(suggestion.name, percent(suggestion.similarity)) for suggestion in item.suggestions],
        picture=PictureView(
            crop=links.crop(item.sequence, item.box, item.crop),
            frame=links.frame(item.sequence),
            box=item.box,
            alt=f"Undecided {item.text or 'region'} at {moment(item.time)}, {_where(item.box, report)} of the picture",
            time=moment(item.time),
            text=item.text,
            facts=[Fact("Confidence", percent(item.confidence))],
        ),
    )


def _where(box: Xywh, report: Report) -> str:
    x, y, width, height = box
    place = grid_position(Box(x, y, x + width, y + height), report.source.width, report.source.height)
    return place.replace("-", " ")


def _weights(report: Report) -> list[Fact]:
    weights = report.scoring.weights
    total = sum(weights.values())
    return [
        Fact(_QUALITY_WORDS.get(name, name), f"{weight:g}", percentage(weight, total))
        for name, weight in weights.items()
    ]


def _source_line(report: Report) -> list[str]:
    source = report.source
    return [
        moment(source.duration, 0 if source.duration >= 60 else 1),
        f"{source.width} × {source.height}",
        frame_rate(source.frame_rate),
        f"profile {report.profile.replace('_', ' ')}",
    ]


def _source_facts(report: Report) -> list[Fact]:
    source = report.source
    return [
        Fact("File", source.path),
        Fact("SHA-256", source.sha256),
        Fact("Length", f"{moment(source.duration, 3)} ({source.duration:g} s)"),
        Fact("Analysed", f"{source.analyzed_seconds:g} s"),
        Fact("Picture", f"{source.width} × {source.height} pixels"),
        Fact("Frame rate", frame_rate(source.frame_rate) + (", variable" if source.variable_frame_rate else "")),
        Fact("Pipeline", f"{report.pipeline}, profile {report.profile}"),
        Fact("Settings", report.config_digest),
        Fact("Job", report.job_id),
        Fact("Checkpoint", report.checkpoint_id),
    ]


def _stages(stages: list[ReportStage]) -> list[StageView]:
    longest = max((stage.seconds for stage in stages), default=0.0)
    return [
        StageView(
            name=STAGE_WORDS.get(stage.stage, stage.stage),
            seconds=f"{stage.seconds:.2f} s",
            share=percentage(stage.seconds, longest),
            state=state,
            state_word=word,
            detail=stage.skipped
            or ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in stage.stats.items()),
        )
        for stage in stages
        for state, word in [_state(stage)]
    ]


def _state(stage: ReportStage) -> tuple[str, str]:
    if stage.skipped:
        return "skipped", "skipped"
    if stage.incomplete:
        return "incomplete", "not finished"
    if stage.reused:
        return "reused", "reused"
    if stage.reused_units:
        return "partly", f"{stage.reused_units} of {stage.units} reused"
    return "ran", "ran"

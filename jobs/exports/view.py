"""A report as its pages show it: all figures are texts, all pictures are links.

The pieces in ``templates/report`` serve the file written beside a report, the page of the site and the one for paper;
they differ in :class:`~jobs.exports.evidence_view.PictureLinks`, and the file alone has all exposures in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from detect.geometry import covered_length
from detect.report import Report, ReportStage
from jobs.exports.brand_view import brand_view
from jobs.exports.evidence_view import Fact, PictureLinks
from jobs.exports.timeline import timeline_data
from jobs.exports.words import (
    QUALITY_WORDS,
    STAGE_WORDS,
    frame_rate,
    length,
    moment,
    money,
    percent,
    percentage,
    plural,
)

#: About what the timeline will take: nothing below it jumps, or is looked at too early, when it comes.
_LANE_PIXELS, _AXIS_PIXELS = 29, 60
_COSTS = ("usd", "calls", "input_tokens", "output_tokens")


@dataclass(frozen=True)
class StageView:
    name: str
    seconds: str
    share: str
    state: str
    state_word: str
    cost: str
    detail: str


def report_context(report: Report, links: PictureLinks, *, with_exposures: bool) -> dict[str, Any]:
    """What the pieces in ``templates/report`` show, but for undecided candidates, which come in pages."""
    brands = range(len(report.brands))
    return {
        "title": PurePath(report.source.path).name or report.source.path,
        "report": report,
        "timeline": timeline_data(report),
        "timeline_room": _LANE_PIXELS * len(report.brands) + _AXIS_PIXELS,
        "tiles": _tiles(report),
        "brands": [brand_view(index, report, links, with_exposures=with_exposures) for index in brands],
        "has_media_value": any(brand.media_value for brand in report.brands),
        "currency": report.scoring.currency,
        "weights": _weights(report),
        "source_line": _source_line(report),
        "source_facts": _source_facts(report),
        "problems": report.source.problems,
        "notes": [(STAGE_WORDS.get(note.stage, note.stage), note.kind, note.reason) for note in report.notes],
        "stages": _stages(report.stages),
        "stages_cost": money(report.costs.usd) if any(_cost(stage) for stage in report.stages) else "",
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


def _weights(report: Report) -> list[Fact]:
    weights = report.scoring.weights
    total = sum(weights.values())
    return [
        Fact(QUALITY_WORDS.get(name, name), f"{weight:g}", percentage(weight, total))
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
            cost=_cost(stage),
            detail=stage.skipped
            or ", ".join(
                f"{name.replace('_', ' ')} {value}" for name, value in stage.stats.items() if name not in _COSTS
            ),
        )
        for stage in stages
        for state, word in [_state(stage)]
    ]


def _cost(stage: ReportStage) -> str:
    """What models were paid, with how often they were asked; what was reused had been paid for before."""
    calls = int(stage.stats.get("calls", 0))
    if not calls:
        return ""
    return f"{money(str(stage.stats.get('usd', '0')))} for {plural(calls, 'call')}{', paid before' * stage.reused}"


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

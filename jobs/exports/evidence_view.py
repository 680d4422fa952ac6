"""Exposures, candidates and their pictures as pages show them: what each figure stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from detect.prominence import grid_position
from detect.report import Report, ReportEvidence, ReportExposure, ReportUnresolved, Xywh
from detect.types import Box, Placement
from jobs.exports.words import PLACEMENT_WORDS, SOURCE_WORDS, length, moment, percent


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
    """``place`` is that of the exposure among its brand's, and ``at`` its start in seconds of the video."""

    anchor: str
    place: int
    brand: str
    placement: Placement
    placement_word: str
    at: str
    start: str
    end: str
    seconds: str
    uncertainty: str
    facts: list[Fact]
    pictures: list[PictureView]


@dataclass(frozen=True)
class UnresolvedView:
    text: str
    seconds: str
    reason: str
    suggestions: list[Fact]
    picture: PictureView


def exposure_anchor(brand: int, exposure: int) -> str:
    """Address on the page of an exposure, by its place in the report."""
    return f"e-{brand}-{exposure}"


def exposure_views(
    index: int, report: Report, links: PictureLinks, *, start: int = 0, stop: int | None = None
) -> list[ExposureView]:
    """Exposures ``start`` to ``stop`` of the brand at a place of the report."""
    brand = report.brands[index]
    return [
        _exposure(exposure_anchor(index, place), place, brand.name, item, report, links)
        for place, item in enumerate(brand.exposures[start:stop], start)
    ]


def picture_view(name: str, item: ReportEvidence, report: Report, links: PictureLinks) -> PictureView:
    """One frame that shows a brand."""
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


def unresolved_view(item: ReportUnresolved, report: Report, links: PictureLinks) -> UnresolvedView:
    """A candidate nobody decided."""
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


def _exposure(
    anchor: str, place: int, name: str, item: ReportExposure, report: Report, links: PictureLinks
) -> ExposureView:
    return ExposureView(
        anchor=anchor,
        place=place,
        brand=name,
        placement=item.placement,
        placement_word=PLACEMENT_WORDS[item.placement],
        at=f"{item.start:.3f}",
        start=moment(item.start),
        end=moment(item.end),
        seconds=length(item.seconds),
        uncertainty=f"start ± {item.start_uncertainty:.2f} s, end ± {item.end_uncertainty:.2f} s",
        facts=[
            Fact("Where", item.position.replace("-", " ")),
            Fact("Share of screen", percent(item.mean_area_share, 2)),
            Fact("Clarity", percent(item.clarity)),
            Fact("Confidence", percent(item.mean_confidence)),
            Fact("Found by", SOURCE_WORDS[item.source]),
            Fact("Frames seen", f"{item.observations}"),
        ],
        pictures=[picture_view(name, evidence, report, links) for evidence in item.evidence],
    )


def _where(box: Xywh, report: Report) -> str:
    x, y, width, height = box
    place = grid_position(Box(x, y, x + width, y + height), report.source.width, report.source.height)
    return place.replace("-", " ")

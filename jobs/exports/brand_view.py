"""Brands, exposures and pictures of a report as its page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, get_args

from detect.prominence import grid_position
from detect.report import (
    Report,
    ReportBrand,
    ReportEvidence,
    ReportExposure,
    ReportQuality,
    ReportUnresolved,
    Xywh,
)
from detect.types import Box, Placement
from jobs.exports.timeline import exposure_anchor, percentage
from jobs.exports.words import PLACEMENT_WORDS, SOURCE_WORDS, length, moment, money, percent

QUALITY_WORDS = {
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


def brand_view(index: int, report: Report, links: PictureLinks) -> BrandView:
    """The brand at a place of the report."""
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
        for name, word in QUALITY_WORDS.items()
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


def _where(box: Xywh, report: Report) -> str:
    x, y, width, height = box
    place = grid_position(Box(x, y, x + width, y + height), report.source.width, report.source.height)
    return place.replace("-", " ")

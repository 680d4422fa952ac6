"""The brands of a report as its pages show them: a row of the table, and the head of their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from detect.report import Report, ReportBrand, ReportQuality
from detect.types import Placement
from jobs.exports.evidence_view import ExposureView, Fact, PictureLinks, PictureView, exposure_views, picture_view
from jobs.exports.words import PLACEMENT_WORDS, QUALITY_WORDS, length, money, percent, percentage


@dataclass(frozen=True)
class BrandView:
    """``index`` is its place in the report; ``exposures`` are empty where a page asks for them as they are wanted."""

    index: int
    anchor: str
    name: str
    confirmed: bool
    cells: Mapping[str, Fact]
    sort: Mapping[str, str]
    placements: list[tuple[Placement, str, str, str, str]]
    score: str
    quality: list[Fact]
    count: int
    picture: PictureView
    exposures: list[ExposureView]

    @property
    def rank(self) -> int:
        return self.index + 1


def brand_anchor(index: int) -> str:
    """Address on the page of a brand's evidence."""
    return f"b-{index}"


def brand_view(index: int, report: Report, links: PictureLinks, *, with_exposures: bool) -> BrandView:
    """The brand at a place of the report."""
    brand = report.brands[index]
    return BrandView(
        index=index,
        anchor=brand_anchor(index),
        name=brand.name,
        confirmed=brand.confirmed,
        cells=_cells(brand, report),
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
        score=f"{brand.quality_score:.0f}",
        quality=_quality(brand.quality),
        count=len(brand.exposures),
        picture=_picture(brand, report, links),
        exposures=exposure_views(index, report, links) if with_exposures else [],
    )


def _picture(brand: ReportBrand, report: Report, links: PictureLinks) -> PictureView:
    """The best picture of its longest exposure."""
    longest = max(brand.exposures, key=lambda exposure: exposure.seconds)
    return picture_view(brand.name, longest.evidence[0], report, links)


def _quality(parts: ReportQuality) -> list[Fact]:
    return [
        Fact(word, percent(getattr(parts, name)), percentage(getattr(parts, name), 1.0))
        for name, word in QUALITY_WORDS.items()
    ]


def _cells(brand: ReportBrand, report: Report) -> dict[str, Fact]:
    longest, value = report.brands[0].seconds, brand.media_value
    return {
        "seconds": Fact(
            "On screen",
            length(brand.seconds),
            percentage(brand.seconds, longest),
            f"± {brand.seconds_uncertainty:.1f} s",
        ),
        "occurrences": Fact("Times", f"{brand.occurrences}"),
        "voice": Fact("Share of voice", percent(brand.share_of_voice)),
        "size": Fact(
            "Share of screen",
            percent(brand.mean_area_share, 2),
            hint=f"up to {percent(brand.max_area_share, 2)}",
        ),
        "clarity": Fact("Clarity", percent(brand.clarity)),
        "quality": Fact("Quality", f"{brand.quality_score:.0f}", percentage(brand.quality_score, 100)),
        "value": Fact("Media value", money(value, report.scoring.currency) if value else "–"),
    }


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

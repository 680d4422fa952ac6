"""The report on paper: what fits on some pages, whatever the length of the match."""

from __future__ import annotations

from typing import Any

from detect.report import Report, ReportBrand
from jobs.exports.evidence_view import PictureLinks, PictureView, picture_view, unresolved_view
from jobs.exports.timeline import placements_of
from jobs.exports.timeline_drawing import draw_timeline
from jobs.exports.view import report_context
from jobs.exports.words import PLACEMENT_WORDS, plural

BRANDS_WITH_PICTURES = 60
PICTURES_A_BRAND = 3
CANDIDATES = 24


def print_context(report: Report, links: PictureLinks) -> dict[str, Any]:
    """What ``templates/report/print.html`` shows."""
    return {
        **report_context(report, links, with_exposures=False),
        "drawing": draw_timeline(report),
        "legend": [(placement, PLACEMENT_WORDS[placement]) for placement in placements_of(report)],
        "evidence": [
            (brand.name, plural(len(brand.exposures), "exposure"), _best(brand, report, links))
            for brand in report.brands[:BRANDS_WITH_PICTURES]
        ],
        "without_pictures": max(0, len(report.brands) - BRANDS_WITH_PICTURES),
        "unresolved": [unresolved_view(item, report, links) for item in report.unresolved[:CANDIDATES]],
        "more_unresolved": max(0, len(report.unresolved) - CANDIDATES),
    }


def _best(brand: ReportBrand, report: Report, links: PictureLinks) -> list[PictureView]:
    """The best picture of each of its longest exposures, in order of time; where those are few, more of each."""
    longest = sorted(brand.exposures, key=lambda exposure: -exposure.seconds)[:PICTURES_A_BRAND]
    ranked = sorted(
        (
            (rank, place, shown)
            for place, exposure in enumerate(longest)
            for rank, shown in enumerate(exposure.evidence)
        ),
        key=lambda one: one[:2],
    )
    best = sorted((shown for _, _, shown in ranked[:PICTURES_A_BRAND]), key=lambda shown: shown.time)
    return [picture_view(brand.name, shown, report, links) for shown in best]

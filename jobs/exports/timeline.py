"""A report's timeline as the numbers that ``static/js/timeline.js`` draws: small, however many exposures there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from detect.report import Report, ReportExposure
from detect.types import Placement
from jobs.exports.words import PLACEMENT_WORDS, length, moment

_MINUTE = 60


def timeline_data(report: Report) -> dict[str, Any]:
    """``{duration, kinds: [[placement, word]], lanes: [{name, seconds, confirmed, spans}]}``, for JSON.

    ``duration`` is in seconds of the video. ``spans`` has five whole numbers for each exposure of a brand, in the
    report's order: milliseconds from the start of the exposure before it (of the video), its length, how far its start
    and its end may be off, and its kind by the place in ``kinds``, which has the placements that occur.
    """
    kinds = placements_of(report)
    return {
        "duration": timeline_seconds(report),
        "kinds": [[placement, PLACEMENT_WORDS[placement]] for placement in kinds],
        "lanes": [
            {
                "name": brand.name,
                "seconds": length(brand.seconds) if brand.seconds < _MINUTE else moment(brand.seconds, 0),
                "confirmed": brand.confirmed,
                "spans": list(_spans(brand.exposures, kinds)),
            }
            for brand in report.brands
        ],
    }


def timeline_seconds(report: Report) -> float:
    """The video's length, or as far as anything reaches where that is not known."""
    ends = (item.end for brand in report.brands for item in brand.exposures)
    return max([report.source.duration, report.source.analyzed_seconds, *ends])


def placements_of(report: Report) -> list[Placement]:
    """The placements that occur, in their usual order."""
    found = {item.placement for brand in report.brands for item in brand.exposures}
    return [placement for placement in get_args(Placement) if placement in found]


def _spans(exposures: Iterable[ReportExposure], kinds: list[Placement]) -> Iterator[int]:
    before = 0
    for item in exposures:
        start = _milliseconds(item.start)
        yield from (start - before, _milliseconds(item.end) - start)
        yield from (_milliseconds(item.start_uncertainty), _milliseconds(item.end_uncertainty))
        yield kinds.index(item.placement)
        before = start


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)

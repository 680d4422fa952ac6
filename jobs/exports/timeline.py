"""The drawing of a report's timeline: lanes, bars and ticks, in percent of its width."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import get_args

from detect.report import Report, ReportBrand, ReportExposure
from detect.types import Placement
from jobs.exports.words import PLACEMENT_WORDS, length, moment

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_TICKS = (6, 24, 96)  # at most, without zoom and at the two zooms at which more are shown
_LABEL_ROOM = 0.03  # of the axis: a label nearer to its end would be cut
ROW_PIXELS = 14
LANE_PADDING = 8


@dataclass(frozen=True)
class Tick:
    """A moment on the axis. ``level`` 0 is always shown, 1 and 2 once zoomed in; ``side`` is where its label stands."""

    x: str
    label: str
    level: int
    side: str


@dataclass(frozen=True)
class Bar:
    """An exposure: ``x`` and ``width`` are its stretch, ``outer_x`` and ``outer_width`` with its uncertainty."""

    anchor: str
    placement: Placement
    x: str
    width: str
    outer_x: str
    outer_width: str
    y: int
    label: str


@dataclass(frozen=True)
class Lane:
    """A brand's row; one line of bars for each placement it has. ``height`` in pixels."""

    anchor: str
    name: str
    seconds: str
    confirmed: bool
    height: int
    bars: list[Bar]


@dataclass(frozen=True)
class Timeline:
    """``duration`` in seconds of the video; ``legend`` the placements that occur, with their words."""

    duration: float
    lanes: list[Lane]
    ticks: list[Tick]
    legend: list[tuple[Placement, str]] = field(default_factory=list)


def exposure_anchor(brand: int, exposure: int) -> str:
    """Address on the page of an exposure, by its place in the report."""
    return f"e-{brand}-{exposure}"


def build_timeline(report: Report) -> Timeline:
    """The timeline over the whole video, or as far as it reaches where its length is not known."""
    ends = [item.end for brand in report.brands for item in brand.exposures]
    duration = max([report.source.duration, report.source.analyzed_seconds, *ends])
    placements = {item.placement for brand in report.brands for item in brand.exposures}
    return Timeline(
        duration=duration,
        lanes=[_lane(index, brand, duration) for index, brand in enumerate(report.brands)],
        ticks=_ticks(duration),
        legend=[
            (placement, PLACEMENT_WORDS[placement]) for placement in get_args(Placement) if placement in placements
        ],
    )


def percentage(part: float, whole: float) -> str:
    """A share as an SVG length, always with a point and never beyond the picture."""
    return f"{min(100.0, max(0.0, 100 * part / whole if whole else 0.0)):.4f}".rstrip("0").rstrip(".") + "%"


def _lane(index: int, brand: ReportBrand, duration: float) -> Lane:
    rows = {placement: row for row, placement in enumerate(brand.by_placement)}
    return Lane(
        anchor=f"b-{index}",
        name=brand.name,
        seconds=length(brand.seconds),
        confirmed=brand.confirmed,
        height=max(2, len(rows)) * ROW_PIXELS + LANE_PADDING,
        bars=[
            _bar(exposure_anchor(index, place), brand.name, item, rows, duration)
            for place, item in enumerate(brand.exposures)
        ],
    )


def _bar(anchor: str, name: str, item: ReportExposure, rows: dict[Placement, int], duration: float) -> Bar:
    outer_start = max(0.0, item.start - item.start_uncertainty)
    outer_end = min(duration, item.end + item.end_uncertainty)
    # A lane is two lines high at least; a single line of bars lies in the middle of it.
    top = LANE_PADDING / 2 + (rows[item.placement] if len(rows) > 1 else 0.5) * ROW_PIXELS + 1
    return Bar(
        anchor=anchor,
        placement=item.placement,
        x=percentage(item.start, duration),
        width=percentage(item.end - item.start, duration),
        outer_x=percentage(outer_start, duration),
        outer_width=percentage(outer_end - outer_start, duration),
        y=round(top),
        label=f"{name}, {PLACEMENT_WORDS[item.placement]}, {moment(item.start)} to {moment(item.end)}",
    )


def _ticks(duration: float) -> list[Tick]:
    """Round moments, each at the first level that has it."""
    seen: set[int] = set()
    ticks = []
    for level, most in enumerate(_TICKS):
        step = next(
            (step for step in _STEPS if duration / step <= most), _STEPS[-1] * ceil(duration / _STEPS[-1] / most)
        )
        decimals = 0 if step >= 1 else 1
        for number in range(int(duration / step) + 1):
            tenths = round(number * step * 10)
            if tenths not in seen:
                seen.add(tenths)
                share = tenths / 10 / duration if duration else 0.0
                side = "start" if share < _LABEL_ROOM else "end" if share > 1 - _LABEL_ROOM else "middle"
                ticks.append(Tick(percentage(share, 1), moment(tenths / 10, decimals), level, side))
    return ticks

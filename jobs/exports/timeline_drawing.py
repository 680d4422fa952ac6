"""The timeline on paper: lanes of bars that are merged where they could not be told apart, and round ticks."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import get_args

from detect.geometry import merge_intervals
from detect.report import Report, ReportBrand
from detect.types import Placement
from jobs.exports.timeline import timeline_seconds
from jobs.exports.words import length, moment, percentage

WIDTH = 1000
"""Units of the drawing from the video's start to its end; nothing narrower is told apart."""
_ROW = 9
_PADDING = 5
_LABEL_ROOM = 0.03  # of the axis: a label nearer to its end would be cut
_MOST_TICKS = 8
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


@dataclass(frozen=True)
class Tick:
    """A moment on the axis at ``x`` percent; ``side`` is where its label stands: start, middle or end."""

    x: str
    label: str
    side: str


@dataclass(frozen=True)
class Lane:
    """A brand's row: an SVG path for each placement it has."""

    name: str
    seconds: str
    height: int
    paths: list[tuple[Placement, str]]


@dataclass(frozen=True)
class Drawing:
    width: int
    ticks: list[Tick]
    lanes: list[Lane]


def draw_timeline(report: Report) -> Drawing:
    """The whole video, lanes from 0 to ``WIDTH``; at most ``WIDTH`` bars a line, however many exposures there are."""
    duration = timeline_seconds(report)
    return Drawing(WIDTH, _ticks(duration), [_lane(brand, duration) for brand in report.brands])


def _lane(brand: ReportBrand, duration: float) -> Lane:
    rows = [placement for placement in get_args(Placement) if placement in brand.by_placement]
    return Lane(
        name=brand.name,
        seconds=length(brand.seconds),
        height=len(rows) * _ROW + _PADDING,
        paths=[(placement, _path(brand, placement, row, duration)) for row, placement in enumerate(rows)],
    )


def _path(brand: ReportBrand, placement: Placement, row: int, duration: float) -> str:
    scale = WIDTH / duration if duration else 0.0
    bars = [
        (int(item.start * scale), max(int(item.start * scale) + 1, ceil(item.end * scale)))
        for item in brand.exposures
        if item.placement == placement
    ]
    top, height = _PADDING // 2 + row * _ROW + 1, _ROW - 2
    return "".join(f"M{left} {top}h{right - left}v{height}h{left - right}z" for left, right in merge_intervals(bars))


def _ticks(duration: float) -> list[Tick]:
    step = next(
        (step for step in _STEPS if duration / step < _MOST_TICKS),
        _STEPS[-1] * ceil(duration / _STEPS[-1] / (_MOST_TICKS - 1)),
    )
    ticks = []
    for number in range(int(duration / step) + 1):
        share = number * step / duration if duration else 0.0
        side = "start" if share < _LABEL_ROOM else "end" if share > 1 - _LABEL_ROOM else "middle"
        ticks.append(Tick(percentage(share, 1), moment(number * step, 0 if step >= 1 else 1), side))
    return ticks

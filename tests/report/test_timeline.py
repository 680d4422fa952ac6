"""The timeline: all exposures as numbers for the page, merged bars for paper."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from jobs.exports.timeline import timeline_data
from jobs.exports.timeline_drawing import WIDTH, draw_timeline
from tests.report.sample import sample_report


@pytest.fixture(scope="module")
def report():
    return sample_report()


def spans(lane: dict) -> list[tuple[float, float, float, float, int]]:
    """What ``static/js/timeline.js`` makes of a lane: start, end, their uncertainties, kind."""
    flat, found, at = lane["spans"], [], 0
    for place in range(0, len(flat), 5):
        gap, length, before, after, kind = flat[place : place + 5]
        at += gap
        found.append((at / 1000, (at + length) / 1000, before / 1000, after / 1000, kind))
    return found


class TestData:
    def test_it_is_every_exposure_to_the_millisecond(self, report):
        data = timeline_data(report)
        kinds = [kind for kind, _ in data["kinds"]]
        for brand, lane in zip(report.brands, data["lanes"], strict=True):
            assert lane["name"] == brand.name
            for item, span in zip(brand.exposures, spans(lane), strict=True):
                whole = (item.start, item.end, item.start_uncertainty, item.end_uncertainty)
                assert span == pytest.approx((*whole, kinds.index(item.placement)))

    def test_it_is_small(self, report):
        exposures = sum(len(brand.exposures) for brand in report.brands)
        lanes = [lane["spans"] for lane in timeline_data(report)["lanes"]]
        assert len(json.dumps(lanes)) < 40 * exposures

    def test_it_reaches_as_far_as_anything_does(self, report):
        source = msgspec.structs.replace(report.source, duration=0.0, analyzed_seconds=0.0)
        data = timeline_data(msgspec.structs.replace(report, source=source))
        assert data["duration"] == max(item.end for brand in report.brands for item in brand.exposures)

    def test_nothing_found(self, report):
        assert timeline_data(msgspec.structs.replace(report, brands=[])) == {"duration": 64.0, "kinds": [], "lanes": []}


def bars(path: str) -> list[tuple[int, int]]:
    return [(int(left), int(left) + int(width)) for left, width in re.findall(r"M(\d+) \d+h(\d+)", path)]


class TestDrawing:
    def test_bars_lie_where_the_exposures_are(self, report):
        scale = WIDTH / report.source.duration
        for brand, lane in zip(report.brands, draw_timeline(report).lanes, strict=True):
            drawn = {placement: bars(path) for placement, path in lane.paths}
            assert drawn.keys() == brand.by_placement.keys()
            for item in brand.exposures:
                assert any(
                    left <= item.start * scale and item.end * scale <= right for left, right in drawn[item.placement]
                )

    def test_bars_that_cannot_be_told_apart_are_one(self, report):
        brand = report.brands[0]
        item = brand.exposures[0]
        many = [msgspec.structs.replace(item, start=n / 500, end=n / 500 + 0.001) for n in range(5000)]
        packed = msgspec.structs.replace(
            report, brands=[msgspec.structs.replace(brand, exposures=many, by_placement={item.placement: 5.0})]
        )
        (lane,) = draw_timeline(packed).lanes
        assert sum(len(bars(path)) for _, path in lane.paths) == 1

    def test_a_moment_is_still_seen(self, report):
        brand = report.brands[0]
        moment = msgspec.structs.replace(brand.exposures[0], start=10.0, end=10.0)
        one = msgspec.structs.replace(brand, exposures=[moment], by_placement={moment.placement: 0.0})
        (lane,) = draw_timeline(msgspec.structs.replace(report, brands=[one])).lanes
        ((_, path),) = lane.paths
        assert bars(path) == [(156, 157)]

    @pytest.mark.parametrize("seconds", [0, 0.04, 1, 21, 64, 5400, 40_000])
    def test_a_few_round_ticks_at_any_length(self, report, seconds):
        source = msgspec.structs.replace(report.source, duration=seconds, analyzed_seconds=seconds)
        ticks = draw_timeline(msgspec.structs.replace(report, source=source, brands=[])).ticks
        assert 1 <= len(ticks) <= 8
        assert len({tick.label for tick in ticks}) == len(ticks)

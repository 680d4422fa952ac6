"""What must hold of compile_report for any detections."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.stages.compile_report import CompileReportOptions
from detect.types import (
    Box,
)
from tests.report.factories import compile_case, detection

STEADY = settings(deadline=None, derandomize=True)


@st.composite
def detection_lists(draw: st.DrawFn):
    boxes = st.builds(
        lambda x, y, w, h: Box(x, y, x + w, y + h),
        st.integers(0, 900),
        st.integers(0, 450),
        st.integers(1, 100),
        st.integers(1, 50),
    )
    return [
        detection(
            draw(st.sampled_from(["Acme", "Bolt", "Cray"])),
            sorted(draw(st.sets(st.integers(0, 9), min_size=1))),
            box=draw(boxes),
            seen=draw(st.sampled_from([0.4, 0.75, 1.0])),
            confidence=draw(st.sampled_from([0.5, 0.9])),
            placement=draw(st.sampled_from(["board", "led", "jersey"])),
        )
        for _ in range(draw(st.integers(0, 6)))
    ]


CUTS = st.lists(st.integers(1, 124).map(lambda frame: frame * 0.04), max_size=4, unique=True).map(sorted)


class TestAlways:
    @STEADY
    @given(detection_lists(), CUTS, st.randoms(use_true_random=False))
    def test_order_of_detections_does_not_matter(self, detections, cuts, shuffler: random.Random):
        shuffled = list(detections)
        shuffler.shuffle(shuffled)
        assert compile_case(shuffled, cuts=cuts) == compile_case(detections, cuts=cuts)

    @STEADY
    @given(detection_lists(), CUTS, st.integers(1, 9))
    def test_splitting_a_detection_changes_nothing(self, detections, cuts, at):
        split = [
            msgspec.structs.replace(item, observations=part)
            for item in detections
            for part in (item.observations[:at], item.observations[at:])
            if part
        ]
        assert compile_case(split, cuts=cuts) == compile_case(detections, cuts=cuts)

    @STEADY
    @given(detection_lists(), CUTS)
    def test_totals_agree(self, detections, cuts):
        report = compile_case(detections, cuts=cuts)
        for brand in report.brands:
            assert 0 < brand.seconds <= report.analyzed_seconds
            assert max(brand.by_placement.values()) <= brand.seconds + 0.002 <= sum(brand.by_placement.values()) + 0.02
            assert sum(item.seconds for item in brand.exposures) == pytest.approx(sum(brand.by_placement.values()))
            assert 0 <= brand.quality_score <= 100
            assert 0 < brand.mean_area_share <= brand.max_area_share <= 1
            assert all(item.evidence for item in brand.exposures)
        if report.brands:
            assert sum(brand.share_of_voice for brand in report.brands) == pytest.approx(1, abs=0.001)

    @STEADY
    @given(detection_lists(), CUTS, st.floats(0, 3))
    def test_exposures_together_are_the_brand_s_seconds(self, detections, cuts, bridge):
        report = compile_case(detections, cuts=cuts, options=CompileReportOptions(bridge_seconds=bridge))
        for brand in report.brands:
            covered, reached = 0.0, 0.0
            for item in sorted(brand.exposures, key=lambda item: item.start):
                covered += max(0.0, item.end - max(item.start, reached))
                reached = max(reached, item.end)
            assert covered == pytest.approx(brand.seconds, abs=0.02)

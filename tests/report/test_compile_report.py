"""compile_report: exact figures on small hand-made cases, and what must hold for any detections."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.checkpoints import serde
from detect.stages.compile_report import CompileReport, CompileReportOptions, CompileReportOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.types import (
    Box,
    Candidate,
    FrameSignals,
    KnownBrandRecord,
    KnownBrands,
    ModelCall,
    Observation,
    Sample,
    Suggestion,
)
from tests.report.factories import BOX, compile_case, detection, extracted

CORNER = Box(0, 0, 100, 10)
STEADY = settings(deadline=None, derandomize=True)


def candidate(name: str, sequences: list[int], **change) -> Candidate:
    values = {
        "candidate_id": f"id-{name}",
        "text": name,
        "confidence": 0.61234,
        "placement": "led",
        "observations": [Observation(sequence, BOX, 0.6) for sequence in sequences],
        "crop_sequence": sequences[0],
        "crop_box": BOX,
        "members": 2,
        "reason": "resembles two brands",
        "suggestions": [Suggestion("Acme", 0.71)],
    }
    return Candidate(**{**values, **change})


@pytest.fixture(scope="module")
def report() -> CompileReportOutput:
    """Ten samples at 0, 0.5 … 4.5 s of a 5 s video, a cut at 0.8 s; Acme on three of them, Bolt on one.

    Sample 5 is a near-duplicate of 4, so both are on four and two.
    """
    return compile_case(
        [
            detection("Acme", [2, 3, 4]),
            detection("Bolt", [4], box=CORNER, seen=0.5, confidence=0.7, placement="jersey", source="logo"),
        ],
        cuts=[0.8],
        stands_for={5: 4},
    )


class TestGolden:
    def test_seconds_and_their_uncertainty(self, report):
        # Acme is on 2, 3, 4 and 5 (a near-duplicate of 4): from the cut to the middle of 2.54 and 3.0
        acme, bolt = report.brands
        assert (acme.name, acme.seconds, acme.occurrences) == ("Acme", 1.97, 1)
        assert acme.seconds_uncertainty == pytest.approx((0.04**2 + 0.23**2) ** 0.5, abs=0.0005)
        # Bolt on 4 and 5: from the middle of 1.54 and 2.0
        assert (bolt.name, bolt.seconds, bolt.seconds_uncertainty) == ("Bolt", 1.0, 0.325)

    def test_exposure(self, report):
        (exposure,) = report.brands[0].exposures
        assert (exposure.start, exposure.end) == (0.8, 2.77)
        assert (exposure.start_uncertainty, exposure.end_uncertainty) == (0.04, 0.23)
        assert (exposure.placement, exposure.position, exposure.source) == ("board", "centre", "ocr")
        assert (exposure.mean_confidence, exposure.observations) == (0.9, 4)

    def test_evidence_is_the_best_frame_of_each_third(self, report):
        (exposure,) = report.brands[0].exposures
        assert [item.sequence for item in exposure.evidence] == [2, 4]
        first = exposure.evidence[0]
        assert (first.time, first.box, first.text, first.confidence) == (1.0, (450, 225, 100, 50), "ACME", 0.8)
        assert (first.crop, first.rule) == ("crops/0000002-450-225-100-50.jpg", "exact")

    def test_parts_of_the_quality_score(self, report):
        acme, bolt = report.brands
        assert (acme.mean_area_share, acme.max_area_share) == (0.01, 0.01)
        assert acme.quality.size == 0.4472  # root of 0.01 / 0.05
        assert acme.quality.position == 1.0
        assert acme.quality.clarity == acme.clarity == 0.8  # 50 pixels are twice what is fully legible
        assert acme.quality.duration == 0.394  # 1.97 / 5
        # alone for 0.97 s, with Bolt for 1.0 s
        assert acme.quality.solus == pytest.approx((0.97 + 0.5) / 1.97, abs=1e-4)
        assert bolt.clarity == pytest.approx(0.5 * (10 / 25) ** 0.5, abs=1e-4)
        assert bolt.quality.position == pytest.approx(1 - (450**2 + 245**2) ** 0.5 / (500**2 + 250**2) ** 0.5, abs=1e-4)

    def test_quality_score(self, report):
        parts = report.brands[0].quality
        by_hand = 30 * parts.size + 15 * parts.position + 30 * parts.clarity + 15 * parts.duration + 10 * parts.solus
        assert report.brands[0].quality_score == pytest.approx(by_hand, abs=0.06)
        assert report.scoring.weights == {
            "size": 0.3,
            "position": 0.15,
            "clarity": 0.3,
            "duration": 0.15,
            "solus": 0.1,
        }

    def test_shares_and_placements(self, report):
        acme, bolt = report.brands
        assert (acme.share_of_voice, bolt.share_of_voice) == (0.6633, 0.3367)
        assert acme.by_placement == {"board": 1.97}
        assert bolt.by_placement == {"jersey": 1.0}
        assert bolt.exposures[0].position == "top-left"

    def test_body(self, report):
        assert report.analyzed_seconds == 5.0
        assert report.problems == report.notes == report.unresolved == []
        assert report.costs.usd == "0"
        assert report.stats == {"brands": 2, "exposures": 2, "brand_seconds": 2.97, "unresolved": 0}


class TestMediaValue:
    def test_by_hand(self):
        options = CompileReportOptions(audience=2_000_000, cpm=12.5, spot_seconds=20, currency="EUR")
        report = compile_case([detection("Acme", [2, 3, 4])], options=options)
        (brand,) = report.brands
        by_hand = 2000 * 12.5 * brand.seconds / 20 * brand.quality_score / 100
        assert brand.media_value is not None
        assert float(brand.media_value) == pytest.approx(by_hand, abs=0.005)
        assert len(brand.media_value.split(".")[1]) == 2
        assert report.scoring.currency == "EUR"

    def test_none_without_audience_or_price(self):
        for options in (CompileReportOptions(audience=1000), CompileReportOptions(cpm=5)):
            (brand,) = compile_case([detection("Acme", [1])], options=options).brands
            assert brand.media_value is None


class TestPlacements:
    def test_two_at_once_are_two_exposures_and_one_time(self):
        (brand,) = compile_case([detection("Acme", [2, 3]), detection("Acme", [3, 4], placement="led")]).brands
        assert [exposure.placement for exposure in brand.exposures] == ["board", "led"]
        assert brand.seconds == 1.5
        assert brand.by_placement == {"board": 1.0, "led": 1.0}
        assert brand.occurrences == 1

    def test_a_gap_bridged_between_two_goes_to_the_earlier(self):
        (brand,) = compile_case([detection("Acme", [2]), detection("Acme", [4], placement="led")]).brands
        assert [(item.placement, item.start, item.end) for item in brand.exposures] == [
            ("board", 0.77, 1.77),
            ("led", 1.77, 2.27),
        ]
        assert brand.seconds == 1.5

    def test_several_boxes_on_a_frame_count_their_union(self):
        overlapping = [detection("Acme", [2], box=Box(x, 0, x + 100, 100)) for x in (0, 50)]
        (brand,) = compile_case(overlapping).brands
        assert brand.max_area_share == 0.03


class TestFilters:
    def test_min_confidence(self):
        assert compile_case([detection("Acme", [2])], options=CompileReportOptions(min_confidence=0.95)).brands == []

    def test_min_seconds_leaves_out_a_flash(self):
        options = CompileReportOptions(min_seconds=0.6, bridge_seconds=0)
        (brand,) = compile_case([detection("Acme", [1, 4, 5])], options=options).brands
        assert [(item.start, item.end) for item in brand.exposures] == [(1.77, 2.77)]

    def test_min_observations(self):
        options = CompileReportOptions(min_observations=2, bridge_seconds=0)
        (brand,) = compile_case([detection("Acme", [1, 4, 5])], options=options).brands
        assert brand.occurrences == 1

    def test_evidence_per_exposure(self):
        options = CompileReportOptions(evidence_per_exposure=1)
        (brand,) = compile_case([detection("Acme", [2, 3, 4])], options=options).brands
        assert len(brand.exposures[0].evidence) == 1


class TestBrandRecords:
    def test_known_brand_gives_id_and_confirmation(self):
        known = KnownBrands(brands=(KnownBrandRecord(name="Acme", brand_id="7", confirmed=True),))
        (brand,) = compile_case([detection("Acme", [2], confirmed=False)], known=known).brands
        assert (brand.brand_id, brand.confirmed) == ("7", True)

    def test_grown_brand_is_not_confirmed(self):
        (brand,) = compile_case([detection("Acme", [2], confirmed=False)]).brands
        assert (brand.brand_id, brand.confirmed) == ("", False)

    def test_longest_first_then_by_name(self):
        names = [brand.name for brand in compile_case([detection(name, [2]) for name in "cab"]).brands]
        assert names == ["a", "b", "c"]


class TestUnresolvedAndCosts:
    def test_unresolved_is_what_the_last_stage_left(self):
        left = [candidate("KOBE", [1]), candidate("ZUMA", [4, 5])]
        report = compile_case(
            [],
            match_brands=MatchBrandsOutput(detections=[], unresolved=[*left, candidate("DONE", [2])]),
            escalate_cloud=EscalateCloudOutput(detections=[], unresolved=left, calls=[]),
        )
        first, second = report.unresolved
        assert (first.text, first.seconds, second.text, second.seconds) == ("ZUMA", 1.0, "KOBE", 0.5)
        assert (first.crop, first.time, first.confidence) == ("crops/0000004-450-225-100-50.jpg", 2.0, 0.6123)
        assert (first.suggestions[0].name, first.reason) == ("Acme", "resembles two brands")

    def test_a_limit_is_said(self):
        left = [candidate(str(number), [number]) for number in range(1, 5)]
        report = compile_case(
            [],
            options=CompileReportOptions(max_unresolved=3),
            escalate_cloud=EscalateCloudOutput(detections=[], unresolved=left, calls=[]),
        )
        assert len(report.unresolved) == 3
        assert report.notes[-1].reason.startswith("1 more unresolved candidates, each at most 0.5 s")
        assert report.stats["unresolved"] == 4

    def test_costs_are_exact(self):
        calls = [ModelCall("d", "p", "m", 100, 10, "0.1", 1.5), ModelCall("e", "p", "m", 50, 5, "0.0000002", 0.25)]
        report = compile_case(
            [],
            escalate_vlm=EscalateVlmOutput(detections=[], unresolved=[], calls=calls[:1]),
            escalate_cloud=EscalateCloudOutput(detections=[], unresolved=[], calls=calls[1:]),
        )
        assert msgspec.to_builtins(report.costs) == {
            "calls": 2,
            "tokens": 165,
            "usd": "0.1000002",
            "input_tokens": 150,
            "output_tokens": 15,
            "seconds": 1.75,
        }

    def test_detections_of_all_three_sources_are_one_brand(self):
        report = compile_case(
            [detection("Acme", [2])],
            escalate_vlm=EscalateVlmOutput(
                detections=[detection("Acme", [3], source="local_vlm", model="m1")], unresolved=[], calls=[]
            ),
            escalate_cloud=EscalateCloudOutput(
                detections=[detection("Acme", [4], source="cloud_llm", model="m2")], unresolved=[], calls=[]
            ),
        )
        (exposure,) = report.brands[0].exposures
        assert (exposure.start, exposure.end) == (0.77, 2.27)
        assert {item.source for item in exposure.evidence} == {"ocr", "local_vlm", "cloud_llm"}


class TestNotesAndSource:
    def test_skipped_and_incomplete_stages_are_noted_once(self):
        report = compile_case(
            [],
            detect_objects=[DetectObjectsOutput(regions={}, skipped="no weights")] * 3,
            escalate_vlm=EscalateVlmOutput(detections=[], unresolved=[], calls=[], incomplete=True),
        )
        assert [(note.stage, note.kind) for note in report.notes] == [
            ("detect_objects", "skipped"),
            ("escalate_vlm", "incomplete"),
        ]
        assert report.notes[0].reason == "no weights"

    def test_chunks_join(self):
        parts = [extracted(10), extracted(10, first=10)]
        scenes = [FilterScenesOutput(kept=[], stands_for={}, cuts=[])] * 2
        report = compile_case(
            [detection("Acme", [9]), detection("Acme", [10])], extract_frames=parts, filter_scenes=scenes
        )
        (exposure,) = report.brands[0].exposures
        assert (exposure.start, exposure.end) == (4.27, 5.27)
        assert report.analyzed_seconds == 10.0

    def test_a_broken_file_says_where(self):
        report = compile_case([], extract_frames=[extracted(4, problems=["the video breaks off"])])
        assert report.analyzed_seconds == 2.0
        assert report.problems == ["the video breaks off"]

    def test_an_observation_on_no_sample_is_a_fault(self):
        with pytest.raises(ValueError, match="never sampled"):
            compile_case([detection("Acme", [99])])

    def test_pictures_that_do_not_tell_how_long_they_stay_count_a_frame(self):
        samples = [Sample(index * 20, index * 10.0, "", "") for index in range(3)]
        pictures = ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []))
        report = compile_case([detection("Acme", [20])], extract_frames=[pictures])
        (brand,) = report.brands
        assert [(item.start, item.end) for item in brand.exposures] == [(10.0, 10.04)]

    def test_a_single_picture(self):
        picture = ExtractFramesOutput(
            samples=[Sample(0, 0.0, "", "", 0.0)], signals=FrameSignals([], [], [], []), ended_at=0.0
        )
        (brand,) = compile_case([detection("Acme", [0])], extract_frames=[picture]).brands
        assert (brand.seconds, brand.share_of_voice, brand.clarity) == (0.0, 0.0, 0.8)

    def test_empty_video(self):
        report = compile_case([], extract_frames=[], filter_scenes=[])
        assert (report.brands, report.analyzed_seconds) == ([], 0.0)


def test_it_is_a_stage_whose_output_can_be_stored():
    output = compile_case([detection("Acme", [2, 3, 4])], cuts=[0.8])
    stage = CompileReport()
    assert serde.unpack(serde.pack(serde.encode(output)), stage.Output) == output
    assert stage.uses_known_brands


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


def test_options_are_checked():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"currency": "dollars"}, type=CompileReportOptions)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"full_size_share": 0}, type=CompileReportOptions)


def test_lettering_nobody_decided_on_is_listed_as_an_unconfirmed_brand_and_only_there():
    seen = [Observation(sequence, BOX, 0.9) for sequence in range(4)]
    known: dict[str, Any] = {
        "text": "KRONBERG",
        "confidence": 0.9,
        "placement": "board",
        "observations": seen,
        "crop_sequence": 0,
        "crop_box": BOX,
        "members": 1,
        "reason": "no known brand is spelled like it",
    }
    lasting, brief = Candidate(candidate_id="a", brand_like=True, **known), Candidate(candidate_id="b", **known)
    left = EscalateCloudOutput(detections=[], unresolved=[lasting, brief], calls=[])
    body = compile_case([], escalate_cloud=left)
    assert [(brand.name, brand.confirmed) for brand in body.brands] == [("KRONBERG", False)]
    assert body.brands[0].exposures[0].evidence[0].rule == "proposed"
    assert [item.candidate_id for item in body.unresolved] == ["b"]

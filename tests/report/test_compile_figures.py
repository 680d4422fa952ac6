"""The figures of compile_report: exact on small hand-made cases."""

from __future__ import annotations

from typing import Any

import pytest

from detect.stages.compile_report import CompileReportOptions, CompileReportOutput
from detect.types import (
    Box,
    BrandDetection,
    Edge,
    KnownBrandRecord,
    KnownBrands,
)
from tests.report.factories import compile_case, detection

CORNER = Box(0, 0, 100, 10)


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


class TestFoundEdges:
    """Edges found between samples, as detections carry them."""

    def edges(self, *detections: BrandDetection, **case: Any) -> list[tuple[float, float, float, float, str]]:
        (brand,) = compile_case(list(detections), **case).brands
        return [
            (one.start, one.start_uncertainty, one.end, one.end_uncertainty, one.placement) for one in brand.exposures
        ]

    def test_of_several_places_the_first_to_come_and_the_last_to_go_count(self):
        near = detection("Acme", [4, 5], appears=Edge(1.8, 0.05), vanishes=Edge(2.6, 0.05))
        far = detection("Acme", [4, 5, 6], appears=Edge(1.9, 0.06), vanishes=Edge(3.2, 0.07))
        later = detection("Acme", [5, 6], appears=Edge(2.1, 0.05))
        assert self.edges(near, far, later) == [(1.8, 0.05, 3.2, 0.07, "board")]

    def test_kinds_of_places_have_their_own(self):
        board = detection("Acme", [4], appears=Edge(1.8, 0.05))
        worn = detection("Acme", [4], placement="jersey", vanishes=Edge(2.2, 0.1))
        assert self.edges(board, worn) == [
            (1.77, 0.23, 2.2, 0.1, "jersey"),
            (1.8, 0.05, 2.27, 0.23, "board"),
        ]

    def test_what_was_seen_to_go_is_gone_until_it_comes_again(self):
        went = detection("Acme", [2, 3], vanishes=Edge(1.7, 0.05))
        again = detection("Acme", [5, 6])
        assert [end for _, _, end, _, _ in self.edges(went, again)] == [1.7, 3.27]
        worn = detection("Acme", [2, 3], vanishes=Edge(1.7, 0.05), placement="jersey")
        assert [end for _, _, end, _, _ in self.edges(worn, again)][-1] == 3.27
        assert compile_case([worn, again]).brands[0].occurrences == 1
        assert compile_case([went, again]).brands[0].occurrences == 2
        stays = detection("Acme", [3])
        assert [end for _, _, end, _, _ in self.edges(went, stays, again)] == [3.27]

    def test_a_near_duplicate_moves_the_end_behind_itself(self):
        found = detection("Acme", [4], appears=Edge(1.8, 0.05), vanishes=Edge(2.8, 0.05))
        assert self.edges(found, stands_for={5: 4}) == [(1.8, 0.05, 2.8, 0.05, "board")]

    def test_total_and_uncertainty_follow(self):
        found = detection("Acme", [4], appears=Edge(1.8, 0.05), vanishes=Edge(2.4, 0.06))
        (brand,) = compile_case([found]).brands
        assert brand.seconds == 0.6
        assert brand.seconds_uncertainty == pytest.approx(0.078, abs=0.0005)


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

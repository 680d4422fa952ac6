"""The rules of comparing two results, one by one and on anything at all."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detect.comparison import BrandTotal, Comparison, Moved, Renamed, Sighting, compare
from detect.report import ReportBrand
from tests.comparison.made import brand, exposure


def spans(sightings: list[Sighting]) -> list[tuple[str, float, float]]:
    return [(one.brand, one.start, one.end) for one in sightings]


def moves(comparison: Comparison) -> list[tuple[float, float, float, float]]:
    return [(pair.left.start, pair.left.end, pair.right.start, pair.right.end) for pair in comparison.moved]


class TestLostAndGained:
    def test_a_brand_on_one_side_alone(self):
        found = compare([brand("Acme", exposure(0, 4))], [brand("Bolt", exposure(6, 9))])
        assert spans(found.lost) == [("Acme", 0, 4)]
        assert spans(found.gained) == [("Bolt", 6, 9)]
        assert not found.renamed
        assert not found.moved

    def test_the_same_brand_at_another_time_is_lost_and_gained(self):
        found = compare([brand("Acme", exposure(0, 4))], [brand("Acme", exposure(4, 8))])
        assert spans(found.lost) == [("Acme", 0, 4)]
        assert spans(found.gained) == [("Acme", 4, 8)], "an edge in common is no time in common"

    def test_any_time_in_common_is_the_same_sighting(self):
        found = compare([brand("Acme", exposure(0, 4))], [brand("Acme", exposure(3.9, 8))])
        assert not found.lost
        assert not found.gained
        assert moves(found) == [(0, 4, 3.9, 8)]

    def test_a_still_picture_lies_on_its_moment(self):
        found = compare([brand("Acme", exposure(2, 2))], [brand("Acme", exposure(2, 2))])
        assert not found.lost
        assert not found.gained

    def test_in_order_of_time(self):
        found = compare([], [brand("Zeta", exposure(1, 2)), brand("Acme", exposure(8, 9), exposure(0, 0.5))])
        assert [name for name, _, _ in spans(found.gained)] == ["Acme", "Zeta", "Acme"]


class TestRenamed:
    def test_one_place_and_time_under_two_names(self):
        found = compare([brand("ACNE", exposure(0, 4))], [brand("Acme", exposure(0.2, 4))])
        assert [(pair.left.brand, pair.right.brand) for pair in found.renamed] == [("ACNE", "Acme")]
        assert not found.lost
        assert not found.gained

    def test_another_place_is_another_sighting(self):
        found = compare([brand("ACNE", exposure(0, 4))], [brand("Acme", exposure(0, 4, box=(400, 100, 80, 40)))])
        assert not found.renamed
        assert len(found.lost) == len(found.gained) == 1

    def test_boxes_that_overlap_by_less_than_half_are_another_place(self):
        left = [brand("ACNE", exposure(0, 4, box=(100, 100, 90, 40)))]
        assert compare(left, [brand("Acme", exposure(0, 4, box=(130, 100, 90, 40)))]).renamed, "60 of 120: a half"
        assert not compare(left, [brand("Acme", exposure(0, 4, box=(131, 100, 90, 40)))]).renamed

    def test_pictures_of_different_moments_say_nothing(self):
        left = [brand("ACNE", exposure(0, 4, at=1.0))]
        assert compare(left, [brand("Acme", exposure(0, 4, at=1.5))]).renamed
        assert not compare(left, [brand("Acme", exposure(0, 4, at=1.6))]).renamed

    def test_less_than_half_of_the_time_in_common_is_no_renaming(self):
        left = [brand("ACNE", exposure(0, 4, at=3))]
        assert compare(left, [brand("Acme", exposure(2, 4, at=3))]).renamed
        assert not compare(left, [brand("Acme", exposure(2.1, 4, at=3))]).renamed

    def test_each_sighting_is_renamed_once_the_best_first(self):
        left = [brand("ACNE", exposure(0, 4)), brand("ACMF", exposure(0, 4, box=(104, 100, 80, 40)))]
        found = compare(left, [brand("Acme", exposure(0, 4))])
        assert [(pair.left.brand, pair.right.brand) for pair in found.renamed] == [("ACNE", "Acme")]
        assert spans(found.lost) == [("ACMF", 0, 4)]

    def test_a_brand_that_was_there_before_is_not_renamed_to(self):
        found = compare(
            [brand("ACNE", exposure(0, 4)), brand("Acme", exposure(0, 4, box=(400, 100, 80, 40)))],
            [brand("Acme", exposure(0, 4))],
        )
        assert not found.renamed
        assert spans(found.lost) == [("ACNE", 0, 4)]


class TestMoved:
    def test_edges_within_their_uncertainties_have_not_moved(self):
        left = [brand("Acme", exposure(1, 4))]
        assert not compare(left, [brand("Acme", exposure(1.5, 3.5))]).moved
        found = compare(left, [brand("Acme", exposure(1.502, 4))])
        assert [(pair.start_shift, pair.end_shift) for pair in found.moved] == [(0.502, 0)]

    def test_exact_edges_may_not_move(self):
        exact: dict[str, Any] = {"start_uncertainty": 0.04, "end_uncertainty": 0.04}
        left = [brand("Acme", exposure(1, 4, **exact))]
        assert not compare(left, [brand("Acme", exposure(1, 4.08, **exact))]).moved
        assert compare(left, [brand("Acme", exposure(1, 4.2, **exact))]).moved

    def test_placement_and_position(self):
        left = [brand("Acme", exposure(1, 4))]
        assert compare(left, [brand("Acme", exposure(1, 4, placement="led"))]).moved
        assert compare(left, [brand("Acme", exposure(1, 4, position="top left"))]).moved
        assert not compare(left, [brand("Acme", exposure(1, 4, mean_confidence=0.2, source="logo"))]).moved

    def test_a_stretch_that_became_two_was_not_lost(self):
        found = compare([brand("Acme", exposure(0, 10))], [brand("Acme", exposure(0, 4), exposure(6, 10))])
        assert not found.lost
        assert not found.gained
        assert moves(found) == [(0, 10, 0, 4), (0, 10, 6, 10)]

    def test_a_part_that_is_within_uncertainty_of_its_pair_still_counts(self):
        unsure: dict[str, Any] = {"start_uncertainty": 9, "end_uncertainty": 9}
        left = [brand("Acme", exposure(0, 4, **unsure), exposure(5, 9, **unsure))]
        found = compare(left, [brand("Acme", exposure(0, 9, **unsure))])
        assert len(found.moved) == 1

    def test_one_placement_is_put_together_before_another(self):
        board, overlay = exposure(0, 4), exposure(0, 9, placement="overlay")
        found = compare([brand("Acme", board, overlay)], [brand("Acme", exposure(0, 9, placement="overlay"), board)])
        assert not found.moved
        gone = compare([brand("Acme", board, overlay)], [brand("Acme", overlay)])
        assert [(pair.left.exposure.placement, pair.right.exposure.placement) for pair in gone.moved] == [
            ("board", "overlay")
        ]


class TestTotals:
    def test_by_brand_largest_difference_first(self):
        found = compare(
            [brand("Acme", exposure(0, 4)), brand("Bolt", exposure(0, 4))],
            [brand("Acme", exposure(0, 3.5)), brand("Cord", exposure(5, 9))],
        )
        assert found.totals == [
            BrandTotal("Bolt", 4, 0, -4),
            BrandTotal("Cord", 0, 4, 4),
            BrandTotal("Acme", 4, 3.5, -0.5),
        ]
        assert found.seconds_difference == -0.5


times = st.integers(0, 40).map(lambda quarter: quarter / 4)


@st.composite
def exposures(draw):
    start, end = sorted((draw(times), draw(times)))
    return exposure(
        start,
        end,
        box=(draw(st.integers(0, 3)) * 30, 0, 90, 40),
        placement=draw(st.sampled_from(["board", "overlay"])),
        position=draw(st.sampled_from(["centre", "top left"])),
        start_uncertainty=draw(st.sampled_from([0.04, 0.25, 2.0])),
        end_uncertainty=draw(st.sampled_from([0.04, 0.25])),
    )


reports = st.dictionaries(
    st.sampled_from(["Acme", "Bolt", "Cord"]), st.lists(exposures(), min_size=1, max_size=5), max_size=3
).map(lambda found: [brand(name, *shown) for name, shown in found.items()])


def mirrored(found: Comparison) -> Comparison:
    return Comparison(
        gained=found.lost,
        lost=found.gained,
        renamed=[Renamed(pair.right, pair.left) for pair in found.renamed],
        moved=[Moved(pair.right, pair.left, -pair.start_shift or 0.0, -pair.end_shift or 0.0) for pair in found.moved],
        totals=[
            BrandTotal(total.brand, total.right_seconds, total.left_seconds, -total.difference or 0.0)
            for total in found.totals
        ],
        seconds_difference=-found.seconds_difference or 0.0,
    )


class TestAnything:
    @settings(max_examples=150, deadline=None)
    @given(reports)
    def test_nothing_differs_from_itself(self, report):
        found = compare(report, report)
        assert not (found.gained or found.lost or found.renamed or found.moved)
        assert found.seconds_difference == 0
        assert all(total.difference == 0 for total in found.totals)

    @settings(max_examples=250, deadline=None)
    @given(reports, reports)
    def test_the_sides_are_alike(self, left, right):
        assert compare(right, left) == mirrored(compare(left, right))

    @settings(max_examples=150, deadline=None)
    @given(reports, reports, st.randoms(use_true_random=False))
    def test_the_order_of_brands_and_exposures_does_not_matter(self, left, right, random):
        shuffled = [brand(one.name, *random.sample(one.exposures, len(one.exposures))) for one in right]
        random.shuffle(shuffled)
        assert compare(left, shuffled) == compare(left, right)

    @settings(max_examples=250, deadline=None)
    @given(reports, reports)
    def test_lost_and_renamed_are_what_shares_no_time_with_its_brand(self, left, right):
        found = compare(left, right)
        alone = _alone(left, right)
        assert sorted([*spans(found.lost), *spans([pair.left for pair in found.renamed])]) == sorted(alone)
        for pair in found.renamed:
            assert pair.left.brand != pair.right.brand
        for moved in found.moved:
            assert moved.left.brand == moved.right.brand

    @settings(max_examples=150, deadline=None)
    @given(reports, reports)
    def test_every_sighting_is_put_somewhere(self, left, right):
        """What is neither lost, renamed nor moved has an equal on the other side, within the uncertainty."""
        found = compare(left, right)
        told = {
            *spans(found.lost),
            *spans([pair.left for pair in found.renamed]),
            *spans([pair.left for pair in found.moved]),
        }
        for one in left:
            for shown in one.exposures:
                if (one.name, shown.start, shown.end) not in told:
                    others = next(other.exposures for other in right if other.name == one.name)
                    assert any(
                        other.placement == shown.placement and other.position == shown.position for other in others
                    )


def _alone(left: list[ReportBrand], right: list[ReportBrand]) -> list[tuple[str, float, float]]:
    there = {one.name: one.exposures for one in right}
    return [
        (one.name, shown.start, shown.end)
        for one in left
        for shown in one.exposures
        if not any(_meets((shown.start, shown.end), (other.start, other.end)) for other in there.get(one.name, []))
    ]


def _meets(one: tuple[float, float], other: tuple[float, float]) -> bool:
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common > 0 or (common == 0 and (one[0] == one[1] or other[0] == other[1]))

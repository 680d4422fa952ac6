"""The scoring rule, by example and against a brute-force reading of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.scoring import TruthError, score

Entry = dict[str, Any]
TENTHS = 60
"""Generated spans lie on a grid of 0.1 s over this many cells: within one cell nothing changes."""


def entry(brand: str, start: float, end: float, **more: object) -> Entry:
    return {"brand": brand, "t_start": start, "t_end": end, **more}


def test_instants_near_true_edges_are_left_out() -> None:
    truth = [entry("Velmora", 2, 6)]
    assert score({"Velmora": [(1.7, 6.3)]}, truth).f1 == 1
    assert score({"Velmora": [(2.3, 5.7)]}, truth).f1 == 1
    late = score({"Velmora": [(2.3, 6.4)]}, truth)
    assert late.recall == 1
    assert late.precision == pytest.approx(3.4 / 3.5)
    assert late.per_brand["Velmora"].true_seconds == 3.4


def test_uncertain_spans_are_left_out_for_their_brand_only() -> None:
    truth = [entry("A", 0, 4), entry("A", 6, 8, uncertain=True), entry("B", 0, 9)]
    assert score({"A": [(0, 4), (6, 8)], "B": [(0, 9)]}, truth).f1 == 1
    assert score({"A": [(0, 4)], "B": [(0, 9)]}, truth).f1 == 1
    assert score({"A": [(0, 4), (6, 8.5)], "B": [(0, 9)]}, truth).precision < 1


def test_an_uncertain_span_beats_a_certain_one_that_covers_it() -> None:
    truth = [entry("A", 0, 10), entry("A", 5, 10, uncertain=True)]
    assert score({"A": [(0, 5)]}, truth).recall == 1


def test_brands_without_a_certain_span_and_ignored_ones_are_not_scored() -> None:
    truth = [entry("A", 0, 4), entry("B", 0, 9, uncertain=True), entry("C", 0, 9, ignore=True), entry("ignore", 0, 9)]
    result = score({"A": [(0, 4)], "B": [(0, 9)], "C": [(0, 9)], "Ignore": [(0, 2)]}, truth)
    assert result.f1 == 1
    assert set(result.per_brand) == {"A"}


def test_a_brand_that_truth_does_not_know_is_wrong_for_all_its_seconds() -> None:
    result = score({"A": [(0, 4)], "Other": [(0, 3.4)]}, [entry("A", 0, 4)])
    assert result.precision == pytest.approx(0.5)
    assert not result.per_brand["Other"].in_truth
    assert result.per_brand["Other"].precision == 0


def test_names_are_compared_casefolded_by_letters_and_digits() -> None:
    truth = [entry("Punch.ev", 0, 4), entry("LaLiga Santander", 0, 4)]
    assert score({"PUNCH EV": [(0, 4)], "la-liga santander": [(0, 4)]}, truth).f1 == 1


def test_an_alias_and_its_name_count_once() -> None:
    truth = [entry("Cantabria Labs", 0, 4)]
    reported = {"Cantabria": [(0.0, 3.0)], "Cantabria Labs": [(2.0, 4.0)]}
    assert score(reported, truth, aliases={"cantabria": "Cantabria Labs"}).f1 == 1
    assert score(reported, truth).precision < 1


def test_several_entries_of_a_brand_are_one_presence() -> None:
    """Where one of two overlapping spans begins the brand is there already: no edge, nothing left out."""
    apart = score({"A": [(0, 10)]}, [entry("A", 0, 10), entry("a", 4, 6)])
    assert apart.per_brand["A"].true_seconds == 9.4


def test_nothing_reported_is_precise_and_finds_nothing() -> None:
    nothing = score({}, [entry("A", 0, 4)])
    assert (nothing.precision, nothing.recall, nothing.f1) == (1, 0, 0)
    assert score({}, []).f1 == 1


@pytest.mark.parametrize(
    "broken", [{"brand": "A", "t_start": 1}, entry("A", 3, 2), entry("A", 0, float("nan")), {"t_start": 0, "t_end": 1}]
)
def test_a_broken_truth_entry_is_named(broken: Entry) -> None:
    with pytest.raises(TruthError, match="entry 1"):
        score({}, [entry("B", 0, 1), broken])


cells = st.tuples(st.integers(0, TENTHS), st.integers(0, TENTHS)).map(lambda pair: (min(pair) / 10, max(pair) / 10))
spans = st.lists(cells, max_size=4)
names = st.sampled_from(["A", "B", "C"])
truths = st.lists(
    st.builds(lambda name, span, doubt: entry(name, *span, uncertain=doubt), names, cells, st.booleans()), max_size=8
)
reports = st.dictionaries(names, spans, max_size=3)


def _inside(tenths: float, intervals: list[tuple[float, float]]) -> bool:
    return any(start * 10 <= tenths < end * 10 for start, end in intervals)


def _brute_force(report: dict[str, list[tuple[float, float]]], truth: list[Entry]) -> tuple[int, int, int]:
    """True, reported and correct cells, judging each cell of 0.1 s by its middle."""
    sums = [0, 0, 0]
    for name in {one["brand"] for one in truth} | set(report):
        own = [one for one in truth if one["brand"] == name]
        certain = [(one["t_start"], one["t_end"]) for one in own if not one["uncertain"]]
        doubtful = [(one["t_start"], one["t_end"]) for one in own if one["uncertain"]]
        if own and not any(start < end for start, end in certain):
            continue
        middles = [cell + 0.5 for cell in range(-4, TENTHS + 4)]
        present = [_inside(middle, certain) for middle in middles]
        edges = [middles[i] + 0.5 for i in range(len(middles) - 1) if present[i] != present[i + 1]]
        for middle, true in zip(middles, present, strict=True):
            if _inside(middle, doubtful) or any(abs(middle - edge) < 3 for edge in edges):
                continue
            claimed = _inside(middle, report.get(name, []))
            sums = [total + part for total, part in zip(sums, (true, claimed, true and claimed), strict=True)]
    return sums[0], sums[1], sums[2]


@settings(max_examples=150, deadline=None)
@given(reports, truths)
def test_the_score_is_what_judging_every_instant_gives(
    report: dict[str, list[tuple[float, float]]], truth: list[Entry]
) -> None:
    true, claimed, correct = _brute_force(report, truth)
    result = score(report, truth)
    assert result.precision == pytest.approx(correct / claimed if claimed else 1)
    assert result.recall == pytest.approx(correct / true if true else 1)


@settings(max_examples=60, deadline=None)
@given(reports, truths, st.randoms(use_true_random=False))
def test_order_and_splitting_of_spans_change_nothing(
    report: dict[str, list[tuple[float, float]]], truth: list[Entry], shuffle: Any
) -> None:
    split = {
        name: [piece for start, end in own for piece in ((start, (start + end) / 2), ((start + end) / 2, end))]
        for name, own in report.items()
    }
    shuffled = list(truth)
    shuffle.shuffle(shuffled)
    before, after = score(report, truth), score(split, shuffled)
    assert (before.precision, before.recall, before.f1) == (after.precision, after.recall, after.f1)


@settings(max_examples=60, deadline=None)
@given(truths)
def test_reporting_the_truth_is_perfect(truth: list[Entry]) -> None:
    report: dict[str, list[tuple[float, float]]] = {}
    for one in truth:
        if not one["uncertain"]:
            report.setdefault(one["brand"], []).append((one["t_start"], one["t_end"]))
    assert score(report, truth).f1 == 1


def test_truth_of_real_clips_can_be_scored(real_media: Path) -> None:
    paths = sorted(real_media.glob("*.truth.json"))
    assert paths
    for path in paths:
        truth = json.loads(path.read_text(encoding="utf-8"))
        report: dict[str, list[tuple[float, float]]] = {}
        for one in truth:
            report.setdefault(one["brand"], []).append((one["t_start"], one["t_end"]))
        result = score(report, truth)
        assert result.f1 == 1
        assert result.per_brand

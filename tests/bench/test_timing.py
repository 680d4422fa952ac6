"""Errors of starts and ends against hand-made truth."""

from __future__ import annotations

from typing import Any

import pytest

from bench.timing import EdgeError, Spans, edge_errors, summarise
from tests.bench.made import span

LENGTH = 60.0


def starts_and_ends(truth: list[dict[str, Any]], reported: dict[str, Spans]) -> tuple[list[float | None], ...]:
    starts, ends = edge_errors(truth, reported, length=LENGTH)
    return [item.error for item in starts], [item.error for item in ends]


def test_errors_are_reported_minus_true():
    starts, ends = starts_and_ends([span("Acme", 10, 20)], {"ACME": [(10.25, 19.5)]})
    assert starts == [0.25]
    assert ends == [-0.5]


def test_exposures_that_touch_are_one_presence():
    starts, ends = starts_and_ends([span("Acme", 10, 20)], {"Acme": [(10, 15), (14, 20)]})
    assert (starts, ends) == ([0], [0])


def test_an_edge_without_a_reported_one_nearby_is_missed():
    starts, ends = starts_and_ends([span("Acme", 10, 20)], {"Acme": [(12, 20)]})
    assert (starts, ends) == ([None], [0])
    assert starts_and_ends([span("Acme", 10, 20)], {}) == ([None], [None])


def test_a_reported_edge_serves_one_true_edge():
    truth = [span("Acme", 10, 10.8), span("Acme", 11, 20)]
    starts, _ = starts_and_ends(truth, {"Acme": [(10.9, 20)]})
    assert starts == [None, pytest.approx(-0.1)]


def test_edges_of_the_video_and_beside_uncertain_spans_do_not_count():
    truth = [span("Acme", 0.0, 20), span("Acme", 20, 22, uncertain=True), span("Acme", 30, 59.9)]
    starts, ends = starts_and_ends(truth, {"Acme": [(0, 21), (30.5, 60)]})
    assert (starts, ends) == ([0.5], [])


def test_ignored_names_and_unknown_brands_have_no_edges():
    truth = [span("Stand", 10, 20, ignore=True)]
    assert starts_and_ends(truth, {"Stand": [(11, 19)], "Globex": [(1, 2)]}) == ([], [])


def test_stated_uncertainty_is_held_against_the_error():
    stated = {"Acme": {("start", 10.2): 0.25, ("end", 19.0): 0.25}}
    starts, ends = edge_errors([span("Acme", 10, 20)], {"Acme": [(10.2, 19.0)]}, length=LENGTH, uncertainty=stated)
    assert summarise(starts).covered == 1
    assert summarise(ends).covered == 0
    assert summarise([*starts, *ends]).covered == 0.5


def test_summary():
    errors = [EdgeError(value) for value in (0.1, -0.2, 0.3, -1.0, None)]
    found = summarise(errors)
    assert (found.edges, found.missed) == (5, 1)
    assert found.median_error == 0.25
    assert found.p95_error == 1.0
    assert found.bias == pytest.approx(-0.2)
    assert found.covered is None


def test_summary_of_nothing():
    found = summarise([])
    assert (found.edges, found.missed, found.median_error, found.p95_error) == (0, 0, 0, 0)


def test_thousandths_that_reports_round_to_are_no_error():
    stated = {"Acme": {("start", 10.0205): 0.02}}
    starts, _ = edge_errors([span("Acme", 10, 20)], {"Acme": [(10.0205, 19.0)]}, length=LENGTH, uncertainty=stated)
    assert summarise(starts).covered == 1

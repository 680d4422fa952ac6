"""Figures of a job's page, from a browser's answers made by hand."""

from __future__ import annotations

import pytest

from bench.jobpage import JobPageFigures, Spread, _spread
from bench.jobpage_data import BRANDS, EXPOSURES, SECONDS, _detections
from bench.machine import machine_facts
from bench.promises import Verdict, verdicts
from bench.results import Section


def figures(**change: Spread) -> JobPageFigures:
    fast = Spread(400.0, 600.0)
    return JobPageFigures(
        exposures=EXPOSURES,
        brands=BRANDS,
        opened=12,
        load=change.get("load", fast),
        first_paint=fast,
        timeline=fast,
        answer=fast,
        page_bytes=300_000,
        elements=3000,
        frames={"zoom": Spread(16.7, 33.4)},
        work={"zoom": change.get("zoom", Spread(1.4, 6.0))},
    )


def judged(found: JobPageFigures) -> list[Verdict]:
    section = Section("", "", machine_facts(), {}, found.headlines(), {})
    return verdicts({"jobpage": section}, full=True)


def test_the_middle_and_what_all_but_a_twentieth_stay_below():
    assert _spread([float(n) for n in range(101)]) == Spread(50.0, 95.0)
    assert _spread([3.0]) == Spread(3.0, 3.0)


def test_promises_are_about_opening_and_drawing():
    assert [(one.name, one.kept) for one in judged(figures())] == [
        ("opens, median", True),
        ("opens, 95 %", True),
        ("zoom, drawing a frame, 95 %", True),
    ]
    slow = judged(figures(load=Spread(1400.0, 1600.0), zoom=Spread(10.0, 17.0)))
    assert [one.kept for one in slow] == [True, False, False]


def test_what_is_opened_is_as_large_as_it_says():
    detections = list(_detections())
    assert len(detections) == EXPOSURES
    assert len({found.brand for found in detections}) == BRANDS
    by_brand: dict[str, float] = {}
    for found in detections:
        first, last = found.observations[0].sequence / 2, found.observations[-1].sequence / 2
        assert first - by_brand.get(found.brand, -100.0) > 1.75, "two would be bridged into one exposure"
        by_brand[found.brand] = last
    assert max(by_brand.values()) == pytest.approx(SECONDS, abs=60)

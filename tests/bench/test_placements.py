"""Reported places held against those of a match's exact truth."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bench.placements import PlacementFigures, judged, placements, pooled_share
from detect.report import Report
from detect.synthetic.truth import PLACEMENTS, ROW, BrandTruth, Truth
from tests.bench.made import report

FRAMES = 100


def truth_file(folder: Path, *shown: tuple[str, int, int]) -> Path:
    """Acme on each place from one frame to another, ten frames a second."""
    rows = [
        (frame, 0, PLACEMENTS.index(place), 0, 0, 90, 30, 1.0, 20.0, 0.0)
        for frame in range(FRAMES)
        for place, first, last in shown
        if first <= frame < last
    ]
    path = folder / "truth.json"
    brands = (BrandTruth("Acme", "text", ()),)
    Truth(640, 360, Fraction(1, 10), np.arange(FRAMES), FRAMES, brands, np.array(rows, ROW)).save(path)
    return path


@pytest.fixture
def found() -> Report:
    return report(None, "Acme", "Globex")


def test_seconds_on_the_right_place(tmp_path, found):
    exposure = found.brands[0].exposures[0]
    seconds = exposure.end - exposure.start
    figures = judged(found, truth_file(tmp_path, (exposure.placement, 0, FRAMES)))
    assert figures.seconds == figures.right == pytest.approx(seconds, abs=0.1)
    assert figures.said == {exposure.placement: {exposure.placement: figures.seconds}}


def test_wrong_places_are_told_apart(tmp_path, found):
    figures = judged(found, truth_file(tmp_path, ("jersey", 0, FRAMES)))
    assert figures.right == 0
    assert list(figures.said) == ["jersey"]


def test_any_place_that_shows_the_brand_is_right_and_absent_time_does_not_count(tmp_path, found):
    exposure = found.brands[0].exposures[0]
    frame = round(exposure.start * 10) + 3
    both = judged(found, truth_file(tmp_path, ("jersey", frame, frame + 2), (exposure.placement, frame, frame + 2)))
    assert (both.seconds, both.right, both.said) == (0.2, 0.2, {})
    assert judged(found, truth_file(tmp_path, ("jersey", 99, 99))).seconds == 0


def test_it_is_worked_out_in_a_process_of_its_own(tmp_path, found):
    file = truth_file(tmp_path, ("jersey", 0, FRAMES))
    assert placements(found, file) == judged(found, file)


def test_shares_are_pooled_by_seconds():
    assert pooled_share([PlacementFigures(9.0, 9.0, {}), PlacementFigures(3.0, 0.0, {})]) == 0.75
    assert pooled_share([]) is None

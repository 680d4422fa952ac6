"""Synthetic matches, whose truth is exact: what is found, when, and what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detect.matching import normalize
from detect.stages.compile_report import CompileReportOutput
from detect.synthetic import Match, Truth, build_match, render_match
from detect.synthetic.truth import ABSENT, CERTAIN
from detect.types import KnownBrandRecord, KnownBrands
from tests.golden.runs import analyse, score_of


@pytest.fixture(scope="module")
def match() -> Match:
    return build_match(seed=7, level="easy", seconds=12)


@pytest.fixture(scope="module")
def video(match, tmp_path_factory) -> tuple[Path, Truth]:
    path = tmp_path_factory.mktemp("match") / "match.mp4"
    return path, render_match(match, path)


@pytest.fixture(scope="module")
def report(match, video) -> CompileReportOutput:
    brands = tuple(KnownBrandRecord(brand.name, brand.aliases) for brand in match.brands if brand.kind == "text")
    return analyse(video[0], KnownBrands(brands=brands, given=True))


def test_seconds_of_brands_are_right(report, video, match):
    lettered = {brand.name for brand in match.brands if brand.kind == "text"}
    result = score_of(report, [entry for entry in video[1].to_spans() if entry["brand"] in lettered])
    assert result.precision >= 0.95
    assert result.recall >= 0.85


def test_no_clock_player_or_notice_becomes_a_brand(report, match):
    texts = {normalize(entry["text"]) for entry in match.distractors()}
    assert not texts & {normalize(brand.name) for brand in report.brands}


def test_starts_and_ends_lie_within_their_stated_uncertainty_of_a_certain_edge(report, video):
    checked = 0
    for brand in report.brands:
        spans = [span for span in video[1].to_spans() if span["brand"] == brand.name]
        certain = [span for span in spans if not span.get("uncertain")]
        for exposure in brand.exposures:
            starts = [span for span in certain if abs(span["t_start"] - exposure.start) < 1]
            blurred = [span for span in spans if span.get("uncertain") and abs(span["t_end"] - exposure.start) < 2]
            if len(starts) == 1 and not blurred:
                assert abs(starts[0]["t_start"] - exposure.start) <= exposure.start_uncertainty + 0.05
                checked += 1
    assert checked >= 2, "no exposure of this match has a sharp start to check"


def test_the_stated_uncertainty_covers_how_far_edges_are_off(report, video):
    """Every edge counts whose brand comes or goes once within 0.8 s of it. What can be argued about, half in the
    picture or half faded, may be the edge wherever in it.
    """
    truth, off, stated = video[1], [], []
    for brand in report.brands:
        if brand.name not in {known.name for known in truth.brands}:
            continue
        states = truth.states(brand.name)
        for exposure in brand.exposures:
            for time, uncertainty in (
                (exposure.start, exposure.start_uncertainty),
                (exposure.end, exposure.end_uncertainty),
            ):
                low, high = (np.searchsorted(truth.pts, (time + side) / truth.time_base) for side in (-0.8, 0.8))
                near = states[low:high]
                if time < 0.8 or time > truth.duration - 0.8 or len({ABSENT, CERTAIN} & {near[0], near[-1]}) != 2:
                    continue
                between = np.flatnonzero(near != near[0]), np.flatnonzero(near != near[-1])
                begins, ends = truth.time(int(low + between[0][0])), truth.time(int(low + between[1][-1] + 1))
                off.append(max(begins - time, time - ends, 0.0))
                stated.append(uncertainty)
    covered = [error <= known + 0.001 for error, known in zip(off, stated, strict=True)]
    assert len(covered) >= 5, "too few brands of this match come or go for sure"
    assert sum(covered) >= 0.95 * len(covered), sorted(zip(off, stated, strict=True))
    assert float(np.median(stated)) <= 0.15, "samples half a second apart alone would give 0.23"


def test_every_exposure_shows_its_evidence_where_the_brand_is(report, video):
    truth = video[1]
    for brand in report.brands:
        for evidence in (shown for exposure in brand.exposures for shown in exposure.evidence):
            frame = min(range(len(truth.pts)), key=lambda index: abs(truth.time(index) - evidence.time))
            number = [known.name for known in truth.brands].index(brand.name)
            x, y, width, height = evidence.box
            rows = truth.boxes(frame)
            boxes = rows[rows["brand"] == number][["x1", "y1", "x2", "y2"]].tolist()
            assert any(
                x1 - 20 <= x + width / 2 <= x2 + 20 and y1 - 20 <= y + height / 2 <= y2 + 20 for x1, y1, x2, y2 in boxes
            ), f"{brand.name} at {evidence.time} s"


def test_without_a_list_brands_are_grown_and_stay_unconfirmed(video, match):
    grown = analyse(video[0], KnownBrands())
    assert grown.brands
    assert not any(brand.confirmed for brand in grown.brands)
    found = {normalize(brand.name) for brand in grown.brands}
    assert len(found & {normalize(brand.name) for brand in match.brands}) >= 3

"""Wordless logos by reference pictures, as match_brands finds them in the frames of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from detect import logo_search
from detect.engines.mark_catalogue import Mark
from detect.geometry import overlap_share
from detect.resources import Resources
from detect.stages import match_brands
from detect.stages.base import StageContext
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput, encode_jpeg
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrands, MatchBrandsInput, MatchBrandsOptions, MatchBrandsOutput
from detect.stages.run_ocr import RunOcrOutput
from detect.synthetic import logo_image
from detect.synthetic.brands import LOGO_BRANDS
from detect.types import Box, FrameSignals, KnownBrandRecord, KnownBrands, LogoReference, Region, Sample
from tests.stages.memory_frames import SOURCE, MemoryFrames

PLACE = Box(200, 150, 320, 270)
BOARD = Region(Box(0, 130, 640, 290), 0.9, "board")
PICTURED = KnownBrandRecord("Suncrest", logos=(LogoReference("d" * 64, "logos/sun.png"),))


@pytest.fixture(scope="module")
def logo() -> np.ndarray:
    return np.asarray(logo_image(LOGO_BRANDS[0]))


@pytest.fixture(scope="module")
def frames(logo) -> MemoryFrames:
    """Ten frames of a textured ground; the logo is on the first four, and again on the last."""
    kept = MemoryFrames()
    noise = np.random.default_rng(2).integers(60, 160, (18, 32, 3), np.uint8)
    ground = cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC)
    for sequence in range(10):
        picture = ground.copy()
        if sequence < 4 or sequence == 9:
            picture[PLACE.y1 : PLACE.y2, PLACE.x1 : PLACE.x2] = cv2.resize(
                logo, (120, 120), interpolation=cv2.INTER_AREA
            )
        kept.save_jpeg(sequence, encode_jpeg(picture, 92))
    return kept


def match(
    frames: MemoryFrames,
    logo: np.ndarray,
    *,
    brands: tuple[KnownBrandRecord, ...] = (PICTURED, KnownBrandRecord("Velmora")),
    options: MatchBrandsOptions | None = None,
    board: Region = BOARD,
    **context: Any,
) -> MatchBrandsOutput:
    reference = cv2.imencode(".png", logo)[1].tobytes()
    known = KnownBrands(brands=brands, given=True)
    resources = Resources(load_logo=lambda key: reference)
    ctx = StageContext(SOURCE, options or MatchBrandsOptions(), frames, known, resources, **context)
    samples = [Sample(n, n / 2, "0", f"frame {n}") for n in range(10)]
    data = MatchBrandsInput(
        extract_frames=[ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []))],
        filter_scenes=[FilterScenesOutput(kept=list(range(10)), stands_for={}, cuts=[])],
        detect_edges=[DetectEdgesOutput(regions={key: [board] for key in range(10)})],
        detect_objects=[DetectObjectsOutput(regions={})],
        run_ocr=[RunOcrOutput(tracks=[])],
    )
    return MatchBrands().run(ctx, data)


def test_a_logo_is_found_where_it_is_and_says_how_it_was(frames, logo):
    found = match(frames, logo).detections
    assert [[seen.sequence for seen in one.observations] for one in found] == [[0, 1, 2, 3], [9]]
    for one in found:
        assert (one.brand, one.source, one.rule, one.placement) == ("Suncrest", "logo", "logo", "board")
        assert 0.6 <= one.confidence <= 1
        for seen in one.observations:
            assert overlap_share(seen.box, PLACE) > 0.95
            assert seen.box.area > 0.3 * PLACE.area, "the picture's margin is no part of a logo"


def test_a_large_logo_beyond_the_boards_that_were_made_out_is_found_on_some_frames_and_followed(frames, logo):
    elsewhere = Region(Box(400, 0, 640, 60), 0.9, "board")
    found = match(frames, logo, board=elsewhere).detections
    assert [[seen.sequence for seen in one.observations] for one in found] == [[0, 1, 2, 3], [9]]


def test_the_search_is_remembered_by_frames_and_reference(frames, logo):
    stored: dict[str, Any] = {}
    searched: list[str] = []

    def remember(part: str, depends_on: Any, kind: type[Any], compute: Callable[[], Any]) -> Any:
        key = repr(depends_on)
        if key not in stored:
            searched.append(part)
            stored[key] = compute()
        return stored[key]

    first = match(frames, logo, remember=remember)
    assert match(frames, logo, remember=remember) == first
    assert searched.count("logos") == 1
    match(frames, 255 - logo, remember=remember)
    assert searched.count("logos") == 2


def test_nothing_is_found_of_a_logo_that_is_not_there(frames):
    assert match(frames, np.asarray(logo_image(LOGO_BRANDS[1]))).detections == []


@pytest.fixture
def one_mark(monkeypatch, logo) -> str:
    """A catalogue that knows one brand, whose mark is what the frames show."""
    silhouette = np.asarray(255 - cv2.cvtColor(logo, cv2.COLOR_BGR2GRAY), np.uint8)

    def find_mark(spellings) -> Mark | None:
        return Mark("Sun Crest", silhouette) if "Sun Crest" in spellings else None

    monkeypatch.setattr(logo_search, "catalogue_digest", lambda: "marks of one")
    monkeypatch.setattr(logo_search, "find_mark", find_mark)
    return "Sun Crest"


def test_a_brand_without_a_picture_is_looked_for_by_its_mark(frames, logo, one_mark):
    found = match(frames, logo, brands=(KnownBrandRecord("Sol", aliases=(one_mark,)),)).detections
    assert [[seen.sequence for seen in one.observations] for one in found] == [[0, 1, 2, 3], [9]]
    assert {(one.brand, one.source, one.model) for one in found} == {("Sol", "logo", "catalogue marks marks of one")}


def test_marks_can_be_left_out_and_a_brands_own_picture_comes_first(frames, logo, one_mark):
    named = (KnownBrandRecord(one_mark),)
    assert match(frames, logo, brands=named, options=MatchBrandsOptions(catalogue_marks=False)).detections == []
    pictured = (KnownBrandRecord(one_mark, logos=PICTURED.logos),)
    assert all("features" in one.model for one in match(frames, logo, brands=pictured).detections)


def test_of_a_long_list_only_brands_that_were_read_are_looked_for(frames, logo, one_mark):
    many = (KnownBrandRecord(one_mark), *(KnownBrandRecord(f"Brand {n}") for n in range(40)))
    assert match(frames, logo, brands=many).detections == []


def test_the_catalogue_is_part_of_the_key_only_where_it_is_used(monkeypatch):
    monkeypatch.setattr(match_brands, "catalogue_digest", lambda: "marks 1.0")
    stage, resources = MatchBrands(), Resources()
    assert stage.model_digests(MatchBrandsOptions(second_looks=0), resources) == ("marks 1.0",)
    assert stage.model_digests(MatchBrandsOptions(second_looks=0, catalogue_marks=False), resources) == ()

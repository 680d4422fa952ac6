"""When logos came and went between two samples, on a small video in which that is known to the frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detect.logo_edges import LogoEdges
from detect.resources import Resources
from detect.stages.base import Image, StageContext
from detect.stages.extract_frames import ExtractFramesOutput, encode_jpeg
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOptions
from detect.synthetic import logo_image
from detect.synthetic.brands import LOGO_BRANDS
from detect.types import Box, BrandDetection, FrameSignals, KnownBrands, Observation, Sample
from tests.media.clips import write_clip
from tests.stages.memory_frames import SOURCE, MemoryFrames

RATE, SAMPLED, SAMPLES = 25, 12, 6
CAME, WENT = 17, 53  # the first frame with the logo, and the first without
SIDE = 60
PLACES = (120, 140), (400, 150)
SCENES = FilterScenesOutput(kept=list(range(SAMPLES)), stands_for={}, cuts=[])


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    noise = np.random.default_rng(2).integers(60, 160, (18, 60, 3), np.uint8)
    ground = cv2.resize(noise, (1200, 360), interpolation=cv2.INTER_CUBIC)
    logo = cv2.resize(np.asarray(logo_image(LOGO_BRANDS[0])), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    shown = []
    for number in range(SAMPLED * (SAMPLES - 1) + 1):
        world = ground.copy()
        if CAME <= number < WENT:
            for x, y in PLACES:
                world[y : y + SIDE, x : x + SIDE] = logo[:, :, :3]
        shown.append(np.ascontiguousarray(world[:, number : number + 640]))  # the camera pans a pixel a frame
    return shown


@pytest.fixture(scope="module")
def video(pictures, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("logo") / "clip.mp4"
    return write_clip(path, iter(pictures), rate=RATE, size=(640, 360), b_frames=1)


def logo_seen(sequences: range) -> BrandDetection:
    observations = [
        Observation(sequence, Box(x - SAMPLED * sequence, y, x - SAMPLED * sequence + SIDE, y + SIDE), 0.9)
        for sequence in sequences
        for x, y in PLACES
    ]
    return BrandDetection("Suncrest", "logo", 0.9, "", "board", observations, "logo", confirmed=True)


def timed(
    pictures: list[Image], path: Path | None, *logos: BrandDetection, **context: Any
) -> tuple[list[BrandDetection], LogoEdges]:
    frames = MemoryFrames()
    for sequence in range(SAMPLES):
        frames.save_jpeg(sequence, encode_jpeg(pictures[SAMPLED * sequence], 92))
    ctx = StageContext(SOURCE, MatchBrandsOptions(), frames, KnownBrands(), Resources(), **context)
    samples = [Sample(n, n * SAMPLED / RATE, "0", f"frame {n}", (n * SAMPLED + 1) / RATE) for n in range(SAMPLES)]
    extracted = ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []))
    edges = LogoEdges(ctx, None if path is None else str(path))
    return edges.timed(logos, extracted, SCENES), edges


def test_a_logo_is_timed_to_a_tenth_of_a_second(pictures, video):
    (found,), edges = timed(pictures, video, logo_seen(range(2, 5)))
    assert not edges.missing
    assert found.appears is not None
    assert found.vanishes is not None
    for edge, frame in ((found.appears, CAME), (found.vanishes, WENT)):
        assert abs(edge.time - frame / RATE) <= max(edge.uncertainty, 1 / RATE) + 1e-6
        assert edge.uncertainty <= 0.1


def test_a_logo_that_goes_on_beyond_its_sights_has_no_edge_there(pictures, video):
    (found,), _ = timed(pictures, video, logo_seen(range(3, 4)))
    assert (found.appears, found.vanishes) == (None, None)


def test_without_the_video_edges_stay_as_they_are_and_are_tried_again(pictures, tmp_path):
    seen = logo_seen(range(2, 5))
    for path in (None, tmp_path / "gone.mp4"):
        found, edges = timed(pictures, path, seen)
        assert found == [seen]
        assert edges.missing


def test_what_was_found_is_remembered_and_what_was_missed_is_not(pictures, video):
    stored: dict[str, Any] = {}

    def remember(part: str, depends_on: Any, kind: type[Any], compute: Callable[[], Any]) -> Any:
        return stored[part] if part in stored else stored.setdefault(part, compute())

    seen = logo_seen(range(2, 5))
    timed(pictures, None, seen, remember=remember)
    assert stored == {}
    found, _ = timed(pictures, video, seen, remember=remember)
    assert timed(pictures, None, seen, remember=remember)[0] == found

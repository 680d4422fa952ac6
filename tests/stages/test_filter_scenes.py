"""Cuts to the frame, near-duplicates with what stands for them, useless frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect.resources import Resources
from detect.stages.base import Chunk, StageContext
from detect.stages.extract_frames import ExtractFramesOutput, encode_jpeg, perceptual_hash
from detect.stages.filter_scenes import FilterScenes, FilterScenesInput, FilterScenesOptions, find_cuts
from detect.types import FrameSignals, KnownBrands, Sample
from tests.stages.memory_frames import SOURCE, MemoryFrames


def signals(changes: list[float]) -> FrameSignals:
    times = [index / 25 for index in range(len(changes))]
    return FrameSignals(times, changes, [0.0] * len(changes), [100.0] * len(changes))


def test_a_cut_is_one_large_change_among_small_ones():
    assert find_cuts(signals([0, 1, 2, 40, 1, 2, 1]), 14, 3) == [3 / 25]


def test_a_fast_pan_a_flash_free_shot_and_a_still_have_no_cut():
    assert find_cuts(signals([0, 30, 32, 29, 31, 33, 30]), 14, 3) == []
    assert find_cuts(signals([0, 3, 4, 3, 2, 13]), 14, 3) == []
    assert find_cuts(signals([]), 14, 3) == []


def run(images: list[np.ndarray], changes: list[float] | None = None, **options: Any):
    frames = MemoryFrames()
    samples = []
    for sequence, image in enumerate(images):
        frames.save_jpeg(sequence, encode_jpeg(image, 95))
        samples.append(Sample(sequence, sequence / 2, perceptual_hash(image), str(sequence)))
    context = StageContext(
        SOURCE, FilterScenesOptions(**options), frames, KnownBrands(), resources=Resources(), chunk=Chunk(0)
    )
    extracted = ExtractFramesOutput(samples=samples, signals=signals(changes or []))
    return FilterScenes().run(context, FilterScenesInput(extracted))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    small = np.random.default_rng(5).integers(0, 255, (18, 32, 3), np.uint8)
    return np.kron(small, np.ones((20, 20, 1), np.uint8))


def test_the_same_picture_again_is_stood_for_by_the_first(picture):
    out = run([picture, picture, picture])
    assert (out.kept, out.stands_for) == ([0], {1: 0, 2: 0})


def test_a_board_that_changes_in_a_still_picture_is_kept(picture):
    changed = picture.copy()
    changed[300:330, 100:260] = 255 - changed[300:330, 100:260]
    assert run([picture, changed]).kept == [0, 1]


def test_frames_without_detail_are_dropped_and_nothing_stands_for_them(picture):
    out = run([np.zeros_like(picture), picture, np.full_like(picture, 255)])
    assert (out.kept, out.stands_for) == ([1], {})
    assert out.stats["useless"] == 2


def test_near_duplicates_do_not_reach_over_a_cut(picture):
    changes = [0.0] * 10 + [60.0] + [0.0] * 10
    out = run([picture, picture], changes=changes)
    assert out.cuts == [10 / 25]
    assert out.kept == [0, 1]


@given(st.lists(st.sampled_from([0, 1, 2, 3]), max_size=12))
def test_every_frame_is_kept_stood_for_or_useless_and_once(choices):
    rng = np.random.default_rng(7)
    pictures = [np.kron(rng.integers(0, 255, (9, 16, 3), np.uint8), np.ones((10, 10, 1), np.uint8)) for _ in range(3)]
    pictures.append(np.zeros_like(pictures[0]))
    out = run([pictures[choice] for choice in choices])
    useless = [index for index, choice in enumerate(choices) if choice == 3]
    assert sorted([*out.kept, *out.stands_for]) == [n for n in range(len(choices)) if n not in useless]
    assert all(choices[dropped] == choices[kept] and kept < dropped for dropped, kept in out.stands_for.items())

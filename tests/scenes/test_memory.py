"""Pictures are let go as soon as they were looked at: memory does not grow with the video."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faces.test_detect_faces import detect
from tests.media.clips import write_clip
from tests.scenes.clips import find_cuts

SHORT, LONG = 60, 300
# What one small picture takes that the stages look at.
PICTURE = 128 * 96 * 3


@pytest.mark.parametrize("look", [find_cuts, detect], ids=["find_cuts", "detect_faces"])
def test_no_picture_is_kept(look: Callable[[Path], object], tmp_path: Path) -> None:
    def peak(frames: int) -> int:
        video = write_clip(tmp_path / f"{frames}.mp4", frames)
        look(video)  # whatever is loaded once
        tracemalloc.start()
        look(video)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(LONG) - peak(SHORT) < (LONG - SHORT) * PICTURE / 20

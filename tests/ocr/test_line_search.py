"""Which pictures are searched for lines, ahead or when asked; the number of threads makes no difference."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from detect.board_lines import BoardSearch
from detect.errors import FrameMissingError
from detect.line_search import LineSearch, LineSearcher
from detect.stages.extract_frames import encode_jpeg
from detect.text_following import Follow
from detect.types import Box, Region
from tests.stages.memory_frames import MemoryFrames

SHOTS = [[0, 1, 2, 3, 4, 5], [6], [7, 8, 9, 10, 11, 12, 13, 14]]
PLANNED = [0, 2, 4, 5, 6, 7, 9, 11, 13, 14]
BOARD = Region(Box(0, 100, 200, 120), 0.9, "board")


class Finder:
    """Finds one line in each picture, as far to the right as the picture is bright; counts what it is asked."""

    def __init__(self) -> None:
        self.pictures = self.sheets = 0
        self.threads: set[str] = set()
        self._lock = threading.Lock()

    def detect(self, image: np.ndarray, *, long_side: int, box_threshold: float) -> list[tuple[np.ndarray, float]]:
        with self._lock:
            self.threads.add(threading.current_thread().name)
            self.pictures += long_side == 640
            self.sheets += long_side != 640
        left = float(image.mean())
        return [(np.array([[left, 5], [left + 50, 5], [left + 50, 25], [left, 25]], np.float32), box_threshold)]


def searcher(threads: int, *, boards_every: int = 0) -> tuple[LineSearcher, Finder]:
    frames, finder = MemoryFrames(), Finder()
    for sequence in range(15):
        frames.save_jpeg(sequence, encode_jpeg(np.full((360, 640, 3), 10 * sequence, np.uint8), 95))
    follow = Follow(min_similarity=0.7, min_anchor_similarity=0.5, max_misses=2, reach=1.5, detect_every=2)
    search = LineSearch(640, 0.5, boards_every, BoardSearch(below=44, height=64, limit=4, line_threshold=0.5))
    boards = {sequence: [BOARD] for sequence in range(15)}
    ocr: Any = finder
    return LineSearcher(ocr, frames, boards, SHOTS, follow, search, threads=threads), finder


def lines_of(lines: LineSearcher, asked: Sequence[int]) -> list[tuple[float, int]]:
    """How bright the line and the picture of each are."""
    found = [lines.search(sequence) for sequence in asked]
    return [(round(float(one.lines[0][0][0][0])), round(float(one.image.mean()))) for one in found]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("asked", [PLANNED, list(range(15)), [0, 1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14]])
def test_each_picture_gives_its_own_lines_whether_it_was_searched_ahead_or_not(threads, asked):
    lines, finder = searcher(threads)
    with lines:
        assert lines_of(lines, asked) == [(10 * sequence, 10 * sequence) for sequence in asked]
    assert finder.pictures == lines.count == len(asked)


def test_pictures_are_searched_ahead_on_threads_and_those_between_when_asked_for():
    lines, finder = searcher(2)
    with lines:
        lines.search(0)
        assert finder.threads <= {"in-order_0", "in-order_1"}
        lines.search(1)
    assert threading.current_thread().name in finder.threads
    assert finder.pictures < len(PLANNED), "what nobody asks for any more is not searched"


@pytest.mark.parametrize(("boards_every", "sheets"), [(0, 0), (1, 8), (2, 8), (3, 5), (4, 5)])
def test_low_boards_are_enlarged_on_pictures_searched_in_any_case_that_lie_so_far_apart(boards_every, sheets):
    lines, finder = searcher(2, boards_every=boards_every)
    with lines:
        lines_of(lines, list(range(15)))
    assert finder.sheets == sheets


def test_a_frame_that_is_missing_is_told_where_it_is_asked_for():
    lines, _ = searcher(2)
    with lines, pytest.raises(FrameMissingError):
        lines.search(99)

"""Lettering on low boards: enlarged, searched on one sheet, told where it is in the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from detect.board_lines import BoardSearch, add_missed, find_board_lines
from detect.engines.ocr import OcrEngine, native_precision
from detect.types import Box, Region

SEARCH = BoardSearch(below=44, height=64, limit=4, line_threshold=0.5)
NAMES = ("VELMORA", "TAKVIA", "HEXALUNE")


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return OcrEngine(threads=2, precision=native_precision())


def boards(names: tuple[str, ...], height: int) -> tuple[np.ndarray, list[Region]]:
    """A picture with a board for each name, one below the other, drawn large and shrunk to ``height`` pixels."""
    image = np.full((360, 640, 3), (60, 120, 60), np.uint8)
    regions = []
    for number, name in enumerate(names):
        large = np.full((96, 900, 3), 245, np.uint8)
        cv2.putText(large, name, (60 + 90 * number, 74), cv2.FONT_HERSHEY_DUPLEX, 2.2, (20, 20, 20), 5, cv2.LINE_AA)
        left, top, width = 40, 60 + 100 * number, round(900 * height / 96)
        image[top : top + height, left : left + width] = cv2.resize(
            large, (width, height), interpolation=cv2.INTER_AREA
        )
        regions.append(Region(Box(left, top, left + width, top + height), 0.9, "board"))
    return image, regions


def test_each_board_has_its_line_where_it_is_in_the_picture(engine):
    image, regions = boards(NAMES, 16)
    lines = find_board_lines(engine, image, regions, [], SEARCH)
    assert len(lines) == len(NAMES)
    for number, region in enumerate(regions):
        inside = [
            quad for quad, _ in lines if region.box.y1 - 4 <= quad[:, 1].min() and quad[:, 1].max() <= region.box.y2 + 4
        ]
        assert len(inside) == 1
        begins = region.box.x1 + (60 + 90 * number) * 16 / 96
        assert abs(float(inside[0][:, 0].min()) - begins) < 8


def test_boards_too_long_for_one_sheet_are_each_found_where_they_are(engine):
    image, regions = boards(NAMES, 16)
    long = [Region(Box(0, board.box.y1, 600, board.box.y2), 0.9, "board") for board in regions]
    lines = find_board_lines(engine, image, long, [], SEARCH)
    begins = sorted((float(quad[:, 1].mean()), float(quad[:, 0].min())) for quad, _ in lines)
    assert len(begins) == len(NAMES)
    for number, (middle, left) in enumerate(begins):
        assert abs(middle - (68 + 100 * number)) < 6
        assert abs(left - (40 + (60 + 90 * number) * 16 / 96)) < 8


def test_boards_that_are_high_enough_are_left_to_the_whole_picture(engine):
    image, regions = boards(NAMES[:1], 60)
    assert find_board_lines(engine, image, regions, [], SEARCH) == []
    assert find_board_lines(engine, image, [], [], SEARCH) == []


def test_boards_that_were_read_all_along_are_not_searched_again(engine):
    image, regions = boards(NAMES, 16)
    box = regions[1].box
    whole = np.array([[box.x1, box.y1], [box.x2, box.y1], [box.x2, box.y2], [box.x1, box.y2]], np.float32)
    little = whole.copy()
    little[1:3, 0] = box.x1 + 0.2 * box.width
    for found, searched in ((whole, 2), (little, 3)):
        assert len(find_board_lines(engine, image, regions, [(found, 0.9)], SEARCH)) == searched


def test_the_order_of_boards_does_not_matter(engine):
    image, regions = boards(NAMES, 16)
    found = (find_board_lines(engine, image, order, [], SEARCH) for order in (regions, regions[::-1]))
    there, back = (sorted((quad for quad, _ in lines), key=lambda quad: quad[0][1]) for lines in found)
    assert np.allclose(there, back, atol=1)


def test_a_line_that_was_found_already_is_not_added():
    quad = np.array([[10, 10], [110, 10], [110, 30], [10, 30]], np.float32)
    beside = quad + np.array([0, 40], np.float32)
    assert add_missed([(quad, 0.9)], [(quad + 1, 0.8), (beside, 0.7)]) == [(quad, 0.9), (beside, 0.7)]

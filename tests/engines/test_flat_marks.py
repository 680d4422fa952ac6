"""Marks in one colour on boards, by their silhouette."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from detect.drawing.typeset import Face, set_text
from detect.engines.flat_marks import FlatMarkFinder
from detect.geometry import iou
from detect.stages.base import Image
from detect.types import Box, Region

VIOLET, WHITE = (200, 60, 80), (250, 250, 250)
STRIP = np.array([(60, 150), (580, 138), (580, 164), (60, 178)], np.float32)
FLAT = np.array([(0, 0), (2080, 0), (2080, 112), (0, 112)], np.float32)
WAY = cv2.getPerspectiveTransform(FLAT, STRIP)
BOARD = Region(Box(60, 138, 580, 178), 0.9, "board", ((60, 150), (580, 138), (580, 164), (60, 178)))


def stripes() -> Image:
    """Three leaning bars, each longer than the one before."""
    shape = np.zeros((160, 240), np.uint8)
    for left, top in ((0, 110), (60, 60), (120, 0)):
        right = left + round((160 - top) * 0.55)
        cv2.fillPoly(shape, [np.array([(left, top + 20), (left + 45, top), (right + 45, 159), (right, 159)])], 255)
    return shape


def scene(shape: Image, *, ink=WHITE, ground=VIOLET, height=20, blur=0.7, places=(80, 240, 400)) -> Image:
    """A leaning board on a lawn with ``shape`` on it, ``height`` of its 28 rows high."""
    strip = np.full((112, 2080, 3), ground, np.uint8)
    width = round(4 * height * shape.shape[1] / shape.shape[0])
    mask = cv2.resize(shape, (width, 4 * height), interpolation=cv2.INTER_AREA)[..., None] / 255
    top = (112 - 4 * height) // 2
    for place in places:
        part = strip[top : top + 4 * height, 4 * place : 4 * place + width]
        part[:] = np.round(part * (1 - mask) + np.array(ink) * mask)
    picture = np.full((360, 640, 3), (40, 120, 60), np.uint8)
    smooth = cv2.GaussianBlur(strip, (0, 0), 1.8)
    drawn = cv2.warpPerspective(smooth, WAY, (640, 360))
    covered = cv2.warpPerspective(np.full(strip.shape[:2], 255, np.uint8), WAY, (640, 360)) > 127
    picture[covered] = drawn[covered]
    noise = np.random.default_rng(3).normal(0, 3, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), blur) + noise, 0, 255).astype(np.uint8)


def shown_at(place: int, height: int = 20) -> Box:
    """Where a mark put at ``place`` is in the picture."""
    left, right, top = 4 * place, 4 * place + 6 * height, 56 - 2 * height
    corners = np.array([[(left, top), (right, top), (right, 112 - top), (left, 112 - top)]], np.float32)
    return Box.from_points([(float(x), float(y)) for x, y in cv2.perspectiveTransform(corners, WAY)[0]])


def sure(picture: Image, finder: FlatMarkFinder, board: Region = BOARD) -> list:
    return [match for match in finder.find(picture, [board]) if match.confidence >= 0.6]


@pytest.fixture(scope="module")
def finder() -> FlatMarkFinder:
    return FlatMarkFinder([("Trio", stripes())])


@pytest.mark.parametrize(
    "look",
    [{}, {"ink": (20, 20, 20), "ground": (230, 230, 230)}, {"height": 15}, {"height": 24}, {"blur": 1.3}],
    ids=["white on violet", "black on white", "small", "large", "blurred"],
)
def test_a_mark_is_found_each_time_a_board_shows_it(finder, look):
    found = sure(scene(stripes(), **look), finder)
    assert len(found) == 3 and {match.brand for match in found} == {"Trio"}
    height = look.get("height", 20)
    boxes = sorted((match.box for match in found), key=lambda box: box.x1)
    assert all(iou(box, shown_at(place, height)) > 0.6 for box, place in zip(boxes, (80, 240, 400), strict=True))


def test_the_box_is_where_the_mark_is(finder):
    match = sure(scene(stripes(), places=(240,)), finder)[0]
    assert iou(match.box, shown_at(240)) > 0.7
    assert match.correlation > 0.945 and match.gain > 2.4


@pytest.mark.parametrize("text", ["AMA", "WAVE", "VIA", "III", "NIKA 27", "O"])
def test_lettering_is_no_mark(finder, text):
    assert sure(scene(set_text(text, Face("sans", 700), 160).mask), finder) == []


@pytest.mark.parametrize("thickness", [-1, 20])
def test_a_plain_disc_is_never_proof_of_anything(thickness):
    disc = cv2.circle(np.zeros((160, 160), np.uint8), (80, 80), 68, 255, thickness)
    assert sure(scene(disc), FlatMarkFinder([("Round", disc)])) == []


def test_only_boards_are_searched_and_what_is_too_small_is_not_told(finder):
    picture = scene(stripes())
    assert finder.find(picture, []) == []
    assert finder.find(picture, [Region(Box(60, 250, 580, 280), 0.9, "board")]) == []
    assert sure(scene(stripes(), height=7), finder) == []


def test_a_board_without_corners_is_taken_as_its_box(finder):
    level = cv2.warpPerspective(
        scene(stripes()),
        cv2.getPerspectiveTransform(STRIP, np.array([(60, 150), (580, 150), (580, 178), (60, 178)], np.float32)),
        (640, 360),
    )
    assert len(sure(level, finder, Region(Box(60, 150, 580, 178), 0.9, "board"))) == 3


def test_the_same_picture_gives_the_same_matches_and_digests_tell_marks_apart(finder):
    picture = scene(stripes())
    before = picture.copy()
    assert finder.find(picture, [BOARD]) == FlatMarkFinder([("Trio", stripes())]).find(picture, [BOARD])
    assert np.array_equal(picture, before)
    others = [FlatMarkFinder([("Duo", stripes())]), FlatMarkFinder([("Trio", stripes()[:, ::-1].copy())])]
    assert len({finder.digest, *(other.digest for other in others)}) == 3

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.engines.board_overlays import draw_edges, draw_lines
from detect.engines.boards import BoardOptions, find_boards
from detect.engines.lines import find_lines, working_picture
from detect.stages.base import Image
from detect.types import Region
from tests.engines.scenes import Quad, board, cover, ground, leaning, paste
from tests.engines.test_objects import frame_at

BLUE, RED, WHITE, BLACK = (150, 60, 10), (40, 30, 190), (235, 235, 235), (25, 25, 25)
PANELS = ["NORVIK", "Teal&Co", "ORBITAL", "fjord air"]


def best_cover(quad: Quad, regions: list[Region]) -> tuple[float, float]:
    """How much of ``quad`` the best region covers, and how much of that region is ``quad``."""
    return max(((cover(quad, r.quad), cover(r.quad, quad)) for r in regions), default=(0.0, 0.0))


@pytest.mark.parametrize("degrees", [-14.0, -5.0, 0.0, 3.0, 10.0, 20.0])
@pytest.mark.parametrize("far", [1.0, 0.75])
def test_a_strip_is_found_at_any_camera_angle(degrees: float, far: float) -> None:
    truth = leaning(200, 310 - 440 * math.tan(math.radians(degrees)), 880, 46, degrees, far)
    scene = paste(ground(horizon=0.35), board(PANELS, [BLUE]), truth)
    findings = find_boards(cv2.GaussianBlur(scene, (0, 0), 0.8))
    found, inside = best_cover(truth, findings.regions)
    assert found > 0.85 and inside > 0.7


@pytest.mark.parametrize("colours", [[BLUE], [WHITE], [BLACK], [RED, WHITE, BLUE, BLACK]])
def test_colours_and_changing_panels_do_not_matter(colours: list[tuple[int, int, int]]) -> None:
    truth = leaning(0, 250, 1280, 34, 1.5)
    scene = paste(ground(), board(PANELS * 2, colours, width=1280, height=40), truth)
    found, inside = best_cover(truth, find_boards(scene).regions)
    assert found > 0.8 and inside > 0.75


def test_a_dark_stand_hides_nothing() -> None:
    truth = leaning(300, 330, 600, 44, 2)
    scene = paste(ground(), board(PANELS[:2], [RED], width=600), truth)
    found, _ = best_cover(truth, find_boards((scene * 0.3).astype(np.uint8)).regions)
    assert found > 0.8


def test_players_in_front_do_not_cut_a_strip() -> None:
    truth = leaning(0, 300, 1280, 44, 1)
    scene = paste(ground(), board(PANELS * 2, [BLUE, WHITE], width=1280), truth)
    for x in (260, 610, 980):
        cv2.ellipse(scene, (x, 330), (16, 60), 0, 0, 360, (210, 220, 240), -1)
    found, inside = best_cover(truth, find_boards(scene).regions)
    assert found > 0.8 and inside > 0.75


def test_free_standing_boards_are_found_one_by_one() -> None:
    places = [leaning(120, 430, 190, 52, 0), leaning(520, 450, 200, 56, -3), leaning(900, 420, 220, 60, 4)]
    scene = ground()
    for text, colour, place in zip(PANELS, [BLUE, WHITE, BLACK], places, strict=False):
        scene = paste(scene, board([text], [colour], width=420, height=110), place)
    regions = find_boards(scene).regions
    assert all(best_cover(place, regions)[0] > 0.8 for place in places)


def marked_pitch() -> Image:
    scene = ground(horizon=0.0)
    for start, end in [((0, 200), (1280, 180)), ((0, 420), (900, 330)), ((300, 700), (1280, 560))]:
        cv2.line(scene, start, end, (235, 240, 235), 6, cv2.LINE_AA)
    cv2.ellipse(scene, (640, 420), (260, 90), 0, 0, 360, (235, 240, 235), 5, cv2.LINE_AA)
    return scene


@pytest.mark.parametrize(
    "scene",
    [np.zeros((720, 1280, 3), np.uint8), marked_pitch(), ground(horizon=0.0), ground(horizon=0.5), ground(horizon=1.0)],
    ids=["black", "marks", "grass", "grass and crowd", "crowd"],
)
def test_nothing_is_found_where_no_board_is(scene: Image) -> None:
    assert find_boards(scene).regions == []


def test_a_board_without_lettering_is_not_worth_reading() -> None:
    truth = leaning(200, 330, 800, 44, 2)
    blank = paste(ground(), np.full((60, 800, 3), BLUE, np.uint8), truth)
    assert best_cover(truth, find_boards(blank).regions)[0] < 0.3


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-25, 25), st.integers(100, 500), st.integers(0, 200), st.integers(300, 1000), st.sampled_from([640, 1280])
)
def test_a_drawn_line_is_found_where_it_is(degrees: float, y: int, x: int, length: int, work_width: int) -> None:
    image = np.full((720, 1280, 3), 60, np.uint8)
    rise = length * np.tan(np.radians(degrees))
    below = np.array([(x, y), (x + length, y + rise), (x + length, 2000), (x, 2000)]).round().astype(np.int32)
    cv2.fillPoly(image, [below], (120, 150, 90), cv2.LINE_AA)
    picture, factor = working_picture(image, work_width)
    visible = min(length, int((720 - y) / np.tan(np.radians(degrees))) if degrees > 0 and y + rise > 720 else length)
    visible = min(visible, int(y / np.tan(np.radians(-degrees))) if degrees < 0 and y + rise < 0 else visible)
    if visible < 250:
        return
    lines = find_lines(picture, max_angle_degrees=30, min_length=40, max_hole=40, sensitivity=3)
    x1, y1, x2, y2 = (lines.ends[0] * factor).tolist()
    slope = np.tan(np.radians(degrees))
    assert abs(y1 - (y + slope * (x1 - x))) < 4 and abs(y2 - (y + slope * (x2 - x))) < 4
    assert x1 - x < 0.1 * length + 12 and x + visible - x2 < 0.1 * length + 12
    assert lines.support[0] > 0.8


@pytest.mark.parametrize("size", [(3840, 2160), (1124, 648), (641, 361)])
def test_regions_are_in_pixels_of_the_picture_whatever_its_size(size: tuple[int, int]) -> None:
    truth = leaning(100, 300, 1000, 50, 2)
    scene = cv2.resize(paste(ground(), board(PANELS, [BLUE, WHITE]), truth), size, interpolation=cv2.INTER_AREA)
    scaled = truth * [size[0] / 1280, size[1] / 720]
    regions = find_boards(scene).regions
    assert best_cover(scaled, regions)[0] > 0.85
    for region in regions:
        box = region.box
        assert 0 <= box.x1 < box.x2 <= size[0] and 0 <= box.y1 < box.y2 <= size[1]
        assert box.from_points(region.quad) == box
        assert region.label == "board" and 0.4 <= region.confidence <= 1


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 2), (2, 64), (200, 40)])
def test_tiny_pictures_hold_no_boards(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    assert find_boards(image).regions == []


@pytest.fixture(scope="module")
def crowded() -> Image:
    scene = ground()
    for index, degrees in enumerate((-2.0, 0.0, 12.0)):
        place = leaning(40, 320 + 100 * index, 700, 40, degrees)
        scene = paste(scene, board(PANELS, [BLUE, WHITE, RED]), place)
    return scene


def test_options_do_what_they_say(crowded: Image) -> None:
    everything = find_boards(crowded, BoardOptions(min_confidence=0.0, max_regions=100))
    assert len(everything.regions) >= 3
    assert [r.confidence for r in everything.regions] == sorted(
        (r.confidence for r in everything.regions), reverse=True
    )
    assert len(find_boards(crowded, BoardOptions(max_regions=2)).regions) == 2
    sure = find_boards(crowded, BoardOptions(min_confidence=0.7)).regions
    assert sure and all(region.confidence >= 0.7 for region in sure)
    level = find_boards(crowded, BoardOptions(max_angle_degrees=5))
    assert all(abs(y2 - y1) <= np.tan(np.radians(5.2)) * (x2 - x1) for x1, y1, x2, y2 in level.segments)
    assert all(region.quad[1][1] - region.quad[0][1] < 60 for region in level.regions)
    long = find_boards(crowded, BoardOptions(min_length_share=0.5)).regions
    assert long and all(region.box.width >= 0.45 * 1280 for region in long)
    low = find_boards(crowded, BoardOptions(max_gap_share=0.04))
    assert all(region.quad[3][1] - region.quad[0][1] <= 0.045 * 720 for region in low.regions)
    assert find_boards(crowded, BoardOptions(min_gap_share=0.1)).regions != everything.regions


def test_the_same_picture_gives_the_same_findings(crowded: Image) -> None:
    before = crowded.copy()
    assert find_boards(crowded) == find_boards(crowded.copy())
    assert np.array_equal(crowded, before)


def test_overlays_show_what_was_found(crowded: Image) -> None:
    findings = find_boards(crowded)
    assert findings.pairs > 0 and findings.segments and findings.lines
    edges, lines = draw_edges(crowded, findings), draw_lines(crowded, findings)
    dark = cv2.convertScaleAbs(crowded, alpha=0.5)
    assert edges.shape == lines.shape == crowded.shape
    assert edges.dtype == lines.dtype == np.uint8
    for x1, y1, x2, y2 in findings.lines[:5]:
        x, y = round((x1 + x2) / 2), round((y1 + y2) / 2)
        patch = slice(max(0, y - 2), y + 3), slice(max(0, x - 2), x + 3)
        assert not np.array_equal(lines[patch], dark[patch])
    assert not np.array_equal(edges, dark)
    corner = findings.regions[0].quad[0]
    assert not np.array_equal(lines[corner[1] - 2 : corner[1] + 3, corner[0] : corner[0] + 9],
                              dark[corner[1] - 2 : corner[1] + 3, corner[0] : corner[0] + 9])  # fmt: skip


# Lettering that a person sees on boards, as x1, y1, x2, y2 in the frame at that second.
SEEN = [
    ("soccer_realmadrid_sevilla.mp4", 9.0, [(160, 178, 330, 199), (465, 176, 577, 196), (712, 173, 878, 196)]),
    ("soccer_realmadrid_sevilla.mp4", 17.0, [(338, 205, 572, 238), (640, 215, 775, 275), (900, 318, 1070, 375)]),
    ("cricket_ipl_srh_mi.mp4", 6.0, [(515, 234, 567, 254), (702, 233, 755, 254), (940, 240, 1020, 260)]),
    ("cricket_ipl_srh_mi.mp4", 6.0, [(215, 165, 355, 198), (810, 234, 860, 254), (395, 234, 440, 250)]),
]


@pytest.mark.parametrize(("clip", "seconds", "lettering"), SEEN)
def test_real_lettering_lies_in_regions(
    real_media: Path, clip: str, seconds: float, lettering: list[tuple[int, int, int, int]]
) -> None:
    image = frame_at(real_media / clip, seconds)
    regions = find_boards(image).regions
    assert len(regions) <= 9
    mask = np.zeros(image.shape[:2], np.uint8)
    for region in regions:
        cv2.fillPoly(mask, [np.array(region.quad, np.int32)], 1)
    for x1, y1, x2, y2 in lettering:
        assert mask[y1:y2, x1:x2].mean() > 0.6, (x1, y1, x2, y2)
    assert mask.mean() < 0.25

"""Cameras, lettering and who covers what."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detect.drawing.typeset import Face, FontMissingError, set_text
from detect.synthetic.boards import PlacedMark, Row
from detect.synthetic.camera import Camera, CameraPath
from detect.synthetic.figures import RUN_POSES, STANDING, Kit, sprite
from detect.synthetic.sightline import effective_size, grid_in, on_top, seen_on_row

CAMERA = Camera.look((3.0, -40.0, 12.0), (0.0, 20.0, 0.0), 1500.0, 1280, 720)


def test_the_target_is_in_the_middle_and_right_is_right_and_up_is_up() -> None:
    pixels, depth = CAMERA.project([(0, 20, 0), (1, 20, 0), (0, 20, 1)])
    assert pixels[0] == pytest.approx((640, 360))
    assert pixels[1, 0] > 640
    assert pixels[2, 1] < 360
    assert depth[0] == pytest.approx(math.dist((3, -40, 12), (0, 20, 0)))


def test_a_planes_homography_agrees_with_projecting_its_points() -> None:
    plane = CAMERA.plane((5.0, 30.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    homogeneous = plane @ np.array([2.5, 0.75, 1.0])
    expected, _ = CAMERA.project([(7.5, 30.0, 0.75)])
    assert homogeneous[:2] / homogeneous[2] == pytest.approx(expected[0])


def test_far_ground_approaches_the_horizon_from_below() -> None:
    pixels, _ = CAMERA.project([(0, 1e3, 0), (0, 1e6, 0)])
    assert pixels[0, 1] > pixels[1, 1] > CAMERA.horizon() - 1
    assert pixels[1, 1] == pytest.approx(CAMERA.horizon(), abs=0.5)


def test_a_camera_path_moves_without_jumps() -> None:
    path = CameraPath(
        (0, -60, 18), (4, 22, 0), 2000, drift=(1, 0, 0), sway=2, sway_phase=1.0, whip=20, whip_at=2, zoom=0.2
    )
    points = [path.at(step / 100, 1280, 720).axis_point(80) for step in range(500)]
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert points[0][0] == pytest.approx(path.target[0], abs=0.5)
    assert steps.max() < 1.0


@pytest.mark.parametrize("family", ["sans", "italic", "uni", "serif", "wide", "mono", "book", "roman"])
def test_capitals_are_as_tall_as_asked(family: str) -> None:
    letters = set_text("HEXE", Face(family), 60)
    assert letters.cap == pytest.approx(60, abs=3)
    assert letters.mask.shape[0] == pytest.approx(60, abs=4)
    assert letters.mask.max() == 255


def test_letters_below_the_line_do_not_count_as_height() -> None:
    low, plain = set_text("Hpgq", Face(), 60), set_text("H", Face(), 60)
    assert low.cap == pytest.approx(plain.cap, abs=2)
    assert low.mask.shape[0] > plain.mask.shape[0] + 8


def test_an_unknown_face_is_named() -> None:
    with pytest.raises(FontMissingError, match="gothic"):
        set_text("A", Face("gothic"), 20)


def _row_mark(owners_value: int, covered_columns: slice | None = None) -> float:
    """Visible part of a name on a board straight ahead, with some columns of it covered by surface 9."""
    camera = Camera.look((0.0, -20.0, 0.5), (0.0, 0.0, 0.5), 400.0, 400, 200)
    row = Row(3, (-2.0, 0.0, 0.0), (1.0, 0.0, 0.0), ())
    owners = np.full((200, 400), owners_value, np.uint8)
    if covered_columns is not None:
        owners[:, covered_columns] = 9
    mark = PlacedMark("Velmora", "board", (0.0, 0.2, 4.0, 0.8), (0.0, 0.0, 4.0, 1.0), 0.6, 1.0)
    seen = seen_on_row(row, [mark], {"Velmora": 7}, camera, owners, 0.0)
    return seen[0].visible if seen else 0.0


def test_a_mark_is_visible_as_far_as_nothing_covers_it() -> None:
    assert _row_mark(3) == 1
    assert _row_mark(3, slice(160, 200)) == pytest.approx(0.5, abs=0.05)
    assert _row_mark(9) == 0


def test_a_mark_cut_by_the_pictures_edge_is_visible_in_part() -> None:
    owners = np.ones((50, 50), np.uint8)
    points = grid_in(-20, 10, 20, 30)
    assert float(on_top(points, owners, 1).mean()) == pytest.approx(0.5, abs=0.03)


def test_letters_pressed_together_count_as_smaller() -> None:
    assert effective_size(20, 200, 7) == 20
    assert effective_size(20, 35, 7) == pytest.approx(7.5)
    assert effective_size(40, 25, 0) == 25


@pytest.mark.parametrize("pose", [*range(RUN_POSES), STANDING])
def test_figures_stand_upright_in_their_kit(pose: int) -> None:
    figure = sprite(Kit("#c4202e", "#ffffff", "#ffffff", "#c4202e", "#ffffff"), pose, "front", 1, 100)
    alpha = figure[:, :, 3]
    rows = np.flatnonzero(alpha.max(axis=1) > 127)
    assert 10 <= rows[0] <= 20
    assert rows[-1] > 185
    chest = figure[60:80, 55:65, :3].reshape(-1, 3).mean(axis=0)
    assert chest[2] > 2 * chest[0]
    assert (figure[:, :, :3] <= alpha[..., None].astype(int) + 1).all()

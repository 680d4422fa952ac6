"""LED boards: what they show, and where, while pages change and run."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from detect.synthetic.artwork import BOARD_SCALE, MIP_LEVELS, board_page, logo_image
from detect.synthetic.boards import BOARD_HEIGHT, CHANGE_SECONDS, Panel, Slot, panel_marks, panel_picture
from detect.synthetic.brands import LOGO_BRANDS, NOTICES, TEXT_BRANDS, Brand, colour
from detect.synthetic.levels import LedChange

FIRST, SECOND = TEXT_BRANDS[0], TEXT_BRANDS[1]


def _panel(change: LedChange, scroll: float = 0.0, left: float = 0.0) -> Panel:
    return Panel(left, 6.0, "led", (Slot(0.0, FIRST), Slot(4.0, SECOND, change, scroll)), (0.0, 12.0))


@pytest.mark.parametrize("change", ["cut", "fade", "roll", "wipe"])
def test_a_panel_shows_one_page_before_and_the_other_after(change: LedChange) -> None:
    panel = _panel(change)
    before, after = board_page(FIRST, 6.0).mips[0], board_page(SECOND, 6.0).mips[0]
    assert np.array_equal(panel_picture(panel, 3.99, 0), before)
    assert np.array_equal(panel_picture(panel, 4.0 + CHANGE_SECONDS, 0), after)
    assert {mark.name for mark in panel_marks(panel, 3.99)} == {FIRST.name}
    assert {mark.name for mark in panel_marks(panel, 4.0 + CHANGE_SECONDS)} == {SECOND.name}


def test_a_cut_is_instant() -> None:
    assert {mark.name for mark in panel_marks(_panel("cut"), 4.0)} == {SECOND.name}


def test_in_a_fade_both_names_show_and_together_are_whole() -> None:
    marks = {mark.name: mark for mark in panel_marks(_panel("fade"), 4.0 + 0.25 * CHANGE_SECONDS)}
    assert marks[FIRST.name].opacity == pytest.approx(0.75)
    assert marks[SECOND.name].opacity == pytest.approx(0.25)


def test_a_rolling_page_comes_from_below_and_pushes_the_other_up() -> None:
    marks = {mark.name: mark for mark in panel_marks(_panel("roll"), 4.0 + 0.5 * CHANGE_SECONDS)}
    assert marks[FIRST.name].rectangle[3] > BOARD_HEIGHT
    assert marks[SECOND.name].rectangle[1] < 0
    assert all(mark.window == (0.0, 0.0, 6.0, BOARD_HEIGHT) for mark in marks.values())


def test_a_wipe_divides_the_panel() -> None:
    marks = {mark.name: mark for mark in panel_marks(_panel("wipe"), 4.0 + 0.5 * CHANGE_SECONDS)}
    assert marks[SECOND.name].window[2] == marks[FIRST.name].window[0] == pytest.approx(3.0)


@pytest.mark.parametrize("change", ["fade", "roll", "wipe"])
@pytest.mark.parametrize("level", range(MIP_LEVELS))
def test_a_change_keeps_the_panels_size_at_every_scale(change: LedChange, level: int) -> None:
    still = panel_picture(_panel(change), 0.0, level)
    for part in (0.0, 0.1, 0.5, 0.9):
        assert panel_picture(_panel(change), 4.0 + part * CHANGE_SECONDS, level).shape == still.shape


@pytest.mark.parametrize("speed", [-1.5, 2.0])
def test_running_text_is_where_its_ink_is(speed: float) -> None:
    """The page's ink, unrolled over both panels of the strip, lies within the marks, and they move with it."""
    panels = [_panel("cut", speed), _panel("cut", speed, left=6.0)]
    for seconds in (5.0, 5.7, 6.9):
        strip = np.concatenate([panel_picture(panel, seconds, 0) for panel in panels], axis=1)
        ink = np.abs(strip.astype(int) - colour(SECOND.ink)).sum(axis=2) < 60
        columns = np.flatnonzero(ink[: round(0.9 * BOARD_SCALE)].any(axis=0)) / BOARD_SCALE
        marks = [mark for panel in panels for mark in panel_marks(panel, seconds)]
        covered = np.zeros(len(columns), bool)
        for mark in marks:
            covered |= (columns >= mark.rectangle[0] - 0.05) & (columns <= mark.rectangle[2] + 0.05)
        assert len(columns) > 50
        assert covered.all(), seconds
        assert all(mark.window == (0.0, 0.0, 12.0, BOARD_HEIGHT) for mark in marks)


@pytest.mark.parametrize("brand", [*TEXT_BRANDS, *LOGO_BRANDS, *NOTICES], ids=lambda brand: brand.name)
def test_every_page_has_its_name_inside_the_board(brand: Brand) -> None:
    page = board_page(brand, 7.5)
    assert page.marks
    for mark in page.marks:
        assert 0 <= mark.left < mark.right <= 7.5
        assert 0 <= mark.bottom < mark.top <= BOARD_HEIGHT
        assert 0.25 < mark.cap <= BOARD_HEIGHT


@pytest.mark.parametrize("brand", LOGO_BRANDS, ids=lambda brand: brand.name)
def test_wordless_logos_have_texture_to_be_found_by(brand: Brand) -> None:
    picture = logo_image(brand)
    corners = cv2.goodFeaturesToTrack(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 200, 0.05, 4)
    assert corners is not None
    assert len(corners) >= 25

"""When texts come and go between two samples, on small videos in which that is known to the frame."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from detect.between_samples import find_edges, gaps_of
from detect.edge_search import Gap
from detect.motion import cut_patch
from detect.stages.base import Image
from detect.stages.filter_scenes import FilterScenesOutput
from detect.text_tracks import Frame, Sight, Track
from detect.track_ends import Side, TrackEnd, track_ends
from detect.types import Box
from tests.media.clips import write_clip
from tests.ocr.edge_footage import (
    PLACE,
    RATE,
    SAMPLED,
    SIZE,
    STAGE,
    TEXT_AT,
    covers,
    end_of,
    extracted,
    quad,
    still,
    video,
)


def search(path: Path, *ends: TrackEnd, cuts: tuple[float, ...] = (), stands_for: dict[int, int] | None = None):
    scenes = FilterScenesOutput(kept=[], stands_for=stands_for or {}, cuts=list(cuts))
    gaps = gaps_of(ends, extracted(), scenes)
    return find_edges(str(path), gaps, scenes.cuts, 1.0, lambda: None, threads=2).edges


@pytest.mark.parametrize("change", range(SAMPLED + 2, 2 * SAMPLED, 3))
def test_a_text_that_is_switched_on_and_off_is_timed_to_a_tenth_of_a_second(tmp_path, change):
    off = change + SAMPLED
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(change <= number < off)))
    found = search(path, still("appears", 2), still("vanishes", 2))
    assert covers(found[7, "appears"], change)
    assert covers(found[7, "vanishes"], off)
    assert all(edge.uncertainty <= 0.1 for edge in found.values())


def test_another_text_in_its_place_is_not_taken_for_it(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(text="TAKVIA 8" if number < 18 else "MORVASTO"))
    assert covers(search(path, still("appears", 2))[7, "appears"], 18)


def test_the_edge_of_a_fade_lies_in_it(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(np.clip((number - 15) / 6, 0, 1))))
    edge = search(path, still("appears", 2))[7, "appears"]
    assert 15 / RATE <= edge.time <= 21 / RATE
    assert 2 / RATE / 2 <= edge.uncertainty <= 6 / RATE


def test_a_text_that_comes_in_at_the_picture_s_edge_begins_when_half_of_it_is_in(tmp_path):
    # it moves 16 pixels a frame to the left and is half inside when its middle passes the right edge
    pan = [16 * number for number in range(3 * SAMPLED + 1)]
    left = SIZE[0] + 16 * 18 - 80
    path = video(tmp_path, lambda number: STAGE.picture(pan=pan[number], at=(left, 200)))
    place, beyond = quad(left - pan[24]), quad(left - pan[12])
    end = end_of("appears", 2, STAGE.picture(pan=pan[24], at=(left, 200)), place=place, beyond=beyond)
    edge = search(path, end)[7, "appears"]
    assert abs(edge.time - 18 / RATE) <= edge.uncertainty
    assert edge.uncertainty <= 0.1


def test_a_text_that_was_covered_for_a_moment_is_less_certain(tmp_path):
    def draw(number: int) -> Image:
        picture = STAGE.picture(opacity=float(number >= 14))
        if 16 <= number < 22:
            cv2.rectangle(picture, (TEXT_AT[0] - 10, 150), (TEXT_AT[0] + 170, 260), (30, 60, 90), -1)
        return picture

    edge = search(video(tmp_path, draw), still("appears", 2))[7, "appears"]
    assert abs(edge.time - 14 / RATE) <= edge.uncertainty
    assert abs(edge.time - 22 / RATE) <= edge.uncertainty + 1 / RATE


def test_a_text_that_is_lost_at_once_may_have_moved_on(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(at=(300 if number >= 24 else 40, 200)))
    worn = end_of("appears", 2, STAGE.picture(), place=quad(), beyond=quad(301))
    assert search(path, worn) == {}


def test_a_text_that_moves_with_the_scene_and_is_lost_at_once_was_switched_off(tmp_path):
    """The camera pans by two pixels a frame; right behind the sample the board shows another text."""
    path = video(tmp_path, lambda number: STAGE.picture(pan=2 * number, text="MORVASTO" if number < 13 else "TAKVIA 8"))
    place, beyond = quad(300 - 2 * 12), quad(300 - 2 * 24)
    end = end_of("vanishes", 1, STAGE.picture(pan=24), place=place, beyond=beyond)
    assert search(path, end) == {}
    edge = search(path, replace(end, steady=True))[7, "vanishes"]
    assert covers(edge, 13)
    assert edge.uncertainty <= 0.1


def test_nothing_is_said_of_a_text_that_was_there_all_along(tmp_path):
    path = video(tmp_path, lambda _: STAGE.picture())
    assert search(path, still("appears", 2), still("vanishes", 1)) == {}


def test_nothing_is_said_where_no_frame_can_be_read(tmp_path):
    path = video(tmp_path, lambda _: STAGE.picture(), frames=SAMPLED)
    assert search(path, still("appears", 3)) == {}


def test_a_cut_between_the_samples_is_the_edge(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(number >= 18)))
    assert search(path, still("appears", 2), cuts=(15 / RATE,)) == {}
    assert search(path, still("appears", 2), cuts=(11 / RATE,)).keys() == {(7, "appears")}


def test_a_near_duplicate_shows_what_its_frame_shows(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(number < 30)))
    found = search(path, still("vanishes", 1), stands_for={2: 1})
    assert covers(found[7, "vanishes"], 30)


def test_times_are_the_file_s_own(tmp_path):
    # frames that stay for one and for three ticks by turns, and a clock that does not begin at 0
    pts = np.cumsum([0, *(1 + 2 * (number % 2) for number in range(36))]) + 1000
    seconds = (pts - pts[0]) / 50
    path = write_clip(
        tmp_path / "uneven.mkv",
        [STAGE.picture(opacity=float(number >= 18)) for number in range(37)],
        size=SIZE, pts=pts.tolist(), time_base=Fraction(1, 50),
    )  # fmt: skip
    gap = Gap(float(seconds[12]), float(seconds[13]), float(seconds[24]))
    found = find_edges(str(path), {gap: [still("appears", 2)]}, [], 1.0, lambda: None, threads=2).edges
    assert abs(found[7, "appears"].time - seconds[18]) <= found[7, "appears"].uncertainty + 1e-6


def test_a_picture_that_is_turned_is_searched_upright(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(number >= 18)), rotation=90)
    assert covers(search(path, still("appears", 2))[7, "appears"], 18)


def test_it_does_not_matter_what_else_is_searched(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(18 <= number < 30)), gop=250)
    ends = [still("appears", 2), still("vanishes", 2)]
    together = search(path, *ends)
    assert len(together) == 2
    assert {**search(path, ends[0]), **search(path, ends[1])} == together


@pytest.mark.parametrize("gop", [25, 250])
def test_it_does_not_matter_how_many_stretches_are_searched_side_by_side(tmp_path, gop):
    frames = 45 * SAMPLED + 1
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(number // 67 % 2)), frames=frames, gop=gop)
    came = [replace(still("appears", -(-change // SAMPLED)), track_id=change) for change in range(67, frames, 134)]
    gaps = gaps_of(came, extracted(frames), FilterScenesOutput(kept=[], stands_for={}, cuts=[]))
    found = [find_edges(str(path), gaps, [], 1.0, lambda: None, threads=threads).edges for threads in (1, 2, 3)]
    assert found[0] == found[1] == found[2]
    assert all(covers(edge, change) for (change, _), edge in found[0].items())
    assert len(found[0]) == len(came) == 4


def test_a_text_may_have_moved_far_where_it_is_not_known_how_it_moves(tmp_path):
    """By 50 pixels from one frame that is looked at to the next, over a line's height, and nothing told of it."""
    left, pan = 200, [25 * max(0, number - 24) for number in range(3 * SAMPLED + 1)]
    path = video(tmp_path, lambda number: STAGE.picture(pan=pan[number], at=(left, 200)))
    place = quad(left)
    end = end_of("vanishes", 2, STAGE.picture(at=(left, 200)), place=place, beyond=place + np.float32(1))
    edge = search(path, end)[7, "vanishes"]
    assert abs(edge.time - (24 + (left + 80) / 25) / RATE) <= edge.uncertainty + 1 / RATE


def test_an_end_is_where_no_other_track_goes_on():
    frames = [
        Frame(number, cv2.cvtColor(STAGE.picture(opacity=shown), cv2.COLOR_BGR2GRAY), [])
        for number, shown in enumerate((0.0, 1.0, 1.0, 1.0))
    ]
    patch = cut_patch(frames[1].gray, quad(), 128)
    track = Track(quad(), sights=[Sight(number, quad(), 0.9, found=True) for number in (1, 2)], anchors=[patch])

    def ends(places: dict[int, list[Box]]) -> list[tuple[Side, int]]:
        found = track_ends(7, track, frames, [None, None, None], places, fixed=True)
        return [(end.side, end.sequence) for end in found]

    assert ends({3: [PLACE]}) == [("appears", 1)]
    assert ends({3: [Box(0, 0, 40, 20)]}) == [("appears", 1), ("vanishes", 2)]


def test_a_text_is_steady_where_the_known_motion_of_the_camera_took_it():
    frames = [
        Frame(number, cv2.cvtColor(STAGE.picture(pan=10 * number), cv2.COLOR_BGR2GRAY), []) for number in range(3)
    ]
    pan = np.array([[1, 0, -10], [0, 1, 0], [0, 0, 1]], np.float64)

    def steady(places: list[np.ndarray], motions: list[np.ndarray | None]) -> list[bool]:
        sights = [Sight(number, place, 0.9, found=True) for number, place in enumerate(places)]
        patch = cut_patch(frames[1].gray, places[1], 128)
        seen = Track(places[-1], sights=sights, anchors=[patch])
        blank = [*frames[:2], Frame(2, np.zeros_like(frames[2].gray), [])]
        return [end.steady for end in track_ends(7, seen, blank, motions, {}, fixed=False) if end.side == "vanishes"]

    with_scene, by_itself = [quad(300), quad(290)], [quad(300), quad(320)]
    assert steady(with_scene, [pan, pan]) == [True]
    assert steady(by_itself, [pan, pan]) == [False]
    assert steady(with_scene, [pan, None]) == [False]

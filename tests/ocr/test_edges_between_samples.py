"""When texts come and go between two samples, on small videos in which that is known to the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from detect.between_samples import find_edges, gaps_of
from detect.edge_search import Gap, Side, TrackEnd, track_ends
from detect.motion import cut_patch
from detect.stages.base import Image
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.text_tracks import Frame, Sight, Track
from detect.types import Edge, FrameSignals, Sample
from tests.media.clips import write_clip

RATE, SIZE = 25, (640, 360)
SAMPLED = 12  # frames from one sample to the next
TEXT_AT = (300, 200)
PLATE = 168, 38

Draw = Callable[[int], Image]


class Stage:
    """A textured background seen by a camera that may pan, and a plate with lettering in front of it."""

    def __init__(self) -> None:
        noise = np.random.default_rng(3).integers(40, 200, (90, 400), np.uint8)
        self._world = cv2.resize(noise, (1600, 360), interpolation=cv2.INTER_CUBIC)

    def picture(
        self, *, opacity: float = 1.0, pan: int = 0, at: tuple[int, int] = TEXT_AT, text: str = "MORVASTO"
    ) -> Image:
        world = self._world.copy()
        x, y = at
        plain = world.copy()
        cv2.rectangle(world, (x - 4, y - 4), (x - 4 + PLATE[0], y - 4 + PLATE[1]), 235, -1)
        cv2.putText(world, text, (x, y + 25), cv2.FONT_HERSHEY_DUPLEX, 0.95, 20, 2, cv2.LINE_AA)
        world = cv2.addWeighted(world, opacity, plain, 1 - opacity, 0)
        seen = np.ascontiguousarray(world[:, pan : pan + SIZE[0]])
        return cv2.cvtColor(seen, cv2.COLOR_GRAY2BGR)


STAGE = Stage()


def quad(left: float = TEXT_AT[0], top: float = TEXT_AT[1]) -> np.ndarray:
    return np.array([[left, top], [left + 160, top], [left + 160, top + 30], [left, top + 30]], np.float32)


def end_of(side: Side, sample: int, picture: Image, *, place: np.ndarray, beyond: np.ndarray) -> TrackEnd:
    patch = cut_patch(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), place, 128)
    return TrackEnd(7, side, sample, place, patch, beyond, fixed=bool((place == beyond).all()))


def video(folder: Path, draw: Draw, frames: int = 3 * SAMPLED + 1, **how: object) -> Path:
    pictures = (draw(number) for number in range(frames))
    return write_clip(folder / "clip.mp4", pictures, rate=RATE, size=SIZE, b_frames=1, **how)  # type: ignore[arg-type]


def extracted(frames: int = 3 * SAMPLED + 1) -> ExtractFramesOutput:
    samples = [
        Sample(number // SAMPLED, number / RATE, "0", "", (number + 1) / RATE) for number in range(0, frames, SAMPLED)
    ]
    return ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []))


def search(path: Path, *ends: TrackEnd, cuts: tuple[float, ...] = (), stands_for: dict[int, int] | None = None):
    scenes = FilterScenesOutput(kept=[], stands_for=stands_for or {}, cuts=list(cuts))
    gaps = gaps_of(ends, extracted(), scenes)
    return find_edges(str(path), gaps, scenes.cuts, 1.0, lambda: None, threads=2)


def covers(edge: Edge, frame: float) -> bool:
    """Whether what is stated covers a change that ``frame`` is the first to show; one frame is always allowed."""
    return abs(edge.time - frame / RATE) <= max(edge.uncertainty, 1 / RATE) + 1e-6


def still(side: Side, sample: int) -> TrackEnd:
    return end_of(side, sample, STAGE.picture(), place=quad(), beyond=quad())


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
    found = find_edges(str(path), {gap: [still("appears", 2)]}, [], 1.0, lambda: None, threads=2)
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
    found = [find_edges(str(path), gaps, [], 1.0, lambda: None, threads=threads) for threads in (1, 2, 3)]
    assert found[0] == found[1] == found[2]
    assert all(covers(edge, change) for (change, _), edge in found[0].items())
    assert len(found[0]) == len(came) == 4


def test_only_ends_beyond_which_the_text_is_not_seen_are_edges():
    frames = [
        Frame(number, cv2.cvtColor(STAGE.picture(opacity=shown), cv2.COLOR_BGR2GRAY), [])
        for number, shown in enumerate((0.0, 1.0, 1.0, 1.0))
    ]
    patch = cut_patch(frames[1].gray, quad(), 128)
    track = Track(quad(), sights=[Sight(number, quad(), 0.9, found=True) for number in (1, 2)], anchors=[patch])
    ends = track_ends(7, track, frames, [None, None, None], fixed=True)
    assert [(end.side, end.sequence) for end in ends] == [("appears", 1)]


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
        return [end.steady for end in track_ends(7, seen, blank, motions, fixed=False) if end.side == "vanishes"]

    with_scene, by_itself = [quad(300), quad(290)], [quad(300), quad(320)]
    assert steady(with_scene, [pan, pan]) == [True]
    assert steady(by_itself, [pan, pan]) == [False]
    assert steady(with_scene, [pan, None]) == [False]

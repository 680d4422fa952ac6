"""Cuts to the frame: whatever the rate, wherever the windows lie; fades; and what is no cut."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detect.checkpoints import serde
from detect.errors import CancelledError, MediaError
from detect.stages.join_scenes import JoinScenesOptions, JoinScenesOutput
from tests.media.clips import cut_file, write_clip
from tests.scenes.clips import Take, find_cuts, find_scenes, first_frames, join_scenes, write_takes

NTSC = Fraction(30000, 1001)
TAKES = [Take(1, 31), Take(2, 12), Take(3, 40), Take(4, 23), Take(5, 17), Take(6, 29)]
FRAMES = sum(take.frames for take in TAKES)


def varying(frames: int) -> list[int]:
    """Ticks of 1/90000 s: frames of 20 to 120 ms, the first one second after 0."""
    return (90_000 + np.cumsum([0, *np.random.default_rng(5).integers(1800, 10_800, frames - 1)])).tolist()


CLIPS: dict[str, dict[str, Any]] = {
    "25 fps": {"rate": 25},
    "29.97 fps": {"rate": NTSC},
    "29.97 fps with B-frames": {"rate": NTSC, "b_frames": 2, "gop": 48},
    "59.94 fps, every frame by itself": {"rate": 2 * NTSC, "gop": 1},
    "varying rate": {"rate": 25, "pts": varying(FRAMES), "time_base": Fraction(1, 90_000)},
}


@pytest.fixture(scope="module", params=CLIPS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    settings = CLIPS[request.param]
    return write_takes(tmp_path_factory.mktemp("clips") / "takes.mp4", TAKES, **settings), settings


def shown_at(settings: dict[str, Any], frame: int) -> Fraction:
    """Seconds after the first frame at which one is shown."""
    if "pts" in settings:
        return Fraction(settings["pts"][frame] - settings["pts"][0], 90_000)
    return frame / Fraction(settings["rate"])


def starts(found: JoinScenesOutput) -> list[int]:
    return [scene.first_frame for scene in found.scenes[1:]]


@pytest.mark.parametrize("detector", ["adaptive", "content"])
def test_cuts_are_the_first_frames_of_new_shots(clip: tuple[Path, dict[str, Any]], detector: str) -> None:
    video, settings = clip
    found = find_scenes(video, join=JoinScenesOptions(min_scene_seconds=0.2), detector=detector)
    assert starts(found) == first_frames(TAKES)
    for scene in found.scenes:
        start = Fraction(scene.start - found.origin) * Fraction(found.time_base)
        assert abs(start - shown_at(settings, scene.first_frame)) <= Fraction(found.time_base) / 2
        assert scene.boundary == ("cut" if scene.first_frame else "start")
        assert scene.frames == TAKES[scene.number - 1].frames
        assert scene.start <= scene.middle < scene.end
    assert [scene.end for scene in found.scenes[:-1]] == [scene.start for scene in found.scenes[1:]]
    assert found.problems == []


def windows_near_cuts(settings: dict[str, Any]) -> list[list[Fraction]]:
    """Windows that begin at the first frames of shots, and up to three frames before and after."""
    cuts = first_frames(TAKES)
    near = [[Fraction(0), *(shown_at(settings, cut + off) for cut in cuts)] for off in range(-3, 4)]
    every = [Fraction(0), *(shown_at(settings, frame) for frame in range(28, 36))]
    between = [Fraction(0), *((shown_at(settings, cut) + shown_at(settings, cut - 1)) / 2 for cut in cuts)]
    return [*near, every, between]


@pytest.mark.parametrize("case", range(9))
def test_windows_together_are_the_whole(clip: tuple[Path, dict[str, Any]], case: int) -> None:
    video, settings = clip
    windows = windows_near_cuts(settings)[case]
    assert serde.encode(find_scenes(video, windows)) == serde.encode(find_scenes(video))


def test_a_wide_neighbourhood_reaches_over_several_windows(clip: tuple[Path, dict[str, Any]]) -> None:
    video, settings = clip
    windows = [shown_at(settings, frame) for frame in range(0, 60, 3)]
    all_of_them = JoinScenesOptions(min_scene_seconds=0)
    whole = find_scenes(video, join=all_of_them, adaptive_window=5)
    assert serde.encode(find_scenes(video, windows, join=all_of_them, adaptive_window=5)) == serde.encode(whole)
    assert starts(whole) == first_frames(TAKES)


# --- fades -------------------------------------------------------------------------------------------------------


def ramp(frames: int) -> tuple[float, ...]:
    return tuple(0.15 + 0.85 * number / frames for number in range(frames))


def faded(black: int, *, fade: int = 14) -> list[Take]:
    """A take that fades to ``black`` frames of black, and another that fades in from there."""
    out = Take(1, 40, gains=(*[1.0] * (40 - fade), *reversed(ramp(fade))))
    dark = Take(1, black, gains=(0.0,) * black)
    return [out, dark, Take(2, 40, gains=ramp(fade)), Take(3, 20)]


@pytest.mark.parametrize("fade", [4, 14, 39])
@pytest.mark.parametrize(("black", "middle"), [(1, 40), (2, 41), (6, 43), (30, 55)])
def test_a_fade_parts_scenes_in_the_middle_of_black(tmp_path: Path, fade: int, black: int, middle: int) -> None:
    video = write_takes(tmp_path / "fade.mp4", faded(black, fade=fade), rate=NTSC)
    found = find_scenes(video)
    assert [(scene.first_frame, scene.boundary) for scene in found.scenes] == [
        (0, "start"),
        (middle, "fade"),
        (80 + black, "cut"),
    ]
    for windows in (["0", str(40 / NTSC)], ["0", str(41 / NTSC), str(43 / NTSC)], ["0", str(45 / NTSC)]):
        assert serde.encode(find_scenes(video, windows)) == serde.encode(found), windows


def test_fades_are_left_alone_where_nobody_wants_them(tmp_path: Path) -> None:
    video = write_takes(tmp_path / "fade.mp4", faded(6))
    assert starts(find_scenes(video, join=JoinScenesOptions(fades=False))) == [86]


def test_black_between_two_cuts_is_a_scene_and_no_fade(tmp_path: Path) -> None:
    takes = [Take(1, 30), Take(9, 20, gains=(0.0,) * 20), Take(2, 30)]
    found = find_scenes(write_takes(tmp_path / "black.mp4", takes))
    assert [(scene.first_frame, scene.boundary) for scene in found.scenes[1:]] == [(30, "cut"), (50, "cut")]


def test_dark_scenes_have_cuts_to_black_too(tmp_path: Path) -> None:
    takes = [Take(1, 30, gains=(0.12,) * 30), Take(9, 20, gains=(0.0,) * 20), Take(2, 30, gains=(0.12,) * 30)]
    found = find_scenes(write_takes(tmp_path / "dark.mp4", takes))
    assert [(scene.first_frame, scene.boundary) for scene in found.scenes[1:]] == [(30, "cut"), (50, "cut")]


def test_a_video_that_begins_and_ends_in_black_has_no_scene_of_black(tmp_path: Path) -> None:
    gains = (*[0.0] * 10, *ramp(14), *[1.0] * 20, *reversed(ramp(14)), *[0.0] * 10)
    found = find_scenes(write_takes(tmp_path / "in_and_out.mp4", [Take(1, len(gains), gains=gains)]))
    assert [(scene.frames, scene.boundary) for scene in found.scenes] == [(len(gains), "start")]


# --- what is no cut, and what is too short -----------------------------------------------------------------------


def test_a_fast_pan_is_no_cut(tmp_path: Path) -> None:
    video = write_takes(tmp_path / "pan.mp4", [Take(1, 30, step=5), Take(2, 30)])
    assert starts(find_scenes(video)) == [30]
    plain: dict[str, Any] = {"detector": "content", "join": JoinScenesOptions(min_scene_seconds=0)}
    assert starts(find_scenes(video, **plain)) == [30]
    assert len(find_scenes(video, content_threshold=15, **plain).scenes) > 20, "every frame changes by that much"


def test_a_short_scene_goes_on_in_the_one_before(tmp_path: Path) -> None:
    video = write_takes(tmp_path / "short.mp4", [Take(1, 30), Take(2, 5), Take(3, 30), Take(4, 6)])
    assert starts(find_scenes(video)) == [30]
    assert starts(find_scenes(video, join=JoinScenesOptions(min_scene_seconds=0))) == [30, 35, 65]
    exact = find_scenes(video, join=JoinScenesOptions(min_scene_seconds=0.2))
    assert starts(exact) == [30, 35, 65], "as long as asked for is long enough"
    assert exact.stats["too_short"] == 0


def test_one_scene_is_a_result(tmp_path: Path) -> None:
    found = find_scenes(write_takes(tmp_path / "one.mp4", [Take(1, 30)]))
    (scene,) = found.scenes
    assert (scene.number, scene.first_frame, scene.frames, scene.boundary) == (1, 0, 30, "start")
    one_frame = find_scenes(write_clip(tmp_path / "frame.mp4", 1))
    assert [scene.frames for scene in one_frame.scenes] == [1]


def test_a_window_behind_the_end_adds_nothing(clip: tuple[Path, dict[str, Any]]) -> None:
    video, _ = clip
    parts = [find_cuts(video, "0", "60"), find_cuts(video, "60", "90"), find_cuts(video, "90")]
    assert serde.encode(join_scenes(parts)) == serde.encode(find_scenes(video))
    assert join_scenes(parts[1:]).scenes == []


# --- faults ------------------------------------------------------------------------------------------------------


def test_what_is_broken_in_the_video_is_passed_on(tmp_path: Path) -> None:
    whole = write_takes(tmp_path / "whole.mkv", TAKES, rate=25)
    found = find_scenes(cut_file(whole, tmp_path / "cut.mkv", 0.6))
    read = found.scenes[-1].first_frame + found.scenes[-1].frames
    assert 40 < read < FRAMES and starts(found) == [cut for cut in first_frames(TAKES) if cut < read - 8]
    assert any("breaks off" in problem for problem in found.problems)
    (tmp_path / "none.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError):
        find_scenes(tmp_path / "none.mp4")


def test_it_stops_when_asked_and_tells_how_far_it_is(clip: tuple[Path, dict[str, Any]]) -> None:
    steps: list[float] = []
    find_cuts(clip[0], progress=lambda done, total: steps.append(done / total))
    assert steps == sorted(steps) and steps[-1] == 1 and len(steps) >= FRAMES

    def stop() -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        find_cuts(clip[0], checkpoint=stop)


def test_a_turned_video_has_its_cuts_too(tmp_path: Path) -> None:
    video = write_takes(tmp_path / "turned.mp4", TAKES[:3], rotation=90)
    assert starts(find_scenes(video)) == first_frames(TAKES[:3])


# --- real footage, its cuts found by looking at every frame round them -------------------------------------------


@pytest.mark.parametrize(
    ("name", "ticks", "last"),
    [
        ("scenes_bikes.mp4", [15360, 38912, 70144, 95744, 123904], 128000),
        ("faces_whitehouse_miranda.mp4", [18214, 43014, 94614], 120214),
    ],
)
def test_cuts_of_real_footage(real_media: Path, name: str, ticks: Sequence[int], last: int) -> None:
    found = find_scenes(real_media / name)
    assert [scene.start for scene in found.scenes[1:]] == ticks
    assert found.scenes[-1].end == last and {scene.boundary for scene in found.scenes[1:]} == {"cut"}
    assert serde.encode(find_scenes(real_media / name, ["0", "2", "7"])) == serde.encode(found)

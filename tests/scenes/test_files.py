"""The files of the scenes pipeline, from a whole run of it."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenedetect import FrameTimecode
from scenedetect.common import Timecode
from scenedetect.output import write_scene_list

from detect.artifacts.base import Artifact
from detect.artifacts.pictures import pictures_at
from detect.formats.scene_list import scenes_csv
from detect.stages.join_scenes import JoinScenesOutput
from tests.faces.running import Finished, run_pipeline
from tests.media.clips import cut_file, read_number, write_clip
from tests.scenes.clips import Take, first_frames, write_takes

NTSC = Fraction(30000, 1001)
TAKES = [Take(1, 31), Take(2, 25), Take(3, 140), Take(4, 23)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("scenes")
    video = write_takes(folder / "takes.mp4", TAKES, rate=NTSC)
    return run_pipeline("scenes", video, folder / "run", overrides={"find_cuts": {"chunk_seconds": 5}})


@pytest.fixture(scope="module")
def found(finished: Finished) -> JoinScenesOutput:
    output = finished.output("join_scenes")
    assert isinstance(output, JoinScenesOutput)
    return output


@pytest.fixture(scope="module")
def written(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Artifact]]:
    folder = tmp_path_factory.mktemp("artifacts")
    return folder / "0", finished.write(folder)


def test_the_json_says_when_each_scene_is(found: JoinScenesOutput, written: tuple[Path, list[Artifact]]) -> None:
    folder, artifacts = written
    assert [(one.type, one.role, one.path) for one in artifacts[:2]] == [
        ("json", "scenes", "scenes.json"),
        ("csv", "scenes", "scenes.csv"),
    ]
    document = json.loads((folder / "scenes.json").read_text())
    assert (document["schema"], document["video"]) == ("mediaproc.scenes/1", "takes.mp4")
    scenes = document["scenes"]
    assert [scene["first_frame"] for scene in scenes] == [0, *first_frames(TAKES)]
    assert [scene["boundary"] for scene in scenes] == ["start", "cut", "cut", "cut"]
    for scene in scenes:
        assert scene["start"] == pytest.approx(float(scene["first_frame"] / NTSC), abs=1e-6)
        exact = Fraction(scene["end_pts"] - document["origin_pts"]) * Fraction(document["time_base"])
        assert exact == (scene["first_frame"] + scene["frames"]) / NTSC
        assert scene["length"] == pytest.approx(scene["end"] - scene["start"], abs=2e-6)


def test_the_csv_is_that_of_pyscenedetect(found: JoinScenesOutput, written: tuple[Path, list[Artifact]]) -> None:
    text = (written[0] / "scenes.csv").read_text()
    assert text == scenes_csv(found)

    def timecode(tick: int) -> FrameTimecode:
        return FrameTimecode(Timecode(tick - found.origin, Fraction(found.time_base)), fps=NTSC)

    theirs = io.StringIO()
    pairs = [(timecode(scene.start), timecode(scene.end)) for scene in found.scenes]
    write_scene_list(theirs, pairs, include_cut_list=False)
    assert text == theirs.getvalue()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Start Frame"], row["End Frame"], row["Length (frames)"]) for row in rows[:2]] == [
        ("1", "31", "31"),
        ("32", "56", "25"),
    ]


def test_each_scene_has_a_picture_of_its_middle(
    found: JoinScenesOutput, finished: Finished, written: tuple[Path, list[Artifact]]
) -> None:
    folder, artifacts = written
    pictures = [artifact for artifact in artifacts if artifact.role == "thumbnail"]
    assert [(one.meta["scene"], one.path) for one in pictures] == [(n, f"scene-{n:04d}.png") for n in (1, 2, 3, 4)]
    frames = dict(pictures_at(finished.path, [scene.middle for scene in found.scenes]))
    for artifact, scene in zip(pictures, found.scenes, strict=True):
        picture = cv2.imread(str(folder / artifact.path))
        assert picture is not None
        assert picture.shape[:2] == (artifact.meta["height"], artifact.meta["width"]) == (90, 160)
        np.testing.assert_array_equal(picture, frames[scene.middle])
        middle = Fraction(scene.first_frame * 2 + scene.frames, 2) / NTSC
        assert 0 <= float(middle) - artifact.meta["time"] < 1 / 29.97 + 1e-6


def test_pictures_are_small_and_those_of_the_longest_scenes(tmp_path: Path, real_media: Path) -> None:
    run = run_pipeline(
        "scenes",
        real_media / "scenes_bikes.mp4",
        tmp_path / "run",
        overrides={"join_scenes": {"max_thumbnails": 2}},
    )
    pictures = [artifact for artifact in run.write(tmp_path / "artifacts") if artifact.role == "thumbnail"]
    assert [picture.meta["scene"] for picture in pictures] == [3, 5]
    assert {(picture.meta["width"], picture.meta["height"]) for picture in pictures} == {(320, 136)}


def test_the_same_run_writes_the_same_bytes(
    finished: Finished, written: tuple[Path, list[Artifact]], tmp_path: Path
) -> None:
    folder, artifacts = written
    assert finished.write(tmp_path) == artifacts
    for artifact in artifacts:
        data = (tmp_path / "0" / artifact.path).read_bytes()
        assert data == (folder / artifact.path).read_bytes()
        assert str(finished.path.parent).encode() not in data


def test_one_scene_and_a_broken_video_give_valid_files(tmp_path: Path) -> None:
    whole = write_takes(tmp_path / "whole.mkv", TAKES)
    for name, video in {
        "one": write_takes(tmp_path / "one.mp4", TAKES[:1]),
        "broken": cut_file(whole, tmp_path / "broken.mkv", 0.5),
    }.items():
        artifacts = run_pipeline("scenes", video, tmp_path / name / "run").write(tmp_path / name / "artifacts")
        document = json.loads((tmp_path / name / "artifacts/0/scenes.json").read_text())
        rows = list(csv.DictReader((tmp_path / name / "artifacts/0/scenes.csv").open()))
        pictures = [artifact for artifact in artifacts if artifact.role == "thumbnail"]
        assert len(document["scenes"]) == len(rows) == len(pictures) >= 1


def test_frames_are_found_by_their_ticks_near_and_far(tmp_path: Path) -> None:
    pts = [1000 + 50 * number for number in range(300)]
    video = write_clip(tmp_path / "long.mkv", 300, pts=pts, time_base=Fraction(1, 1000))
    wanted = [0, 1, 2, 40, 41, 200, 299]
    found = {tick: read_number(picture) for tick, picture in pictures_at(video, [pts[one] for one in wanted])}
    assert found == {pts[one]: one for one in wanted}
    assert dict(pictures_at(video, [1001, 99_999])) == {}, "there is no such frame"

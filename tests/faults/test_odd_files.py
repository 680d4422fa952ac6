"""Odd videos through the command line: the right pictures at the right times, and how far a broken file goes."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.faults.footage import BRANDS, OPTIONS, SECONDS, match_clip
from tests.faults.installation import Installation, comparable, installation
from tests.media.clips import cut_file, read_number, write_clip

#: Pictures that come unevenly, in thousandths of a second.
UNEVEN = (0, 40, 80, 500, 1300, 1340, 1400, 2600, 2640, 3900)
MILLISECOND = Fraction(1, 1000)


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    with installation() as made, made.database():
        yield made


def even(frames: int, rate: int) -> list[Fraction]:
    return [Fraction(number, rate) for number in range(frames)]


def seconds(ticks: Sequence[int]) -> list[Fraction]:
    return [tick * MILLISECOND for tick in ticks]


CLIPS: dict[str, tuple[Callable[[Path], Path], list[Fraction], dict[str, Any]]] = {
    "even": (
        lambda folder: write_clip(folder / "even.mp4", 60, rate=20),
        even(60, 20),
        {"width": 128, "height": 96, "variable_frame_rate": False, "frame_rate": "20/1", "duration": 3.0},
    ),
    "variable rate": (
        lambda folder: write_clip(folder / "uneven.mp4", 10, pts=UNEVEN, time_base=MILLISECOND),
        seconds(UNEVEN),
        {"variable_frame_rate": True},
    ),
    "beginning later than zero": (
        lambda folder: write_clip(
            folder / "later.mkv", 10, pts=[5000 + tick for tick in UNEVEN], time_base=MILLISECOND
        ),
        seconds(UNEVEN),
        {"variable_frame_rate": True},
    ),
    "quarter turn": (
        lambda folder: write_clip(folder / "turned.mp4", 40, rate=20, size=(96, 160), rotation=90),
        even(40, 20),
        {"width": 96, "height": 160},
    ),
    "upside down": (
        lambda folder: write_clip(folder / "upside.mp4", 40, rate=20, rotation=180),
        even(40, 20),
        {"width": 128, "height": 96},
    ),
    "odd size": (
        lambda folder: write_clip(folder / "odd.mp4", 40, rate=20, size=(129, 97), pixel_format="yuv444p"),
        even(40, 20),
        {"width": 129, "height": 97},
    ),
    "4K": (
        lambda folder: write_clip(folder / "uhd.mp4", 6, rate=4, size=(3840, 2160)),
        even(6, 4),
        {"width": 3840, "height": 2160},
    ),
    "another suffix": (
        lambda folder: write_clip(folder / "real.mp4", 40, rate=20).rename(folder / "film.txt"),
        even(40, 20),
        {"duration": 2.0},
    ),
    "one frame": (lambda folder: write_clip(folder / "one.mp4", 1, rate=1), even(1, 1), {"duration": 1.0}),
}


def analyze(place: Installation, video: Path, *options: str) -> dict[str, Any]:
    """Analyse ``video`` and return its report."""
    outcome = place.run("analyze", video, *options, "--set", "run_ocr.detect_side=320", "--json")
    assert outcome.code == 0, outcome.err
    report: dict[str, Any] = json.loads(outcome.out)
    return report


def sampled(place: Installation, report: dict[str, Any]) -> list[tuple[float, int]]:
    """Seconds of the stored frames and the numbers that are to be seen on them."""
    (row,) = place.rows(
        "SELECT frames_meta, frames_manifest FROM detect_timeline t JOIN jobs_detectjob j ON j.timeline_id = t.id"
        f" WHERE j.id = '{report['job_id']}'"
    )
    files = [str(place.data.storage / key) for key in row["frames_manifest"].values()]
    pictures = [np.asarray(cv2.imread(file), np.uint8) for file in files]
    times = [frame["timestamp"] for frame in row["frames_meta"]]
    return [(time, read_number(picture)) for time, picture in zip(times, pictures, strict=True)]


def on_screen(times: list[Fraction], fps: int) -> list[tuple[float, int]]:
    """The frames that are on screen at multiples of ``1 / fps`` while frames begin, each once, and their own times."""
    instants = range(int(times[-1] * fps) + 1)
    shown = dict.fromkeys(bisect_right(times, Fraction(instant, fps)) - 1 for instant in instants)
    return [(round(float(times[number]), 6), number) for number in shown]


@pytest.mark.parametrize("kind", CLIPS)
def test_pictures_come_with_their_own_times(place: Installation, tmp_path: Path, kind: str) -> None:
    make, times, facts = CLIPS[kind]
    report = analyze(place, make(tmp_path), "--set", "extract_frames.fps=2")
    assert sampled(place, report)[: len(on_screen(times, 2))] == on_screen(times, 2)
    assert len(sampled(place, report)) - len(on_screen(times, 2)) <= 1  # one that begins and ends after the last began
    assert {name: report["source"][name] for name in facts} == facts
    assert report["source"]["problems"] == []


def test_file_that_breaks_off_is_analysed_as_far_as_it_goes(place: Installation, tmp_path: Path) -> None:
    whole = match_clip(tmp_path / "whole.mkv")
    cut = cut_file(whole, tmp_path / "cut.mkv", 0.55)
    out = {path: tmp_path / f"report-{path.stem}" for path in (whole, cut)}
    for path in (whole, cut):
        outcome = place.run("analyze", path, "--brands", BRANDS, *OPTIONS, "--out", out[path])
        assert outcome.code == 0, outcome.err
    before, after = (json.loads(comparable(out[path])["report.json"]) for path in (whole, cut))

    end = after["source"]["analyzed_seconds"]
    assert 0.3 * SECONDS < end < 0.8 * SECONDS
    assert before["source"]["analyzed_seconds"] == pytest.approx(SECONDS, abs=0.2)
    assert before["source"]["problems"] == []
    (problem,) = after["source"]["problems"]
    assert problem.startswith("the video breaks off at ")
    assert problem in outcome.out
    seen = [
        [(brand["name"], round(shown["start"], 1)) for brand in report["brands"] for shown in brand["exposures"]]
        for report in (before, after)
    ]
    assert sorted(seen[1]) == sorted((name, start) for name, start in seen[0] if start < end - 1)


def test_damage_in_the_middle_is_told_and_stepped_over(place: Installation, tmp_path: Path) -> None:
    path = match_clip(tmp_path / "damaged.ts")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 188 * 188
    content[middle : middle + 188 * 40] = b"\x00" * (188 * 40)
    path.write_bytes(content)
    report = analyze(place, path, "--brands", BRANDS)
    assert report["source"]["analyzed_seconds"] == pytest.approx(SECONDS, abs=0.2)
    assert any("damaged data at " in problem for problem in report["source"]["problems"])

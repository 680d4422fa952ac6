"""Figures of pit stops from jobs made by hand, clips as they are asked for, and times as they are compared."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from bench.machine import machine_facts
from bench.pitstop import QUICKEST, WEIGHTS, LengthFigures, PitstopFigures, missing_footage, speed_figures
from bench.pitstop_clips import Exactness, Excerpt, exactness, write_excerpt
from bench.pitstop_job import JobFigures
from bench.promises import Verdict, verdicts
from bench.results import Section
from tests.media.clips import write_clip


def job(detecting: float, drawing: float, plain: float = 1.0) -> JobFigures:
    stages = {"detect_each_frame": detecting, "render_overlays": drawing - 0.1, "encode_video": 0.1}
    return JobFigures(frames=100, objects=150, stages=stages, sound="none", plain=plain)


def figures(*, drawing: float = 4.0, peak: int = 100, exact: Exactness | None = None) -> PitstopFigures:
    return PitstopFigures(
        clips={"clip": speed_figures(WEIGHTS, [job(4.0, drawing)])},
        short=LengthFigures(frames=100, peak=100, stages={}),
        long=LengthFigures(frames=800, peak=peak, stages={}),
        growth=peak / 100 - 1,
        exact={"constant": exact or Exactness(100, 100, 0.0)},
        sound="copied",
    )


def broken(found: PitstopFigures) -> list[str]:
    section = Section("", "", machine_facts(), {}, found.headlines(), {})
    judged: list[Verdict] = verdicts({"pitstop": section}, full=True)
    assert len(judged) == 4
    return [one.name for one in judged if not one.kept]


def test_ratios_are_of_each_round_by_itself():
    found = speed_figures(WEIGHTS, [job(8.0, 4.0, 2.0), job(80.0, 20.0, 10.0), job(9.0, 3.0, 1.5)])
    assert (found.ratio, found.plain_ratio) == pytest.approx((3.0, 0.5))
    assert (found.detecting, found.drawing, found.plain) == pytest.approx((100 / 9, 25.0, 50.0))
    assert found.objects_a_frame == 1.5


def test_promises_are_about_speed_memory_frames_and_times():
    assert broken(figures()) == []
    assert broken(figures(drawing=5.1)) == ["clip: drawing and encoding against detection"]
    assert broken(figures(peak=111)) == ["growth from the short video to the long one"]
    assert broken(figures(exact=Exactness(100, 101, 0.0))) == ["constant: frames lost or made up"]
    assert broken(figures(exact=Exactness(100, 100, 1.1))) == ["constant: largest timestamp error"]


def test_what_footage_is_missing_is_named(tmp_path: Path):
    assert f"no cars_intel_overhead.mp4 in {tmp_path}" in missing_footage(tmp_path)
    for name in ("cars_intel_overhead.mp4", "person_intel_one_by_one.mp4", f"weights/{WEIGHTS}"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert f"no weights/{QUICKEST} in" in missing_footage(tmp_path)
    (tmp_path / "weights" / QUICKEST).touch()
    assert not missing_footage(tmp_path)


def test_excerpts_are_what_is_asked_for(tmp_path: Path):
    source = write_clip(tmp_path / "source.mp4", 30, audio=True)
    write_excerpt(source, tmp_path / "plain.mp4", Excerpt(64, 48, frames=10, first=5, sound=True))
    write_excerpt(source, tmp_path / "odd.mp4", Excerpt(64, 48, frames=10, uneven=True, turned=True))
    with av.open(str(tmp_path / "plain.mp4")) as plain, av.open(str(tmp_path / "odd.mp4")) as odd:
        assert len(plain.streams.audio) == 1 and not odd.streams.audio
        steady, uneven = list(plain.decode(video=0)), list(odd.decode(video=0))
    assert (len(steady), len(uneven), steady[0].width) == (10, 10, 64)
    assert {frame.rotation for frame in steady} == {0} and {abs(frame.rotation) for frame in uneven} == {90}
    assert gaps(steady) == {0.04}
    assert len(gaps(uneven)) == 6


def gaps(frames: list[av.VideoFrame]) -> set[float]:
    """Between frames that follow each other, seconds."""
    return {round(after.time - before.time, 6) for before, after in pairwise(frames)}


def test_times_are_compared_frame_by_frame(tmp_path: Path):
    base = Fraction(1, 1000)
    pts = [0, 40, 80, 125, 160]
    source = write_clip(tmp_path / "source.mp4", 5, pts=pts, time_base=base, audio=True)
    same = write_clip(tmp_path / "same.mp4", 5, pts=pts, time_base=base, audio=True)
    assert exactness(source, same) == Exactness(5, 5, 0.0, 0.0)
    other = write_clip(tmp_path / "other.mp4", 6, pts=[0, 40, 83, 125, 160, 200], time_base=base)
    found = exactness(source, other)
    assert (found.source_frames, found.frames, found.sound_worst_ms) == (5, 6, None)
    assert found.worst_ms == pytest.approx(3.0)

"""The file: the same bytes each time, exact timestamps, and repeating it without encoding again."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from detect.errors import MediaError, StorageError
from detect.synthetic import build_match, loop_video, render_match
from tests.synthetic.conftest import FPS, Rendered


def _times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [Fraction(frame.pts or 0) * Fraction(frame.time_base or 0) for frame in container.decode(video=0)]


def _duration(container: av.container.InputContainer) -> float:
    return (container.duration or 0) / av.time_base


def test_the_same_match_gives_the_same_bytes_and_truth(tmp_path: Path) -> None:
    match = build_match(9, "hard", 1.2, 320, 180, FPS)
    results = []
    for name in ("first.mp4", "second.mp4"):
        truth = render_match(match, tmp_path / name)
        results.append((hashlib.sha256((tmp_path / name).read_bytes()).hexdigest(), truth.rows.tobytes()))
    assert results[0] == results[1]


def test_the_video_has_the_frames_and_times_that_the_truth_has(rendered: Rendered) -> None:
    truth = rendered.truth
    assert _times(rendered.path) == [int(pts) * truth.time_base for pts in truth.pts]
    with av.open(str(rendered.path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 640, 360)
        assert stream.average_rate == FPS
        assert _duration(container) == pytest.approx(truth.duration)


def test_the_index_is_at_the_front_of_the_file(rendered: Rendered) -> None:
    content = rendered.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_broken_frame_rates_keep_exact_times(tmp_path: Path) -> None:
    fps = Fraction(30000, 1001)
    truth = render_match(build_match(1, "easy", 0.4, 128, 96, fps), tmp_path / "match.mp4")
    assert _times(tmp_path / "match.mp4") == [number / fps for number in range(12)]
    assert truth.duration == float(12 / fps)


def test_progress_is_told_frame_by_frame(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    render_match(build_match(1, "easy", 0.2, 128, 96, FPS), tmp_path / "match.mp4", lambda *done: calls.append(done))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_harder_levels_are_noisier_in_the_file(tmp_path: Path) -> None:
    """Noise is what differs between one frame and the next where nothing moves: the scoreboard's plate."""
    unrest = []
    for level in ("easy", "hard"):
        path = tmp_path / f"{level}.mp4"
        match = build_match(4, level, 0.5, 640, 360, FPS)
        render_match(match, path)
        bits = path.stat().st_size
        assert bits > 0
        with av.open(str(path)) as container:
            plates = [frame.to_ndarray(format="gray")[40:44, 60:150].astype(int) for frame in container.decode(video=0)]
        unrest.append(float(np.abs(np.diff(plates, axis=0)).mean()))
    assert unrest[1] >= unrest[0]


def test_a_repeated_video_is_as_long_as_it_should_be_without_gap(rendered: Rendered, tmp_path: Path) -> None:
    target = tmp_path / "twice.mp4"
    loop_video(rendered.path, target, 2)
    twice = rendered.truth.repeated(2)
    assert _times(target) == [int(pts) * twice.time_base for pts in twice.pts]
    with av.open(str(target)) as container:
        assert _duration(container) == pytest.approx(twice.duration)


def test_a_repeated_video_shows_the_same_pictures_again(rendered: Rendered, tmp_path: Path) -> None:
    target = tmp_path / "twice.mp4"
    loop_video(rendered.path, target, 2)
    with av.open(str(target)) as container:
        digests = [hashlib.sha256(frame.to_ndarray().tobytes()).digest() for frame in container.decode(video=0)]
    half = len(digests) // 2
    assert digests[:half] == digests[half:]


def test_repeating_needs_a_video_and_a_sensible_number(rendered: Rendered, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="0"):
        loop_video(rendered.path, tmp_path / "out.mp4", 0)
    with pytest.raises(MediaError, match=r"missing\.mp4"):
        loop_video(tmp_path / "missing.mp4", tmp_path / "out.mp4", 2)
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    with pytest.raises(MediaError, match=r"text\.mp4"):
        loop_video(text, tmp_path / "out.mp4", 2)


def test_an_unwritable_place_is_named(rendered: Rendered, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "match.mp4"
    with pytest.raises(StorageError, match="nowhere"):
        render_match(rendered.match, missing)
    with pytest.raises(StorageError, match="nowhere"):
        loop_video(rendered.path, missing, 2)

"""The annotated video as a file: the source's frames, times and sound, whatever the source is like."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from detect.errors import CancelledError
from detect.stages.base import Image
from tests.drawing.annotating import annotate, frame_times, shown_frames
from tests.media.clips import cut_file, read_number, write_clip

UNEVEN = [0, 40, 47, 120, 121, 300, 333, 350, 600, 601, 640, 1000, 1040, 1200, 1210, 1300]


def test_every_frame_has_the_sources_time_and_picture(tmp_path: Path, clip: tuple[str, dict[str, Any]]) -> None:
    name, made = clip
    source = write_clip(tmp_path / name, made.pop("frames", 30), **made)
    result = annotate(source, tmp_path, chunks=["0.4", "0.8"])
    times = frame_times(source)
    assert frame_times(result.path) == times
    assert [read_number(upright(frame)) for _, frame in shown_frames(result.path)] == list(range(len(times)))
    assert result.output.frames == len(times)
    assert result.output.problems == []


@pytest.fixture(
    params=[
        ("even.mp4", {}),
        ("ntsc.mp4", {"rate": Fraction(30000, 1001)}),
        ("film.mkv", {"rate": Fraction(24000, 1001)}),
        ("uneven.mp4", {"frames": 16, "pts": UNEVEN, "time_base": Fraction(1, 1000)}),
        ("uneven.mkv", {"frames": 16, "pts": UNEVEN, "time_base": Fraction(1, 1000)}),
        ("late.mp4", {"pts": range(37, 67)}),
        ("late.ts", {"b_frames": 2}),
        ("b-frames.mp4", {"b_frames": 3}),
        ("clock.avi", {"codec": "mpeg4", "rate": Fraction(30000, 1001)}),
        ("vp9.webm", {"codec": "libvpx-vp9"}),
        ("turned.mp4", {"rotation": 90, "size": (96, 128)}),
        ("over.mp4", {"rotation": 180}),
        ("back.mp4", {"rotation": 270, "size": (96, 128)}),
        ("mirrored.mp4", {"mirrored": True}),
        ("odd.mkv", {"codec": "ffv1", "size": (127, 95)}),
        ("odd-turned.mp4", {"codec": "libx265", "size": (95, 127), "rotation": 90, "pixel_format": "yuv444p"}),
        ("deep.mp4", {"codec": "libx265", "pixel_format": "yuv420p10le"}),
        ("professional.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
        ("full.mp4", {"pixel_format": "yuvj420p"}),
        ("grey.mkv", {"codec": "ffv1", "pixel_format": "gray"}),
        ("rgb.mov", {"codec": "png", "pixel_format": "rgb24"}),
    ],
    ids=lambda value: value[0],
)
def clip(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    name, made = request.param
    return name, dict(made)


def upright(frame: av.VideoFrame) -> Image:
    """The picture as it is in the file: an annotated video asks for no turn."""
    assert frame.rotation == 0
    return frame.to_ndarray(format="bgr24")


def test_it_is_h264_that_plays_while_it_loads(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source.mkv", 30, codec="libvpx-vp9", audio=False)
    result = annotate(source, tmp_path)
    with av.open(str(result.path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, container.format.name[:3]) == ("h264", "yuv420p", "mov")
    boxes = top_boxes(result.path)
    assert boxes.index(b"moov") < boxes.index(b"mdat")


def top_boxes(path: Path) -> list[bytes]:
    """Types of an MP4's outermost boxes, in the order of the file."""
    data, found, at = path.read_bytes(), [], 0
    while at < len(data):
        found.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4])
    return found


def test_joined_pieces_follow_each_other_as_one(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source.mp4", 60, b_frames=2)
    result = annotate(source, tmp_path, chunks=["0.5", "1", "1.99"])
    assert [part.frames for part in result.parts] == [13, 12, 25, 10]
    with av.open(str(result.path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert all(packet.pts == packet.dts for packet in packets)
    times = [packet.pts or 0 for packet in packets]
    assert [after - before for before, after in pairwise(times)] == [packet.duration for packet in packets[:-1]]
    assert packets[-1].duration == packets[0].duration
    keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    assert {0, 13, 25, 50} <= set(keys)


def test_a_piece_without_frames_is_none(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "gap.mkv", 4, pts=[0, 40, 3000, 3040], time_base=Fraction(1, 1000))
    result = annotate(source, tmp_path, chunks=["1", "2", "3"])
    assert [(part.frames, len(part.files)) for part in result.parts] == [(2, 1), (0, 0), (0, 0), (2, 1)]
    assert frame_times(result.path) == frame_times(source)


def test_a_source_that_breaks_off_gives_what_there_is_and_says_so(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 100, gop=10)
    source = cut_file(whole, tmp_path / "broken.mkv", 0.6)
    result = annotate(source, tmp_path, chunks=["1"])
    assert frame_times(result.path) == frame_times(source)
    assert 30 < result.output.frames < 100
    assert any("breaks off" in problem for problem in result.output.problems)


def test_a_start_before_0_or_hours_late_is_put_at_0(tmp_path: Path) -> None:
    for name, first in (("early.nut", -50), ("hours.mp4", 25 * 7200)):
        source = write_clip(tmp_path / name, 20, pts=range(first, first + 20))
        result = annotate(source, tmp_path / name.replace(".", "-"), chunks=["0.4"])
        origin = frame_times(source)[0]
        assert frame_times(result.path) == [at - origin for at in frame_times(source)]
        assert result.output.start == "0"


def test_where_the_first_frame_is_shown_is_told(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "late.mp4", 10, pts=range(30, 40))
    assert annotate(source, tmp_path).output.start == "6/5"


@pytest.mark.parametrize(
    ("name", "codec", "fate"),
    [
        ("a.mp4", "aac", "copied"),
        ("a.ts", "aac", "copied"),
        ("a.mkv", "libopus", "copied"),
        ("a.mkv", "flac", "copied"),
        ("a.mkv", "mp3", "copied"),
        ("a.mov", "alac", "copied"),
        ("a.mkv", "ac3", "copied"),
        ("a.mov", "pcm_s16le", "converted"),
        ("a.avi", "pcm_s16le", "converted"),
        ("a.mkv", "mp2", "converted"),
    ],
)
def test_sound_stays_in_step(tmp_path: Path, name: str, codec: str, fate: str) -> None:
    source = with_sound(tmp_path / name, codec, begins=Fraction(3, 10))
    result = annotate(source, tmp_path, chunks=["0.6"])
    assert result.output.sound == fate
    (expected, length), (found, found_length) = click(source), click(result.path)
    assert 0.9 < expected < 3
    assert found == pytest.approx(expected, abs=0.025)
    assert found_length == pytest.approx(length, abs=0.05)


def test_sound_may_be_left_out(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source.mp4", 20, audio=True)
    result = annotate(source, tmp_path, sound=False)
    assert result.output.sound == "left out"
    assert result.output.problems == []
    with av.open(str(result.path)) as container:
        assert len(container.streams) == 1


def test_a_silent_source_stays_silent(tmp_path: Path) -> None:
    assert annotate(write_clip(tmp_path / "source.mp4", 10), tmp_path).output.sound == "none"


def with_sound(path: Path, codec: str, *, begins: Fraction) -> Path:
    """A video of 2 s with a sound that starts ``begins`` seconds in and clicks a second later."""
    video_codec = {".avi": "mpeg4", ".webm": "libvpx-vp9"}.get(path.suffix, "libx264")
    rate, pictures = 48000, np.zeros((96, 128, 3), np.uint8)
    with av.open(str(path), "w") as container:
        video = container.add_stream(video_codec, rate=25)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = 128, 96, "yuv420p"
        sound = container.add_stream(codec, rate=rate, layout="stereo")
        assert isinstance(sound, AudioStream)
        for number in range(50):
            picture = av.VideoFrame.from_ndarray(pictures, format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        samples = np.random.default_rng(1).normal(0, 30, (int(1.6 * rate), 2))
        samples[rate : rate + 480] = 20000
        frame = av.AudioFrame.from_ndarray(samples.astype(np.int16).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, int(begins * rate), Fraction(1, rate)
        for ready in av.AudioResampler(sound.format, sound.layout, rate, frame_size=sound.frame_size or 960).resample(
            frame
        ):
            container.mux(sound.encode(ready))
        container.mux(sound.encode(None))
    return path


def click(path: Path) -> tuple[float, float]:
    """When a file's sound first is loud, and how long the sound is, seconds."""
    at, length = None, 0.0
    mono = av.AudioResampler("fltp", "mono", 48000)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            for samples in mono.resample(frame):
                over = np.flatnonzero(np.abs(samples.to_ndarray()[0]) > 0.25)
                if len(over) and at is None:
                    at = samples.time + over[0] / 48000
                length += samples.samples / 48000
    assert at is not None
    return at, length


def test_it_can_be_stopped(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 7:
            raise CancelledError("stopped")

    source = write_clip(tmp_path / "source.mp4", 20)
    with pytest.raises(CancelledError):
        annotate(source, tmp_path, progress=stop)
    assert list((tmp_path / "files" / "drafts").iterdir()) == []


def test_progress_counts_frames(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    source = write_clip(tmp_path / "source.mp4", 20)
    annotate(source, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 20) for number in range(1, 21)] * 2

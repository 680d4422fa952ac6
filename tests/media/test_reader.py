"""Which frame is on screen when, in every container, however the video is cut into windows."""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.media import Sampled, VideoReader
from tests.media.clips import numbered_picture, read_number, write_clip

MILLISECOND = Fraction(1, 1000)
OPEN_GOP = {"preset": "veryfast", "crf": "16", "x264-params": "open-gop=1:b-adapt=0"}


def on_screen(times: Sequence[Fraction], until: Fraction, fps: Fraction) -> Iterator[tuple[int, int]]:
    """The samples by definition: at each instant the latest frame, the first one only where it is the same again."""
    given = -1
    instant = 0
    while instant / fps < until:
        index = bisect_right(times, instant / fps) - 1
        if index != given:
            yield instant, index
        given, instant = index, instant + 1


def read(path: Path, fps: Fraction, cuts: Sequence[Fraction] = ()) -> tuple[list[Sampled], list[tuple[float, ...]]]:
    """Samples and signal rows of a file read in windows that begin at 0 and at each cut."""
    samples: list[Sampled] = []
    rows: list[tuple[float, ...]] = []
    with VideoReader(path) as reader:
        for start, end in zip([Fraction(0), *cuts], [*cuts, None], strict=True):
            samples += reader.sample_window(fps, start, end)
            signals = reader.signals
            rows += zip(signals.timestamps, signals.change, signals.histogram, signals.luma, strict=True)
            assert reader.problems == []
    return samples, rows


def comparable(samples: Sequence[Sampled]) -> list[tuple]:
    return [(s.sequence, s.pts, s.timestamp, s.until, s.image.tobytes()) for s in samples]


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(50)])
def test_a_steady_rate(tmp_path, rate):
    path = write_clip(tmp_path / "a.mp4", 90, rate=rate, b_frames=2)
    fps = Fraction(2)
    samples, _ = read(path, fps)
    times = [index / rate for index in range(90)]
    assert [(s.sequence, read_number(s.image)) for s in samples] == list(on_screen(times, 90 / rate, fps))
    assert [s.timestamp for s in samples] == [times[read_number(s.image)] for s in samples]
    assert [s.until for s in samples] == [s.timestamp + 1 / rate for s in samples]


def test_a_varying_rate_with_long_holds(tmp_path):
    pts = [0, 40, 80, 499, 500, 501, 1999, 2000, 5500, 5540]
    path = write_clip(tmp_path / "a.mp4", len(pts), pts=pts, time_base=MILLISECOND)
    samples, _ = read(path, Fraction(2))
    # At 0.5 s the frame that appears in that very moment; the one shown from 2 s to 5.5 s once; none between.
    assert [(s.sequence, read_number(s.image)) for s in samples] == [(0, 0), (1, 4), (2, 5), (4, 7), (11, 8)]
    assert [(s.timestamp, s.until) for s in samples][3] == (Fraction(2), Fraction(11, 2))


FILES = {
    "h264 mp4": {"suffix": ".mp4", "b_frames": 3},
    "h264 open gop mp4": {"suffix": ".mp4", "b_frames": 3, "options": OPEN_GOP},
    "h264 fragmented mp4": {"suffix": ".mp4", "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "h264 mov": {"suffix": ".mov", "b_frames": 2, "audio": True},
    "h264 mkv": {"suffix": ".mkv", "b_frames": 3, "options": OPEN_GOP, "audio": True},
    "h264 ts": {"suffix": ".ts", "b_frames": 2},
    "h264 open gop ts": {"suffix": ".ts", "b_frames": 3, "options": OPEN_GOP},
    "h264 avi with b-frames": {"suffix": ".avi", "b_frames": 2},
    "h264 flv": {"suffix": ".flv", "b_frames": 2},
    "h264 one i-frame": {"suffix": ".mp4", "gop": 250},
    "h264 late start": {"suffix": ".mkv", "pts": range(70, 130)},
    "hevc mp4": {"suffix": ".mp4", "codec": "libx265", "b_frames": 2},
    "mpeg4 avi": {"suffix": ".avi", "codec": "mpeg4", "b_frames": 2},
    "mpeg4 wmv": {"suffix": ".wmv", "codec": "mpeg4"},
    "mpeg2 ts": {"suffix": ".ts", "codec": "mpeg2video", "b_frames": 2},
    "mpeg2 program stream": {"suffix": ".mpg", "codec": "mpeg2video", "b_frames": 2},
    "vp9 webm": {"suffix": ".webm", "codec": "libvpx-vp9"},
    "ffv1 mkv, 10 bit": {"suffix": ".mkv", "codec": "ffv1", "pixel_format": "yuv422p10le"},
    "rgb avi": {"suffix": ".avi", "codec": "rawvideo", "pixel_format": "bgr24"},
    "odd size": {"suffix": ".mkv", "codec": "ffv1", "size": (321, 179)},
}


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_every_container_gives_the_same_frames_whole_and_in_windows(tmp_path, file):
    options = dict(file)
    path = write_clip(tmp_path / f"a{options.pop('suffix')}", 60, **options)
    fps = Fraction(5)
    samples, rows = read(path, fps)
    assert [(s.sequence, read_number(s.image)) for s in samples] == [(n, 5 * n) for n in range(12)]
    assert [s.timestamp for s in samples] == [pytest.approx(n / 5, abs=0.001) for n in range(12)]
    assert len(rows) == 60
    # Cuts on an I-frame, on a frame, between two frames, between two instants.
    cuts = [Fraction(12, 25), Fraction(1), Fraction(111, 100), Fraction(7, 5), Fraction(2399, 1000)]
    in_windows, rows_in_windows = read(path, fps, cuts)
    assert comparable(in_windows) == comparable(samples)
    assert rows_in_windows == rows


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_windows_together_equal_the_whole(data):
    gaps = data.draw(st.lists(st.sampled_from([1, 7, 33, 40, 41, 120, 900]), min_size=1, max_size=50))
    pts = [sum(gaps[:index]) for index in range(len(gaps) + 1)]
    fps = data.draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(10), Fraction(30000, 1001), Fraction(2, 7)]))
    cuts = data.draw(st.sets(st.integers(1, pts[-1] + 100), max_size=4).map(sorted))
    suffix, codec = data.draw(st.sampled_from([(".mp4", "libx264"), (".mkv", "libx264"), (".webm", "libvpx-vp9")]))
    gop = data.draw(st.sampled_from([1, 6, 100]))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write_clip(path, len(pts), pts=pts, time_base=MILLISECOND, codec=codec, gop=gop, size=(64, 48))
        samples, rows = read(path, fps)
        in_windows, rows_in_windows = read(path, fps, [cut * MILLISECOND for cut in cuts])
    times = [tick * MILLISECOND for tick in pts]
    expected = list(on_screen(times, samples[-1].until if samples else times[-1], fps))
    assert [(s.sequence, read_number(s.image)) for s in samples][: len(expected)] == expected
    assert [row[0] for row in rows] == [pytest.approx(float(time), abs=1e-6) for time in times]
    assert comparable(in_windows) == comparable(samples)
    assert rows_in_windows == rows


def test_what_an_edit_list_leaves_out_is_not_shown(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 60, pts=range(-10, 50), b_frames=2)
    samples, rows = read(path, Fraction(5))
    assert [read_number(s.image) for s in samples] == list(range(10, 60, 5))
    assert samples[0].timestamp == 0
    in_windows, rows_in_windows = read(path, Fraction(5), [Fraction(1, 25), Fraction(1)])
    assert comparable(in_windows) == comparable(samples)
    assert rows_in_windows == rows


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_pictures_come_upright(tmp_path, rotation):
    path = write_clip(tmp_path / "a.mp4", 5, size=(96, 160), rotation=rotation)
    samples, _ = read(path, Fraction(25))
    assert {s.image.shape for s in samples} == {(160, 96, 3)}
    assert [read_number(s.image) for s in samples] == [0, 1, 2, 3, 4]


def test_a_mirrored_picture_is_put_right(tmp_path):
    samples, _ = read(write_clip(tmp_path / "a.mp4", 3, mirrored=True), Fraction(25))
    assert [read_number(s.image) for s in samples] == [0, 1, 2]


@pytest.mark.parametrize("size", [(3840, 2160), (642, 358), (64, 48)])
def test_sizes(tmp_path, size):
    samples, rows = read(write_clip(tmp_path / "a.mp4", 2, size=size), Fraction(25))
    assert [s.image.shape for s in samples] == [(size[1], size[0], 3)] * 2
    assert [read_number(s.image) for s in samples] == [0, 1]
    assert all(s.image.dtype == np.uint8 and s.image.flags["C_CONTIGUOUS"] for s in samples)
    assert rows[0][1] == 0.0


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv420p10le"])
def test_colours_are_bgr_of_full_range(tmp_path, pixel_format):
    colours = [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
    pictures = [np.full((96, 128, 3), colour, np.uint8) for colour in colours]
    samples, _ = read(write_clip(tmp_path / "a.mp4", pictures, pixel_format=pixel_format), Fraction(25))
    assert [s.image[48, 64].tolist() for s in samples] == [pytest.approx(colour, abs=8) for colour in colours]


@pytest.mark.parametrize("colorspace", [3, 8, 12])
def test_an_unknown_colour_space_is_no_obstacle(tmp_path, colorspace):
    options = {"preset": "veryfast", "crf": "16", "colorspace": str(colorspace)}
    samples, _ = read(write_clip(tmp_path / "a.mp4", 3, options=options), Fraction(25))
    assert [read_number(s.image) for s in samples] == [0, 1, 2]


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix"),
    [("libx264", "yuv420p", ".mp4"), ("ffv1", "yuv420p10le", ".mkv"), ("rawvideo", "bgr24", ".avi")],
)
def test_signals_show_the_cut_at_its_very_frame(tmp_path, codec, pixel_format, suffix):
    dark, light = np.full((96, 128, 3), 40, np.uint8), np.full((96, 128, 3), 200, np.uint8)
    pictures = [dark] * 17 + [light] * 13
    path = write_clip(tmp_path / f"a{suffix}", pictures, codec=codec, pixel_format=pixel_format)
    with VideoReader(path) as reader:
        list(reader.sample_window(Fraction(1)))
        signals = reader.signals
    assert len(signals.timestamps) == 30
    cut = min(range(30), key=lambda index: abs(signals.timestamps[index] - 17 / 25))
    changed = [index for index, change in enumerate(signals.change) if change > 5]
    assert changed == [cut]
    assert signals.change[cut] == pytest.approx(signals.luma[-1] - signals.luma[0], abs=2)
    assert signals.change[cut] > 100
    assert [index for index, distance in enumerate(signals.histogram) if distance > 0.5] == [cut]
    assert max(signals.histogram) <= 1


def test_only_the_frames_of_the_window_are_in_its_signals(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 50)
    with VideoReader(path) as reader:
        samples = list(reader.sample_window(Fraction(5), Fraction(1, 2), Fraction(1)))
        assert [s.sequence for s in samples] == [3, 4]
        assert reader.signals.timestamps == pytest.approx([index / 25 for index in range(13, 25)])
        assert reader.ended_at == 1
        list(reader.sample_window(Fraction(5), Fraction(1)))
        assert reader.ended_at == 2


def test_a_window_behind_the_end_is_empty(tmp_path):
    with VideoReader(write_clip(tmp_path / "a.mp4", 50)) as reader:
        assert list(reader.sample_window(Fraction(2), Fraction(60), Fraction(90))) == []
        assert reader.signals.timestamps == []
        assert reader.problems == []


def test_a_change_of_picture_size_is_scaled_away_and_told(tmp_path):
    small = write_clip(tmp_path / "small.ts", 25, size=(128, 96)).read_bytes()
    large = write_clip(tmp_path / "large.ts", 25, size=(256, 192), pts=range(25, 50)).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(small + large)
    with VideoReader(path) as reader:
        samples = list(reader.sample_window(Fraction(5)))
        assert {s.image.shape for s in samples} == {(96, 128, 3)}
        assert [read_number(s.image) for s in samples[-2:]] == [15, 20]
        assert any("picture size changes to 256x192" in problem for problem in reader.problems)


@pytest.mark.parametrize("window", [(0, 1, 1), (2, -1, 1), (2, 1, 1)])
def test_windows_that_make_no_sense_are_refused(tmp_path, window):
    fps, start, end = map(Fraction, window)
    with VideoReader(write_clip(tmp_path / "a.mp4", 2)) as reader, pytest.raises(ValueError, match="expected a"):
        reader.sample_window(fps, start, end)


def test_decoded_pictures_do_not_linger(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 50)
    gc.collect()
    gc.disable()
    try:
        with VideoReader(path) as reader:
            for start in range(2):
                assert list(reader.sample_window(Fraction(25), Fraction(start), Fraction(start + 1)))
        lingering = [o for o in gc.get_objects() if issubclass(type(o), av.VideoFrame) and o.width > 16]
        assert lingering == []
    finally:
        gc.enable()


def test_a_numbered_picture_that_is_turned_is_noticed():
    picture = numbered_picture(513)
    assert read_number(picture) == 513
    for other in (picture[::-1], picture[:, ::-1], np.rot90(picture), np.rot90(picture, 2), picture.transpose(1, 0, 2)):
        with pytest.raises(ValueError, match="turned"):
            read_number(other)

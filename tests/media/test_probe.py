"""What a file holds, and one clear line where it cannot be read."""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction

import cv2
import pytest

from detect.errors import MediaError
from detect.media import VideoReader, probe
from tests.media.clips import cut_file, numbered_picture, write_clip, write_sound


def test_a_plain_file(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 60, rate=Fraction(30000, 1001), size=(160, 90), b_frames=2, audio=True)
    found = probe(path)
    assert (found.width, found.height, found.rotation) == (160, 90, 0)
    assert found.frame_rate == "30000/1001"
    assert not found.variable_frame_rate
    assert found.duration == pytest.approx(60 * 1001 / 30000)
    assert (found.codec, found.container, found.pixel_format) == ("h264", "mov", "yuv420p")
    assert found.has_audio
    assert found.start_time == 0.0
    assert found.size_bytes == path.stat().st_size
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.path == str(path)
    assert found.warnings == []


@pytest.mark.parametrize(("rotation", "size"), [(90, (90, 160)), (180, (160, 90)), (270, (90, 160))])
def test_a_turned_file_has_its_upright_size(tmp_path, rotation, size):
    found = probe(write_clip(tmp_path / "a.mov", 3, size=size, rotation=rotation))
    assert (found.width, found.height, found.rotation) == (*size, rotation)


def test_steady_rates_are_told_from_varying_ones(tmp_path):
    steady = write_clip(tmp_path / "steady.mkv", 90, rate=Fraction(30000, 1001), b_frames=2)
    held = [index * 40 + (3000 if index > 60 else 0) for index in range(90)]
    varying = write_clip(tmp_path / "varying.mkv", 90, pts=held, time_base=Fraction(1, 1000), b_frames=2)
    assert not probe(steady).variable_frame_rate
    assert probe(varying).variable_frame_rate


def test_a_rate_that_varies_only_later_is_noticed(tmp_path):
    pts = [index * 40 for index in range(450)] + [18000 + 40 * index**2 for index in range(40)]
    path = write_clip(tmp_path / "a.mp4", 490, pts=pts, time_base=Fraction(1, 1000), size=(64, 48))
    assert probe(path).variable_frame_rate


def test_a_length_that_is_not_stated_is_measured(tmp_path):
    path = write_clip(tmp_path / "live.mkv", 60, b_frames=2, container_options={"live": "1"})
    assert probe(path).duration == pytest.approx(2.4)


def test_a_start_other_than_zero_is_told(tmp_path):
    path = write_clip(tmp_path / "late.mkv", 10, pts=range(50, 60))
    found = probe(path)
    assert found.start_time == pytest.approx(2.0)
    assert found.duration == pytest.approx(0.4)


def test_interlacing_is_noted(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 5, options={"preset": "veryfast", "x264-params": "tff=1"})
    assert any("interlaced" in warning for warning in probe(path).warnings)


def test_a_wrong_extension_does_not_matter(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 5).rename(tmp_path / "a.avi")
    assert probe(path).container == "mov"


def _text(folder):
    path = folder / "text.mp4"
    path.write_text("this is no video\n" * 100)
    return path


def _playlist(folder):
    write_clip(folder / "part.ts", 25)
    path = folder / "playlist.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\npart.ts\n#EXT-X-ENDLIST\n")
    return path


def _concat(folder):
    write_clip(folder / "part.mp4", 25)
    path = folder / "list.mp4"
    path.write_text("ffconcat version 1.0\nfile part.mp4\n")
    return path


def _still(folder):
    path = folder / "still.mp4"
    path.write_bytes(cv2.imencode(".jpg", numbered_picture(1))[1].tobytes())
    return path


def _empty(folder):
    path = folder / "empty.mp4"
    path.touch()
    return path


def _without_index(folder):
    return cut_file(write_clip(folder / "whole.mp4", 50), folder / "cut.mp4", 0.6)


def _sound(folder):
    return write_sound(folder / "song.mp4")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "missing.mp4", "there is no such file"),
        (lambda folder: folder, "is a folder, not a video"),
        (_empty, r"is empty \(0 bytes\)"),
        (_text, "is not a video"),
        (_playlist, "is not a video"),
        (_concat, "is not a video"),
        (_still, r"is a still image \(JPEG\), not a video"),
        (_sound, r"has no video stream \(sound only\)"),
        (_without_index, r"without a usable index \(moov\)"),
        (lambda folder: write_clip(folder / "bare.h264", 10), "has no timestamps"),
    ],
)
def test_what_cannot_be_read_says_why_in_one_line(tmp_path, make, said):
    path = make(tmp_path)
    with pytest.raises(MediaError, match=said) as probed:
        probe(path)
    assert probed.value.message.startswith(f"{path}: ")
    assert "\n" not in probed.value.message
    with pytest.raises(MediaError, match=said), VideoReader(path):
        pass


def test_a_file_without_permission_says_so(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mp4", 2)
    path.chmod(0)
    if os.access(path, os.R_OK):  # Root may read everything: have the open refused as it would be for others.
        monkeypatch.setattr(type(path), "open", _refuse)
    with pytest.raises(MediaError, match="permission denied"):
        probe(path)


def _refuse(*args, **kwargs):
    raise PermissionError(13, "Permission denied")


def test_a_file_in_which_nothing_decodes_is_refused(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 30, container_options={"movflags": "faststart"})
    data = path.read_bytes()
    pictures = data.index(b"mdat") + 4
    path.write_bytes(data[:pictures] + bytes(len(data) - pictures))
    with pytest.raises(MediaError, match="no frame of it can be decoded"):
        probe(path)

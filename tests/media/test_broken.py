"""Files that are damaged or cut off are read as far as they go, and the reader says where they were not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from detect.errors import MediaError
from detect.media import VideoReader, probe
from tests.media.clips import cut_file, read_number, write_clip

FASTSTART = {"movflags": "faststart"}


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mp4", {"container_options": FASTSTART, "b_frames": 2}),
        (".mkv", {"b_frames": 2}),
        (".mkv", {"audio": True}),
        (".webm", {"codec": "libvpx-vp9"}),
    ],
)
def test_a_file_that_breaks_off_is_read_to_there(tmp_path, suffix, options):
    whole = write_clip(tmp_path / f"whole{suffix}", 250, **options)
    path = cut_file(whole, tmp_path / f"cut{suffix}", 0.6)
    assert probe(path).duration == pytest.approx(10, abs=0.1)
    with VideoReader(path) as reader:
        samples = list(reader.sample_window(Fraction(5)))
        ended_at = reader.ended_at
        assert ended_at is not None
        assert 3 < ended_at < 7
        assert [read_number(s.image) for s in samples] == [5 * s.sequence for s in samples]
        assert samples[-1].until <= ended_at
        assert ended_at - samples[-1].timestamp <= Fraction(1, 5)
        (problem,) = reader.problems
        assert problem.startswith("the video breaks off at 00:00:0")
        assert "of a stated 00:00:10." in problem
        # A window behind the break has nothing, and says the same.
        assert list(reader.sample_window(Fraction(5), Fraction(8))) == []
        assert reader.problems == [problem]
        assert reader.ended_at == ended_at


@pytest.mark.parametrize("suffix", [".ts", ".avi"])
def test_a_file_that_breaks_off_without_having_stated_its_length(tmp_path, suffix):
    path = cut_file(write_clip(tmp_path / f"whole{suffix}", 250), tmp_path / f"cut{suffix}", 0.6)
    with VideoReader(path) as reader:
        samples = list(reader.sample_window(Fraction(5)))
        assert [read_number(s.image) for s in samples] == [5 * s.sequence for s in samples]
        assert reader.ended_at is not None
        assert 3 < reader.ended_at < 7


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mp4", {"container_options": FASTSTART}),
        (".mkv", {}),
        # Frames of many transport packets: only a frame that lost a part of itself tells of the loss.
        (".ts", {"codec": "mpeg2video"}),
    ],
)
def test_reading_goes_on_behind_a_damaged_part(tmp_path, suffix, options):
    path = write_clip(tmp_path / f"a{suffix}", 250, gop=25, **options)
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * 0.4), int(len(data) * 0.5)
    data[first:last] = bytes(last - first)
    path.write_bytes(data)
    with VideoReader(path) as reader:
        samples = list(reader.sample_window(Fraction(5)))
        assert any("damaged data at" in problem for problem in reader.problems)
        assert reader.ended_at == 10
        # Before the damage, and from the second I-frame behind it, every frame is where it belongs.
        early = [s for s in samples if s.timestamp < Fraction(1)]
        late = [s for s in samples if s.timestamp >= 9]
        assert len(early) == len(late) == 5
        assert [read_number(s.image) for s in early + late] == [5 * s.sequence for s in early + late]
        # Nothing is said to have stayed on screen through the part that was lost.
        assert max(s.until - s.timestamp for s in samples) <= Fraction(1, 5)


def test_another_recording_spliced_on_ends_the_reading(tmp_path):
    later = write_clip(tmp_path / "later.ts", 75, pts=range(1000, 1075)).read_bytes()
    earlier = write_clip(tmp_path / "earlier.ts", 150, gop=12).read_bytes()
    path = tmp_path / "spliced.ts"
    path.write_bytes(later + earlier)
    with VideoReader(path) as reader:
        samples = list(reader.sample_window(Fraction(5)))
        assert [read_number(s.image) for s in samples] == [5 * n for n in range(15)]
        assert any("timestamps go back from 00:00:02.960" in problem for problem in reader.problems)


def test_problems_belong_to_their_window(tmp_path):
    whole = write_clip(tmp_path / "whole.mp4", 250, container_options=FASTSTART)
    with VideoReader(cut_file(whole, tmp_path / "cut.mp4", 0.6)) as reader:
        list(reader.sample_window(Fraction(5), Fraction(0), Fraction(2)))
        assert reader.problems == []


def test_a_file_that_holds_no_whole_frame_is_refused(tmp_path):
    whole = write_clip(tmp_path / "whole.mkv", 50)
    with pytest.raises(MediaError), VideoReader(cut_file(whole, tmp_path / "cut.mkv", 0.12)):
        pass

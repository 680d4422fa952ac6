"""Real broadcast footage: edit lists, B-frames, long groups of pictures, sound that starts before the picture."""

from __future__ import annotations

from fractions import Fraction

import pytest

from detect.media import VideoReader, probe

CLIPS = ["soccer_realmadrid_sevilla.mp4", "cricket_ipl_srh_mi.mp4", "scenes_bikes.mp4", "faces_whitehouse_miranda.mp4"]


@pytest.mark.parametrize("name", CLIPS)
def test_windows_together_equal_the_whole(real_media, name):
    fps = Fraction(2)
    with VideoReader(real_media / name) as reader:
        whole = [(s.sequence, s.pts, s.until, s.image.tobytes()) for s in reader.sample_window(fps)]
        change, ended_at, problems = reader.signals.change, reader.ended_at, reader.problems
        parts, change_of_parts = [], []
        for start, end in ((0, 5), (5, None)):
            window = reader.sample_window(fps, Fraction(start), None if end is None else Fraction(end))
            parts += [(s.sequence, s.pts, s.until, s.image.tobytes()) for s in window]
            change_of_parts += reader.signals.change
    assert parts == whole
    assert change_of_parts == change
    assert problems == []
    assert ended_at is not None
    assert float(ended_at) == pytest.approx(probe(real_media / name).duration, abs=0.05)
    assert [sample[0] for sample in whole] == list(range(len(whole)))

"""The yardstick has to be a fair one: it finds what an hour's work would find, and nothing that is not there."""

from __future__ import annotations

import av
import numpy as np
import pytest

from bench.plain_ocr import brands_in, letters, read_names, sampled_frames, spans_of

NAMES = {"Velmora": ["velmora"], "RIQ": ["riq"], "Oltra Vesk": ["oltravesk", "vesk"]}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("VELMORA", {"Velmora"}),
        ("see VELM0RA now", {"Velmora"}),
        ("Vélmora", {"Velmora"}),
        ("elmora", {"Velmora"}),
        ("Velour Park", set()),
        ("RIQ", {"RIQ"}),
        ("RIO", set()),
        ("ARIQ", {"RIQ"}),
        ("TARIQ STRIQUE", set()),
        ("OLTRA VESK", {"Oltra Vesk"}),
        ("vesk", {"Oltra Vesk"}),
        ("2 : 1", set()),
        ("", set()),
    ],
)
def test_names_in_a_line(line, found):
    assert brands_in(line, NAMES) == found


def test_letters():
    assert letters("Kühl & Söhne-9 ") == "kuhlsohne9"


def test_brand_list(tmp_path):
    path = tmp_path / "brands.csv"
    path.write_text("name,aliases\nOltra Vesk,OltraVesk;Vesk\nRIQ,\n")
    assert read_names(path) == {"Oltra Vesk": ["oltravesk", "oltravesk", "vesk"], "RIQ": ["riq"]}


def test_hits_count_for_the_half_second_around_them():
    assert spans_of([0.0, 0.5, 1.0, 3.5]) == [[0.0, 1.25], [3.25, 3.75]]
    assert spans_of([0.034, 0.5]) == [[0.0, 0.75]]
    assert spans_of([]) == []


def test_two_frames_a_second_by_their_timestamps(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width = stream.height = 64
        for number in range(75):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found = list(sampled_frames(path))
    assert [instant for instant, _ in found] == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])
    assert found[0][1].shape == (64, 64, 3)

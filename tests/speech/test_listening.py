"""Sound by its timestamps: the same samples in whatever windows, in their place, silence where there is nothing."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from detect.errors import MediaError
from detect.media.heard import sound_facts
from detect.media.listening import SAMPLE_RATE, Samples, SoundReader
from tests.media.clips import write_clip
from tests.speech.heard import read_all, silence, write_film

FORMATS = [
    ("tone.wav", "pcm_s16le", 44100),
    ("tone.wav", "pcm_s16le", 16000),
    ("tone.flac", "flac", 48000),
    ("tone.flac", "flac", 22050),
    ("tone.m4a", "aac", 44100),
    ("tone.mp3", "libmp3lame", 44100),
    ("tone.ogg", "libopus", 48000),
    ("tone.mkv", "flac", 32000),
    ("tone.ts", "aac", 48000),
]
EXACT = ("pcm_s16le", "flac", "libmp3lame", "libopus")


def hum(seconds: float, rate: int) -> Samples:
    """A tone that rises and swells, so that no two moments are alike."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.4 * np.sin(2 * np.pi * (200 + 90 * time) * time) * (0.6 + 0.4 * np.sin(time))).astype(np.float32)


def write_tone(path: Path, codec: str, rate: int, samples: Samples, *, gap: tuple[float, float] | None = None) -> Path:
    """A file of sound alone; within ``gap`` seconds nothing is written."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        for start in range(0, len(samples), 4000):
            if gap and gap[0] <= start / rate < gap[1]:
                continue
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 4000], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            for suited in resampler.resample(frame):
                container.mux(stream.encode(suited))
        container.mux(stream.encode(None))
    return path


def loudest(path: Path, start: float, end: float) -> float:
    with SoundReader(path) as reader:
        return float(np.abs(reader.read(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))).max())


def onset(path: Path) -> float:
    """When it is first loud, seconds."""
    with SoundReader(path) as reader:
        return int(np.argmax(np.abs(reader.read(0, 12 * SAMPLE_RATE)) > 0.1)) / SAMPLE_RATE


@pytest.mark.parametrize(("name", "codec", "rate"), FORMATS)
def test_windows_together_are_the_whole(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write_tone(tmp_path / name, codec, rate, hum(9, rate))
    with SoundReader(path) as reader:
        whole = reader.read(0, 10 * SAMPLE_RATE)
        assert abs((reader.ended_at or 0) / SAMPLE_RATE - 9) < 0.1
    at = [0, 16001, 50000, 50003, 97531, 160000]
    with SoundReader(path) as reader:
        in_order = [reader.read(start, end) for start, end in pairwise(at)]
    by_itself = []
    for start, end in pairwise(at):
        with SoundReader(path) as reader:
            by_itself.append(reader.read(start, end))
    assert np.array_equal(np.concatenate(in_order), whole)
    assert np.array_equal(np.concatenate(by_itself), whole)
    with SoundReader(path) as reader:
        later, earlier = reader.read(100000, 110000), reader.read(20000, 30000)
    assert np.array_equal(later, whole[100000:110000])
    # a lossy decoder that begins in the middle is off by what nobody hears
    np.testing.assert_allclose(earlier, whole[20000:30000], rtol=0, atol=0 if codec in EXACT else 1e-4)


@pytest.mark.parametrize(("name", "codec", "rate"), FORMATS[:1] + FORMATS[4:7])
def test_far_ahead_is_the_same_as_step_by_step(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write_tone(tmp_path / name, codec, rate, np.tile(hum(9, rate), 9))
    start, end = 75 * SAMPLE_RATE + 11, 76 * SAMPLE_RATE
    with SoundReader(path) as reader:
        for second in range(75):
            reader.read(second * SAMPLE_RATE, (second + 1) * SAMPLE_RATE)
        step_by_step = reader.read(start, end)
    with SoundReader(path) as reader:
        at_once = reader.read(start, end)
    np.testing.assert_allclose(at_once, step_by_step, rtol=0, atol=0 if codec in EXACT else 1e-4)


@pytest.mark.parametrize(("name", "codec", "rate"), FORMATS)
def test_the_sound_is_what_was_written(tmp_path: Path, name: str, codec: str, rate: int) -> None:
    path = write_tone(tmp_path / name, codec, rate, hum(3, rate))
    heard, meant = read_all(path)[:47000], hum(3, SAMPLE_RATE)[:47000]
    # codecs add a little before the first sample; the file's clock begins with it
    shift = max(range(2500), key=lambda lag: float(heard[lag : lag + 8000] @ meant[:8000]))
    likeness = np.corrcoef(heard[shift : shift + 40000], meant[:40000])[0, 1]
    assert likeness > 0.98 and shift < 1200
    assert heard.dtype == np.float32


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "mov"])
@pytest.mark.parametrize(
    ("sound_at", "pictures_at", "expected"), [(0, 0, 1.0), (2.5, 0, 3.5), (0, 0.7, 0.3), (3, 1, 3.0)]
)
def test_sound_that_starts_late_or_early_is_in_its_place(
    tmp_path: Path, suffix: str, sound_at: float, pictures_at: float, expected: float
) -> None:
    samples = np.concatenate([silence(1), hum(2, SAMPLE_RATE)])
    film = write_film(tmp_path / f"film.{suffix}", samples, sound_at=sound_at, pictures_at=pictures_at, seconds=6)
    assert onset(film) == pytest.approx(expected, abs=0.05)


def test_a_gap_is_silence(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "gap.mkv", "flac", 16000, hum(9, 16000), gap=(3, 6))
    assert loudest(path, 1, 2.9) > 0.1 and loudest(path, 6.6, 8.9) > 0.1
    assert loudest(path, 3.6, 5.9) == 0 and loudest(path, 9.1, 11) == 0
    with SoundReader(path) as reader:
        reader.read(0, 10 * SAMPLE_RATE)
        (problem,) = reader.problems(Fraction(0), None)
        assert problem.startswith("sound is damaged or missing at 00:00:03.0")


def test_without_sound_it_says_so(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "silent.mp4", 5)
    with SoundReader(film) as reader:
        assert reader.silent_because == "the file has no sound"
        with pytest.raises(ValueError, match="no sound"):
            reader.read(0, 10)


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "none.wav").write_bytes(b"no sound")
    for name in ("none.wav", "gone.wav"):
        with pytest.raises(MediaError), SoundReader(tmp_path / name):
            pass


def test_broken_sound_is_told_of_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.flac", "flac", 16000, hum(9, 16000))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(bytes(data))
    with SoundReader(path) as reader:
        heard = reader.read(0, 10 * SAMPLE_RATE)
        assert any("damaged or missing at" in problem for problem in reader.problems(Fraction(0), None))
        assert reader.problems(Fraction(0), Fraction(2)) == []
    assert np.abs(heard[SAMPLE_RATE : 3 * SAMPLE_RATE]).max() > 0.1
    assert np.abs(heard[7 * SAMPLE_RATE : 8 * SAMPLE_RATE]).max() > 0.1


def test_sound_that_breaks_off_is_told_of(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "tone.flac", "flac", 16000, hum(9, 16000))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with SoundReader(path) as reader:
        reader.read(0, 10 * SAMPLE_RATE)
        assert any("breaks off at 00:00:0" in note for note in reader.problems(Fraction(0), None))


def test_what_lies_between_windows_takes_no_memory(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "long.mp3", "libmp3lame", 16000, np.zeros(16000 * 150, np.float32))
    tracemalloc.start()
    try:
        with SoundReader(path) as reader:
            reader.read(0, SAMPLE_RATE)
            reader.read(140 * SAMPLE_RATE, 141 * SAMPLE_RATE)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "codec"), [("tone.m4a", "aac"), ("tone.mp3", "libmp3lame"), ("tone.wav", "pcm_s16le")]
)
def test_sound_alone_counts_from_its_own_first_timestamp(tmp_path: Path, name: str, codec: str) -> None:
    path = write_tone(tmp_path / name, codec, 44100, hum(1, 44100))
    with SoundReader(path) as reader:
        assert reader.origin == sound_facts(path).start

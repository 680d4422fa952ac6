"""Models of speech: what they are asked, what is made of odd answers, and files that hold none."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES

from detect.engines.objects import WeightsError
from detect.engines.transcription import SpeechModel
from detect.engines.voice_activity import FRAME, VoiceActivity, voice_activity_digest
from detect.engines.voices import SIZE, VoiceEncoder, mel_spectrogram
from detect.media.listening import SAMPLE_RATE, Samples
from detect.registry import load_pipeline
from tests.speech.heard import read_all, silence


class Multilingual:
    """A Whisper model that hears what it is told to, and notes how it was asked."""

    feature_extractor = SimpleNamespace(sampling_rate=SAMPLE_RATE)
    model = SimpleNamespace(is_multilingual=True)
    supported_languages = ("en", "de", "fr")

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def detect_language(self, samples: Samples) -> Any:
        return self.answers.pop(0)

    def transcribe(self, samples: Samples, **asked: Any) -> Any:
        self.asked.append(asked)
        return iter(self.answers.pop(0)), None


def model_of(monkeypatch: pytest.MonkeyPatch, folder: Path, *answers: Any) -> tuple[SpeechModel, Multilingual]:
    fake = Multilingual(*answers)
    monkeypatch.setattr("detect.engines.transcription._load", lambda *_: ("cpu", fake))
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (folder / name).touch()
    return SpeechModel(folder, threads=1), fake


def said(*words: tuple[str, float, float], loops: bool = False) -> SimpleNamespace:
    spoken = [SimpleNamespace(word=w, start=s, end=e, probability=1.0000001) for w, s, e in words]
    return SimpleNamespace(words=spoken, compression_ratio=5.0 if loops else 1.2)


def test_the_language_is_the_likeliest_over_all_passages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heard = [("de", 0.5, [("de", 0.5), ("en", 0.4)]), ("fr", 0.6, [("fr", 0.6), ("en", 0.4)]), ("en", 1, [("en", 1.0)])]
    model, _ = model_of(monkeypatch, tmp_path, *heard)
    language, probability = model.detect_language([silence(1)] * 3)
    assert language == "en" and probability == pytest.approx(0.6)


def test_nothing_is_drawn_at_random_and_loops_are_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model, fake = model_of(monkeypatch, tmp_path, [said((" la", 0, 1), loops=True)], [said((" la", 0, 0.5))])
    (segment,) = model.transcribe(silence(2), language="de", beam_size=3)
    assert segment.end == 0.5
    first, second = fake.asked
    assert (first["temperature"], first["beam_size"], first["language"]) == (0.0, 3, "de")
    assert first["condition_on_previous_text"] is False and first["word_timestamps"] is True
    assert first["no_repeat_ngram_size"] == 0 and second["no_repeat_ngram_size"] > 0


def test_words_follow_one_another_within_the_passage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer = [said((" a", 0.5, 0.5), (" b", 0.4, 0.9), (" ", 0.9, 1.0)), said(), said((" c", 0.8, 31.0))]
    model, _ = model_of(monkeypatch, tmp_path, answer)
    first, second = model.transcribe(silence(2), language="en", beam_size=1)
    assert [(word.text, word.start, word.end) for word in first.words] == [(" a", 0.5, 0.52), (" b", 0.52, 0.9)]
    assert [(word.start, word.end, word.probability) for word in second.words] == [(0.9, 2.0, 1.0)]


def test_a_language_the_model_does_not_know_is_named(whisper: Path) -> None:
    with pytest.raises(WeightsError, match="model knows English only, not 'de': choose another model"):
        SpeechModel(whisper, threads=1).transcribe(silence(1), language="de", beam_size=1)


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json"])
def test_a_folder_without_what_is_needed_is_no_model(whisper: Path, tmp_path: Path, missing: str) -> None:
    for file in whisper.iterdir():
        if file.name != missing:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(WeightsError, match=f"it has no {missing}"):
        SpeechModel(tmp_path, threads=1)


def test_a_broken_model_is_named(whisper: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(whisper / name, tmp_path / name)
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        SpeechModel(tmp_path, threads=1)


def test_every_language_of_whisper_may_be_chosen() -> None:
    assert set(load_pipeline("speech").params["language"].choices) == {"", *_LANGUAGE_CODES}


def test_voice_activity_goes_on_where_it_was(real_media: Path) -> None:
    sound = read_all(real_media / "speech_jfk.flac")
    sound = sound[: len(sound) // FRAME * FRAME]
    whole = VoiceActivity().listen(sound)
    listener = VoiceActivity()
    parts = [listener.listen(sound[at : at + 40 * FRAME]) for at in range(0, len(sound), 40 * FRAME)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    assert whole.max() > 0.9 and VoiceActivity().listen(silence(1.024)).max() < 0.1
    assert len(voice_activity_digest()) == 64 and VoiceActivity().listen(silence(0)).size == 0
    with pytest.raises(ValueError, match="whole frames"):
        VoiceActivity().listen(silence(0.1))


def test_a_voice_is_like_itself_and_unlike_others(encoder: Path, real_media: Path) -> None:
    model = VoiceEncoder(encoder, threads=1)
    sounds = [read_all(real_media / name) for name in ("speech_jfk.flac", "faces_whitehouse_miranda.mp4")]
    kennedy, actor = (
        np.stack([voice.vector for voice in model.embed(sound, [(0.3, 2.2), (5.5, 7.6)], step=0.4)]) for sound in sounds
    )
    assert kennedy.shape == (5, SIZE) and kennedy.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(kennedy, axis=1), 1, atol=1e-5)
    assert min((kennedy @ kennedy.T).mean(), (actor @ actor.T).mean()) > 0.7 > 0.6 > (kennedy @ actor.T).mean()


def test_windows_reach_over_no_pause_and_short_speech_is_a_window(encoder: Path) -> None:
    model = VoiceEncoder(encoder, threads=1)
    noise = np.random.default_rng(1).normal(0, 0.1, 8 * SAMPLE_RATE).astype(np.float32)
    voices = model.embed(noise, [(0.5, 1.0), (2.0, 3.0), (3.1, 4.3), (5.0, 5.005), (7.5, 9.0)], step=0.4)
    assert [(voice.start, voice.end) for voice in voices] == [
        (0.5, 1.0), (2.0, 3.6), (2.4, 4.0), (2.7, 4.3), (7.5, 8.01)
    ]  # fmt: skip
    assert model.embed(noise, [], step=0.4) == []
    # quiet sound is raised to the loudness that the network knows
    faint, fainter = (model.embed(noise * share, [(2.0, 3.6)], step=0.4)[0].vector for share in (0.1, 0.01))
    np.testing.assert_allclose(faint, fainter, atol=1e-4)


def test_a_tone_is_in_its_band() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    mels = [
        int(mel_spectrogram(np.sin(2 * np.pi * hertz * time).astype(np.float32))[50].argmax())
        for hertz in (150, 1000, 5000)
    ]
    # the middles of 40 bands on Slaney's scale lie 1.1 mel apart, the first at 1.1; 1 kHz is 15 mel
    assert mels == [1, 13, 34]
    assert mel_spectrogram(silence(1)).shape == (101, 40)


def test_a_file_that_is_no_encoder_is_named(tmp_path: Path) -> None:
    (tmp_path / "voices.pt").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"voices\.pt: is no GE2E speaker encoder"):
        VoiceEncoder(tmp_path / "voices.pt", threads=1)

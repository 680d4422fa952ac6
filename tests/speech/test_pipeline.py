"""Speech from file to files: what is said, when, by whom, whatever the windows and the file are like."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
import webvtt
from pyannote.database.util import load_rttm

from detect.artifacts import speakers as speakers_artifact
from detect.artifacts import transcript as transcript_artifact
from detect.checkpoints import serde
from detect.errors import CancelledError, MediaError
from detect.media.listening import SAMPLE_RATE, Samples
from detect.registry import load_pipeline
from detect.resources import Resources
from detect.speaker_turns import Turn
from detect.stages.base import Video
from detect.stages.find_speech import FindSpeech, FindSpeechInput, FindSpeechOptions
from detect.stages.tell_speakers import TellSpeakers, TellSpeakersInput, TellSpeakersOptions
from tests.media.clips import cut_file, write_clip
from tests.speech.heard import Heard, Shelf, listen, read_all, silence, write_film, write_wav
from tests.stages.pictures import context

JFK = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
# When words begin, heard by hand, seconds.
JFK_STARTS = {"and": 0.3, "my": 1.1, "fellow": 1.4, "americans": 1.75, "ask": 3.3, "not": 4.0, "what": 5.45}
# The voices of the mix: Kennedy, an actor, somebody who counts; and the silence before each, seconds.
ORDER = ["kennedy", "actor", "counter", "kennedy", "actor"]
PAUSES = [0.8, 0.8, 0.5, 2.4, 2.4]
NUMBERS = {"1": "one", "2": "two", "3": "three"}


@pytest.fixture(scope="module")
def kennedy(real_media: Path) -> Samples:
    return read_all(real_media / "speech_jfk.flac")


@pytest.fixture(scope="module")
def counter(real_media: Path) -> Samples:
    return read_all(real_media / "speech_english.wav")


@pytest.fixture(scope="module")
def jfk(ears: Resources, real_media: Path) -> Heard:
    return listen(real_media / "speech_jfk.flac", ears, 11.0)


@pytest.fixture(scope="module")
def mix(
    tmp_path_factory: pytest.TempPathFactory, real_media: Path, kennedy: Samples, counter: Samples
) -> tuple[Path, list[tuple[str, float, float]]]:
    """Three people one after another, 36 s, and who speaks from when to when."""
    actor = read_all(real_media / "faces_whitehouse_miranda.mp4")
    pieces = [kennedy, actor, counter, kennedy[: round(2.3 * SAMPLE_RATE)], actor[: 5 * SAMPLE_RATE]]
    parts: list[Samples] = []
    truth = []
    for who, piece, pause in zip(ORDER, pieces, PAUSES, strict=True):
        parts.append(silence(pause))
        start = sum(map(len, parts)) / SAMPLE_RATE
        parts.append(piece)
        truth.append((who, start, start + len(piece) / SAMPLE_RATE))
    return write_wav(tmp_path_factory.mktemp("mix") / "three people.wav", np.concatenate(parts)), truth


@pytest.fixture(scope="module")
def heard_mix(ears: Resources, mix: tuple[Path, list[tuple[str, float, float]]]) -> Heard:
    return listen(mix[0], ears, mix[1][-1][2], transcribe__beam_size=1)


def plain(text: str) -> str:
    """Words in small letters without signs, numbers written out."""
    words = re.sub(r"[^a-z0-9' ]", " ", text.lower()).split()
    return " ".join(NUMBERS.get(word, word) for word in words)


def errors(heard: Heard, said: str) -> float:
    return jiwer.wer(plain(said), plain(heard.text))


def voice_of(turns: list[Turn], seconds: float) -> int:
    return next((turn.speaker for turn in turns if turn.start <= seconds < turn.end), 0)


def check_times(heard: Heard) -> None:
    """Words follow one another, each within a passage."""
    words, passages = heard.words, heard.output("gather_speech").passages
    assert all(before.end <= after.start for before, after in pairwise(words))
    for word in words:
        assert word.start <= word.end
        assert any(passage.start <= word.start and word.end <= passage.end for passage in passages), word


def test_clean_speech_is_written_down(jfk: Heard) -> None:
    assert errors(jfk, JFK) < 0.1
    speech = jfk.output("gather_speech")
    assert (speech.language, speech.language_probability, speech.problems) == ("en", 1.0, [])


@pytest.mark.parametrize("options", [{"beam_size": 1}, {"beam_size": 5}, {"beam_size": 5, "precision": "float32"}])
def test_numbers_are_written_down(ears: Resources, real_media: Path, options: dict[str, Any]) -> None:
    heard = listen(
        real_media / "speech_english.wav", ears, 2.745, **{f"transcribe__{name}": v for name, v in options.items()}
    )
    assert errors(heard, "one two three") < 0.1
    for word, start in zip(heard.words, (0.1, 1.1, 2.1), strict=True):
        assert word.start == pytest.approx(start, abs=0.15)


def test_words_are_at_their_times(jfk: Heard) -> None:
    check_times(jfk)
    starts: dict[str, float] = {}
    for word in jfk.words:
        starts.setdefault(plain(word.text), word.start)
    for word, start in JFK_STARTS.items():
        assert starts[word] == pytest.approx(start, abs=0.25), word
    assert jfk.words[-1].end == pytest.approx(10.4, abs=0.25)


def test_the_same_file_gives_the_same_bytes(jfk: Heard, whisper: Path, encoder: Path, tmp_path: Path) -> None:
    again = listen(Path(jfk.source.path), Resources(shelf=Shelf(speech=whisper, speakers=encoder)), 11.0)
    for stage in load_pipeline("speech").stages:
        outputs = [serde.encode(list(run.parts(stage.name))) for run in (jfk, again)]
        assert outputs[0] == outputs[1], stage.name
    for number, run in enumerate((jfk, again)):
        (tmp_path / str(number)).mkdir()
        for write in (transcript_artifact.write, speakers_artifact.write):
            write(run, tmp_path / str(number))
    for file in (tmp_path / "0").iterdir():
        assert file.read_bytes() == (tmp_path / "1" / file.name).read_bytes()
        assert str(Path(jfk.source.path).parent).encode() not in file.read_bytes()


def test_windows_change_nothing(ears: Resources, heard_mix: Heard) -> None:
    options = {"find_speech__chunk_seconds": 10, "transcribe__beam_size": 1}
    narrow = listen(Path(heard_mix.source.path), ears, heard_mix.source.duration, **options)
    assert len(narrow.parts("find_speech")) > 3 and len(heard_mix.parts("find_speech")) == 1
    assert narrow.output("gather_speech").passages == heard_mix.output("gather_speech").passages
    assert narrow.words == heard_mix.words
    assert narrow.output("tell_speakers") == heard_mix.output("tell_speakers")


def test_speakers_are_told_apart(heard_mix: Heard, mix: tuple[Path, list[tuple[str, float, float]]]) -> None:
    told = heard_mix.output("tell_speakers")
    assert told.speakers == 3
    assert all(before.end <= after.start for before, after in pairwise(told.turns))
    numbers = {"kennedy": 1, "actor": 2, "counter": 3}
    right = wrong = 0.0
    for who, start, end in mix[1]:
        for turn in told.turns:
            shared = max(0.0, min(turn.end, end) - max(turn.start, start))
            right += shared * (turn.speaker == numbers[who])
            wrong += shared * (turn.speaker != numbers[who])
    assert right > 20 and wrong / (right + wrong) < 0.05


def test_words_have_their_speaker(heard_mix: Heard, mix: tuple[Path, list[tuple[str, float, float]]]) -> None:
    told = heard_mix.output("tell_speakers")
    assert len(told.said_by) == len(heard_mix.words)
    check_times(heard_mix)
    kennedy, _, counter = (
        " ".join(word.text for word, who in zip(heard_mix.words, told.said_by, strict=True) if who == number)
        for number in (1, 2, 3)
    )
    assert plain(counter) == "one two three"
    assert jiwer.wer(plain(JFK + " And so my fellow Americans"), plain(kennedy)) < 0.1


def test_nobody_is_passed_over_behind_a_pause_or_another_speaker(heard_mix: Heard) -> None:
    text = plain(heard_mix.text)
    assert text.count("fellow americans") == 2 and text.count("self starter by 14") == 2


def test_at_most_so_many_speakers(heard_mix: Heard) -> None:
    inputs = TellSpeakersInput(
        heard_mix.output("gather_speech"), heard_mix.parts("transcribe"), heard_mix.parts("embed_voices")
    )
    told = TellSpeakers().run(context(TellSpeakersOptions(max_speakers=2), {}), inputs)
    assert told.speakers == 2
    # the one who counts is given to another, the two who speak for long stay apart
    assert voice_of(told.turns, 7.5) == 1 and voice_of(told.turns, 15.0) == 2


def test_captions_and_words_are_read_by_others(heard_mix: Heard, tmp_path: Path) -> None:
    vtt, words = transcript_artifact.write(heard_mix, tmp_path)
    (rttm,) = speakers_artifact.write(heard_mix, tmp_path)
    assert [(a.type, a.role) for a in (vtt, words, rttm)] == [
        ("vtt", "transcript"), ("json", "words"), ("rttm", "speakers")
    ]  # fmt: skip
    cues = webvtt.read(str(tmp_path / vtt.path)).captions
    assert len(cues) == vtt.meta["cues"] > 4
    assert plain(" ".join(cue.text for cue in cues)) == plain(heard_mix.text)
    assert all(before.end <= after.start for before, after in pairwise(cues))
    assert {cue.voice for cue in cues} == {"Speaker 1", "Speaker 2", "Speaker 3"}
    document = json.loads((tmp_path / words.path).read_text())
    assert document["schema"] == "mediaproc.words/1" and document["language"] == "en"
    listed = [word for segment in document["segments"] for word in segment["words"]]
    assert [(word["start"], word["end"]) for word in listed] == [(word.start, word.end) for word in heard_mix.words]
    assert [word["speaker"] for word in listed] == heard_mix.output("tell_speakers").said_by
    (found,) = load_rttm(tmp_path / rttm.path).items()  # type: ignore[no-untyped-call]
    assert found[0] == "three_people"
    turns = heard_mix.output("tell_speakers").turns
    read = [(s.start, s.end, label) for s, _, label in found[1].itertracks(yield_label=True)]
    assert len(read) == len(turns)
    for (start, end, label), turn in zip(read, turns, strict=True):
        assert (start, end) == pytest.approx((turn.start, turn.end), abs=0.0011)
        assert label == f"speaker_{turn.speaker}"


def test_speech_that_starts_late_is_in_its_place(ears: Resources, tmp_path: Path, jfk: Heard, kennedy: Samples) -> None:
    film = write_film(tmp_path / "late.mp4", kennedy, sound_at=4.0, seconds=16)
    heard = listen(film, ears, 16.0, find_speech__chunk_seconds=10)
    assert errors(heard, JFK) < 0.1
    apart = [word.start - meant.start for word, meant in zip(heard.words, jfk.words, strict=True)]
    assert np.median(apart) == pytest.approx(4, abs=0.03) and max(abs(one - 4) for one in apart) < 0.4


def test_a_video_without_sound_says_so_and_leaves_empty_files(ears: Resources, tmp_path: Path) -> None:
    heard = listen(write_clip(tmp_path / "silent.mp4", 50), ears, 2.0)
    for stage in load_pipeline("speech").stages:
        assert heard.parts(stage.name)[0].skipped == "no speech: the file has no sound"
    transcript_artifact.write(heard, tmp_path)
    assert speakers_artifact.write(heard, tmp_path) == []
    assert webvtt.read(str(tmp_path / "transcript.vtt")).captions == []
    assert json.loads((tmp_path / "words.json").read_text())["segments"] == []


def test_sound_in_which_nobody_speaks(ears: Resources, tmp_path: Path) -> None:
    heard = listen(write_wav(tmp_path / "quiet.wav", silence(12)), ears, 12.0)
    assert heard.output("gather_speech").passages == [] and heard.output("gather_speech").language == ""
    assert heard.words == [] and heard.output("tell_speakers").turns == []
    assert heard.output("tell_speakers").skipped == ""
    (rttm,) = speakers_artifact.write(heard, tmp_path)
    assert (tmp_path / rttm.path).read_text() == ""


def test_a_damaged_file_gives_what_can_be_heard(ears: Resources, real_media: Path, tmp_path: Path) -> None:
    path = cut_file(real_media / "speech_jfk.flac", tmp_path / "cut.flac", 0.5)
    heard = listen(path, ears, 11.0)
    assert plain(heard.text).startswith("and so my fellow americans ask not")
    problem = heard.output("gather_speech").problems[-1]
    assert "the sound breaks off at 00:00:0" in problem and "of a stated 00:00:11" in problem
    (tmp_path / "none.wav").write_bytes(b"no sound")
    with pytest.raises(MediaError):
        listen(tmp_path / "none.wav", ears, 1.0)


def test_without_a_speaker_model_words_are_written_down_all_the_same(
    whisper: Path, real_media: Path, tmp_path: Path
) -> None:
    heard = listen(real_media / "speech_english.wav", Resources(shelf=Shelf(speech=whisper)), 2.745)
    told = heard.output("tell_speakers")
    assert "no speaker model" in told.skipped and told.said_by == []
    assert speakers_artifact.write(heard, tmp_path) == []
    transcript_artifact.write(heard, tmp_path)
    assert {cue.voice for cue in webvtt.read(str(tmp_path / "transcript.vtt")).captions} == {None}


def test_speakers_are_left_alone_where_nobody_asks(ears: Resources, real_media: Path) -> None:
    heard = listen(real_media / "speech_english.wav", ears, 2.745, embed_voices__enabled=False)
    assert heard.output("tell_speakers").skipped == "speakers are not told apart: embed_voices.enabled is off"
    stage = load_pipeline("speech").stage("embed_voices")
    assert stage.model_digests(heard.options["embed_voices"], ears) == ()


def test_looking_for_speech_can_be_stopped_and_tells_how_far_it_is(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "quiet.wav", silence(130))
    steps: list[float] = []
    ctx = context(FindSpeechOptions(), {}, progress=lambda done, total: steps.append(done / total))
    FindSpeech().run(ctx, FindSpeechInput(Video(str(path), "0", "130")))
    assert steps == sorted(steps) and len(steps) >= 3 and steps[-1] == 1

    def stop() -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        FindSpeech().run(context(FindSpeechOptions(), {}, checkpoint=stop), FindSpeechInput(Video(str(path))))

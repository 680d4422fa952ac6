"""WebVTT and RTTM, read back by libraries that did not write them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import webvtt
from pyannote.database.util import load_rttm

from detect.captions import LINE, SpokenWord, captions
from detect.formats.rttm import SpeakerTurn, write_rttm
from detect.formats.webvtt import Cue, write_webvtt


def say(text: str, *, start: float = 0.0, each: float = 0.3, speaker: int = 0) -> list[SpokenWord]:
    """Words one after another, ``each`` seconds long."""
    return [
        SpokenWord(f" {word}", start + index * each, start + (index + 1) * each, 0.9, speaker)
        for index, word in enumerate(text.split())
    ]


def read(text: str) -> list[webvtt.Caption]:
    return webvtt.from_string(text).captions


def test_what_is_written_is_what_a_reader_reads() -> None:
    cues = [
        Cue(0.0, 1.5, ("Hello <b>you</b> & me",), "Speaker 1"),
        Cue(1.5, 3723.25, ("two lines", "→ here --> there"), "A & <B>"),
        Cue(3723.25, 400000.001, ("שלום 👋🏽",)),
    ]
    found = read(write_webvtt(cues, notes=["Language: en", "two\nlines --> one"]))
    assert [(cue.start, cue.end) for cue in found] == [
        ("00:00:00.000", "00:00:01.500"),
        ("00:00:01.500", "01:02:03.250"),
        ("01:02:03.250", "111:06:40.001"),
    ]
    assert [cue.identifier for cue in found] == ["1", "2", "3"]
    raw = [cue.raw_text for cue in found]
    assert raw[0] == "<v Speaker 1>Hello &lt;b&gt;you&lt;/b&gt; &amp; me</v>"
    assert raw[1] == "<v A &amp; &lt;B&gt;>two lines\n→ here -&gt; there</v>"
    assert found[2].text == "שלום 👋🏽"
    assert found[0].voice == "Speaker 1"


def test_no_cues_are_a_valid_file() -> None:
    text = write_webvtt([], notes=["No speech"])
    assert text == "WEBVTT\n\nNOTE No speech\n"
    assert len(read(text)) == 0


@pytest.mark.parametrize(
    "cues",
    [
        [Cue(0, 2, ("a",)), Cue(1.999, 3, ("b",))],
        [Cue(1, 1.0004, ("a",))],
        [Cue(-1, 2, ("a",))],
        [Cue(0, 1, (" ",))],
    ],
)
def test_cues_that_players_do_not_show_are_refused(cues: list[Cue]) -> None:
    with pytest.raises(ValueError, match="is empty or does not follow"):
        write_webvtt(cues)


def test_turns_are_read_by_pyannote(tmp_path: Path) -> None:
    turns = [SpeakerTurn("speaker_1", 0.25, 1.5), SpeakerTurn("Jane Doe", 2.0, 0.001)]
    path = tmp_path / "turns.rttm"
    path.write_text(write_rttm("my video\t(1)", turns))
    assert path.read_text().splitlines()[0] == "SPEAKER my_video_(1) 1 0.250 1.500 <NA> <NA> speaker_1 <NA> <NA>"
    (found,) = load_rttm(path).values()  # type: ignore[no-untyped-call]
    read_turns = [(round(s.start, 3), round(s.end, 3), label) for s, _, label in found.itertracks(yield_label=True)]
    assert read_turns == [(0.25, 1.75, "speaker_1"), (2.0, 2.001, "Jane_Doe")]


def test_names_without_a_letter_and_turns_without_length() -> None:
    assert write_rttm(" ", [SpeakerTurn("", 0, 1)]).split()[1:8:6] == ["unnamed", "unnamed"]
    for turn in (SpeakerTurn("a", -0.1, 1), SpeakerTurn("a", 0, 0)):
        with pytest.raises(ValueError, match="begins at 0 or later"):
            write_rttm("v", [turn])


def test_captions_are_short_and_hold_every_word() -> None:
    text = " ".join(f"word{number}{',' if number % 9 == 8 else ''}" for number in range(200))
    for each in (0.05, 0.3, 1.4):
        words = say(text, each=each)
        cues = captions(words)
        assert " ".join(" ".join(cue.lines) for cue in cues) == text
        assert all(len(cue.lines) <= 2 and max(map(len, cue.lines)) <= LINE for cue in cues)
        assert all(0 < cue.end - cue.start <= 7.001 for cue in cues)
        assert all(before.end <= after.start for before, after in pairwise(cues))
        assert len(read(write_webvtt(cues))) == len(cues)


def test_captions_end_with_sentences_pauses_and_speakers() -> None:
    words = [
        *say("It is late. Are you sure? Yes", each=0.3),
        *say("I am", start=3.5),
        *say("not me", start=4.1, speaker=2),
        *say("nor I", start=4.7, speaker=1),
    ]
    cues = captions(words)
    shown = [("".join(cue.lines), cue.voice) for cue in cues]
    assert shown == [
        ("It is late.", ""), ("Are you sure?", ""), ("Yes", ""), ("I am", ""),
        ("not me", "Speaker 2"), ("nor I", "Speaker 1"),
    ]  # fmt: skip
    assert cues[2].end == pytest.approx(1.8 + 0.7)  # a short one stays a moment longer, where there is time
    assert cues[3].end == pytest.approx(4.1)


def test_two_lines_are_even_and_wide_signs_count_twice() -> None:
    (cue,) = captions(say("one two three four five six seven eight nine ten", each=0.2))
    assert cue.lines == ("one two three four five", "six seven eight nine ten")
    words = [SpokenWord(sign, index * 0.1, index * 0.1 + 0.1, 0.9) for index, sign in enumerate("字" * 60)]
    cues = captions(words)
    assert sum(len(line) for cue in cues for line in cue.lines) == 60
    assert max(len(line) for cue in cues for line in cue.lines) <= LINE // 2


def test_a_word_longer_than_a_line_and_one_without_length() -> None:
    long = "w" * 300
    cues = captions([SpokenWord(f" {long}", 1.0, 1.0, 0.5), SpokenWord(" a", 1.0, 1.0, 0.5), *say("b", start=1.0)])
    assert cues[0].lines == (long,)
    assert all(before.end <= after.start for before, after in pairwise(cues))
    assert len(read(write_webvtt(cues))) == len(cues)

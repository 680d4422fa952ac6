"""Who speaks when, from voices whose speakers are known."""

from __future__ import annotations

import numpy as np
import pytest

from detect.speaker_turns import Turn, Voices, speaker_at, tell_turns

SIZE = 16
SETTINGS = {"distance": 0.4, "max_speakers": None, "min_seconds": 1.0}


def speak(
    *turns: tuple[str, float, float], seed: int = 1, blur: float = 0.15
) -> tuple[Voices, list[list[tuple[float, float]]]]:
    """Windows of 1.6 s each 0.4 s over these turns; turns that touch are one stretch, whose windows mix voices."""
    chance = np.random.default_rng(seed)
    people = {who: np.eye(SIZE)[number] for number, who in enumerate(sorted({who for who, _, _ in turns}))}
    stretches: list[tuple[float, float]] = []
    for _, start, end in turns:
        if stretches and stretches[-1][1] == start:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((start, end))
    starts, ends, vectors = [], [], []
    for first, last in stretches:
        at = first
        while at == first or at + 1.6 <= last + 0.001:
            until = min(at + 1.6, last)
            vector = chance.normal(0, blur / np.sqrt(SIZE), SIZE) * 2
            for who, start, end in turns:
                vector = vector + people[who] * max(0.0, min(until, end) - max(at, start)) / (until - at)
            starts.append(at)
            ends.append(until)
            vectors.append(vector / np.linalg.norm(vector))
            at += 0.4
    return Voices(np.array(starts), np.array(ends), np.array(vectors, np.float32)), [[stretch] for stretch in stretches]


def told(*turns: tuple[str, float, float], **changed: object) -> list[Turn]:
    voices, passages = speak(*turns)
    return tell_turns(voices, passages, **{**SETTINGS, **changed})  # type: ignore[arg-type]


def test_speakers_are_numbered_by_their_first_turns() -> None:
    turns = told(("b", 0, 6), ("a", 7, 12), ("b", 13, 20))
    assert turns == [Turn(1, 0, 6), Turn(2, 7, 12), Turn(1, 13, 20)]


def test_a_change_without_a_pause_is_found_and_makes_no_speaker() -> None:
    turns = told(("a", 0, 6), ("b", 6, 12), ("a", 12, 20), ("b", 20, 30))
    assert [turn.speaker for turn in turns] == [1, 2, 1, 2]
    for turn, start in zip(turns, (0, 6, 12, 20), strict=True):
        assert turn.start == pytest.approx(start, abs=0.35)


def test_one_speaker_with_breaks_has_turns_joined_over_short_ones() -> None:
    assert told(("a", 0, 3), ("a", 3.3, 6), ("a", 8, 10)) == [Turn(1, 0, 6), Turn(1, 8, 10)]


def test_who_speaks_only_in_short_bits_is_somebody_too() -> None:
    turns = told(("a", 0, 8), ("b", 9, 9.5), ("b", 10, 10.4), ("b", 11, 11.5), ("a", 13, 20))
    assert turns == [Turn(1, 0, 8), Turn(2, 9, 10.4), Turn(2, 11, 11.5), Turn(1, 13, 20)]
    assert {turn.speaker for turn in told(("a", 0, 8), ("b", 9, 9.5), ("a", 13, 20))} == {1}


def test_limits_hold() -> None:
    people = [(who, 5.0 * number, 5.0 * number + 4) for number, who in enumerate("abcd")]
    assert max(turn.speaker for turn in told(*people)) == 4
    assert max(turn.speaker for turn in told(*people, max_speakers=3)) == 3
    assert {turn.speaker for turn in told(*people, max_speakers=1)} == {1}
    assert {turn.speaker for turn in told(*people, min_seconds=60)} == {1}


def test_nobody_and_a_single_voice() -> None:
    empty = Voices(np.empty(0), np.empty(0), np.empty((0, SIZE), np.float32))
    assert tell_turns(empty, [], distance=0.4, max_speakers=None, min_seconds=1) == []
    assert told(("a", 2, 2.3)) == [Turn(1, 2, 2.3)]


def test_a_long_video_is_told_apart_all_the_same() -> None:
    turns = [("ab"[number % 2], 10.0 * number, 10.0 * number + 9) for number in range(120)]
    voices, passages = speak(*turns)
    assert len(voices) > 2000
    found = tell_turns(voices, passages, distance=0.4, max_speakers=None, min_seconds=1)
    assert [(turn.speaker, turn.start) for turn in found] == [(1 + n % 2, 10.0 * n) for n in range(120)]


def test_who_speaks_at_a_moment() -> None:
    turns = [Turn(1, 1.0, 2.0), Turn(2, 2.2, 3.0), Turn(1, 10.0, 11.0)]
    expected = {0.4: 0, 0.6: 1, 1.5: 1, 2.09: 1, 2.15: 2, 2.5: 2, 3.4: 2, 3.6: 0, 9.6: 1, 11.4: 1, 12.0: 0}
    assert {at: speaker_at(turns, at) for at in expected} == expected
    assert speaker_at([], 1.0) == 0

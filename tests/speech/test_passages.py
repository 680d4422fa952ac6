"""Spans of speech made into passages, and words put where somebody speaks."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest

from detect.engines.transcription import Segment, Word, spoken_in_order, trim_to_speech
from detect.stages.gather_speech import GatherSpeechOptions, Passage, make_passages

PLAIN = GatherSpeechOptions()


def bounds(passages: list[Passage]) -> list[tuple[float, float]]:
    return [(passage.start, passage.end) for passage in passages]


def test_speech_is_parted_at_long_pauses_and_padded() -> None:
    passages = make_passages([(1.0, 2.0), (2.5, 3.0), (6.0, 7.0)], PLAIN)
    assert bounds(passages) == [(0.7, 3.3), (5.7, 7.3)]
    assert passages[0].spans == [(1.0, 2.0), (2.5, 3.0)]


def test_spans_that_a_border_of_chunks_cut_are_one() -> None:
    assert make_passages([(28.0, 30.0), (30.0, 31.0)], PLAIN) == make_passages([(28.0, 31.0)], PLAIN)


def test_noises_are_left_out_and_dips_are_no_pause() -> None:
    assert make_passages([(5.0, 5.05)], PLAIN) == []
    assert make_passages([(5.0, 5.06), (5.1, 5.2)], PLAIN)[0].spans == [(5.0, 5.2)]


def test_padding_does_not_reach_into_the_next_passage_or_before_the_beginning() -> None:
    options = GatherSpeechOptions(pause_seconds=0.4, pad_seconds=0.3)
    assert bounds(make_passages([(0.1, 2.0), (2.5, 3.0)], options)) == [(0.0, 2.25), (2.25, 3.3)]


def test_long_speech_is_cut_at_its_longest_pause_in_reach() -> None:
    spans = [(0.0, 9.0), (10.5, 16.0), (16.4, 20.0), (20.9, 27.0), (27.2, 40.0)]
    passages = make_passages(spans, PLAIN)
    assert [passage.spans[0][0] for passage in passages] == [0.0, 20.9]
    assert all(passage.end - passage.start <= 30 for passage in passages)


def test_speech_without_a_pause_is_cut_all_the_same() -> None:
    passages = make_passages([(3.0, 100.0)], PLAIN)
    assert [passage.spans for passage in passages] == [
        [(3.0, 31.0)], [(31.0, 59.0)], [(59.0, 87.0)], [(87.0, 100.0)]
    ]  # fmt: skip
    edges = bounds(passages)
    assert all(before[1] <= after[0] for before, after in pairwise(edges))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ((2.3, 3.8), (3.26, 3.8)),  # the pause before it is not its own
        ((5.0, 6.2), (5.0, 5.24)),  # nor the one behind it
        ((1.4, 3.4), (1.4, 2.04)),  # of two stretches that with the most of it
        ((2.4, 2.6), (2.4, 2.6)),  # in a pause: nobody knows better
        ((1.1, 1.5), (1.1, 1.5)),
    ],
)
def test_words_are_where_somebody_speaks(word: tuple[float, float], expected: tuple[float, float]) -> None:
    spans = [(1.0, 2.0), (3.3, 4.0), (4.1, 5.2), (6.5, 7.0)]
    segment = Segment(*word, [Word(" so", *word, 0.9)])
    (trimmed,) = trim_to_speech([segment], spans)
    assert (trimmed.start, trimmed.end) == pytest.approx(expected)
    assert trimmed.words == [Word(" so", trimmed.start, trimmed.end, 0.9)]


@pytest.mark.parametrize(
    ("before", "start", "expected"),
    [
        ((" so,", 1.6, 1.9), 3.7, 3.26),  # nobody said a comma: what is spoken from 3.3 on is the next word
        ((" so", 1.6, 1.9), 3.7, 3.7),
        ((" so,", 1.6, 1.9), 3.9, 3.9),  # something else was said that was not understood
        ((" so,", 3.3, 3.5), 3.7, 3.7),  # the stretch is of both
    ],
)
def test_what_a_mark_took_of_the_speech_behind_a_pause_is_the_next_word_s(
    before: tuple[str, float, float], start: float, expected: float
) -> None:
    words = [Word(*before, 0.9), Word(" my", start, 3.95, 0.9)]
    for segments in ([Segment(words[0].start, 3.95, words)], [Segment(w.start, w.end, [w]) for w in words]):
        trimmed = [word for one in trim_to_speech(segments, [(1.0, 2.0), (3.3, 4.0)]) for word in one.words]
        assert [word.start for word in trimmed] == pytest.approx([before[1], expected])


def aligned(*words: tuple[str, float, float]) -> SimpleNamespace:
    """A segment as the model's library gives it."""
    return SimpleNamespace(
        words=[SimpleNamespace(word=word, start=start, end=end, probability=0.9) for word, start, end in words]
    )


@pytest.mark.parametrize(
    ("before", "start", "expected"),
    [
        (" so,", 1.38, 1.06),  # the comma's time is the next word's: there is somebody speaking, or else it is trimmed
        (" so", 1.38, 1.38),
        (" so,", 1.9, 1.9),  # a pause
        (" so,", 1.0, 1.06),
    ],
)
def test_the_time_of_a_mark_goes_to_the_word_that_follows(before: str, start: float, expected: float) -> None:
    (segment,) = spoken_in_order([aligned((before, 0.76, 1.06), (" my", start, 2.0))], 11.0)
    assert [(word.text, word.start, word.end) for word in segment.words] == [
        (before, 0.76, 1.06),
        (" my", expected, 2.0),
    ]


def test_words_lie_within_the_passage_one_after_another() -> None:
    first, second = spoken_in_order([aligned((" a", -0.1, 0.5), ("", 0.5, 0.6)), aligned((" b.", 0.4, 3.0))], 2.0)
    assert [(word.start, word.end) for word in (*first.words, *second.words)] == [(0.0, 0.5), (0.5, 2.0)]

"""What texts of several shots tell of one another: graphics that outlive cuts, LED boards with one name all along."""

from __future__ import annotations

import pytest

from detect.placing import Placing, is_steady
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.run_ocr import RunOcrOutput
from detect.types import Box, FrameSignals, Observation, Reading, Sample, TextTrack

CORNER = Box(60, 40, 160, 70)


def text(words: str, at: range, box: Box = CORNER, context: str = "", drift: int = 0) -> TextTrack:
    boxes = [Box(box.x1 + drift * n, box.y1, box.x2 + drift * n, box.y2) for n in range(len(at))]
    return TextTrack(
        track_id=0,
        readings=[Reading(words, 0.95, 2, at[0], box)],
        observations=[Observation(sequence, place, 0.9) for sequence, place in zip(at, boxes, strict=True)],
        context=context,
    )


def settled(tracks: list[TextTrack], shots: list[int]) -> list[str]:
    placing = Placing()
    placing.learn(tracks, shots)
    return [track.context for track in placing.settle(tracks)]


def test_a_graphic_known_in_one_shot_is_one_in_the_others():
    known = text("KAL 0-1 OSM", range(4), context="overlay")
    assert settled([known, text("KAL 0-1 OSM", range(9, 12), context="board")], [0, 2]) == ["overlay", "overlay"]


def test_what_else_was_written_in_that_place_is_a_graphic_if_it_stayed():
    known = text("12:04", range(4), context="overlay")
    assert settled([known, text("GOAL", range(9, 12))], [0, 2]) == ["overlay", "overlay"]
    assert settled([known, text("GOAL", range(9, 12), drift=40)], [0, 2]) == ["overlay", ""]
    assert settled([known, text("GOAL", range(9, 12), Box(400, 40, 500, 70))], [0, 2]) == ["overlay", ""]


def test_a_text_that_stays_over_a_cut_is_a_graphic():
    board = text("VELMORA", range(4), Box(300, 300, 420, 330), "board", drift=9)
    before, after = text("CUP", range(4)), text("CUP", range(4, 8))
    assert settled([before, board, after], [0, 0, 1]) == ["overlay", "board", "overlay"]


def test_where_nothing_went_there_was_no_cut():
    """A flash of light in a shot of a camera that stands still: the board stays as well."""
    boards = [text("VELMORA", part, context="board") for part in (range(4), range(4, 8))]
    assert settled(boards, [0, 1]) == ["board", "board"]


def test_a_camera_that_comes_back_makes_no_graphic_of_its_boards():
    """The court's own camera, with another's picture between."""
    court = [text("VELMORA", part, context="board") for part in (range(4), range(8, 12))]
    close = text("HEXALON", range(4, 8), Box(300, 300, 420, 330), "board")
    assert settled([court[0], close, court[1]], [0, 1, 2]) == ["board", "board", "board"]


def test_graphics_are_learnt_over_chunks():
    placing = Placing()
    placing.learn([text("CUP", range(4)), text("FAIR", range(4), Box(300, 300, 420, 330))], [0, 0])
    following = [text("CUP", range(4, 8))]
    placing.learn(following, [1])
    assert placing.contexts(following) == ["overlay"]


def row(words: str, count: int, context: str = "board", at: range = range(20, 24)) -> list[TextTrack]:
    return [
        text(words, at, Box(50 + 180 * place, 300 + 4 * place, 150 + 180 * place, 330 + 4 * place), context)
        for place in range(count)
    ]


@pytest.mark.parametrize(("count", "context"), [(2, "board"), (3, "led"), (5, "led")])
def test_a_name_three_times_in_a_row_is_on_led_boards_where_there_are_any(count, context):
    led = text("HEXALON", range(4), context="led")
    tracks = row("VELMORA", count)
    assert settled([led, *tracks], [0] + [1] * count) == ["led", *[context] * count]


def test_without_led_boards_in_the_video_a_row_is_painted():
    assert settled(row("VELMORA", 4), [0] * 4) == ["board"] * 4


def test_other_names_in_a_row_and_names_below_one_another_are_no_led_board():
    led = text("HEXALON", range(4), context="led")
    mixed = [*row("VELMORA", 1), *row("ZEPHRICO", 2)[1:], *row("TAKVIA", 3)[2:]]
    below = [text("VELMORA", range(30, 33), Box(50, 60 * n, 150, 60 * n + 30), "board") for n in range(1, 5)]
    assert settled([led, *mixed, *below], [0] + [1] * 3 + [2] * 4) == ["led"] + ["board"] * 7


def test_steady():
    assert is_steady(text("CUP", range(5)))
    assert not is_steady(text("CUP", range(5), drift=20))


def test_shots_are_told_by_cuts():
    chunk = ExtractFramesOutput(
        samples=[Sample(n, n / 2, "0", "") for n in range(8)], signals=FrameSignals([], [], [], [])
    )
    board = text("VELMORA", range(4), Box(300, 300, 420, 330), "board", drift=9)
    texts = RunOcrOutput(tracks=[text("CUP", range(4)), board, text("CUP", range(4, 8))])
    cut = FilterScenesOutput(kept=list(range(8)), stands_for={}, cuts=[1.9])
    uncut = FilterScenesOutput(kept=list(range(8)), stands_for={}, cuts=[])
    assert Placing.of([chunk], [cut], [texts]).contexts(texts.tracks) == ["overlay", "board", "overlay"]
    assert Placing.of([chunk], [uncut], [texts]).contexts(texts.tracks) == ["", "board", ""]

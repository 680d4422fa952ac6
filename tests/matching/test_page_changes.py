"""Logos timed by the texts whose page of a board they take over or give way to."""

from __future__ import annotations

import pytest

from detect.page_changes import PageChanges
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import Box, BrandDetection, Edge, FrameSignals, Observation, Reading, Sample, TextTrack

PLACE = Box(100, 200, 260, 240)
LOGO = Box(150, 200, 190, 240)
WENT, CAME = Edge(1.53, 0.02), Edge(3.2, 0.05)


def text(
    *at: int, appears: Edge | None = None, vanishes: Edge | None = None, box: Box = PLACE, context: str = "led"
) -> TextTrack:
    seen = [Observation(sequence, box, 0.9) for sequence in at]
    return TextTrack(1, [Reading("VELMORA", 0.9, 1, at[0], box)], seen, context, appears, vanishes)


def logo(*at: int) -> BrandDetection:
    seen = [Observation(sequence, LOGO, 0.9) for sequence in at]
    return BrandDetection("Suncrest", "logo", 0.9, "", "led", seen, "logo")


def timed(*tracks: TextTrack, cuts: tuple[float, ...] = ()) -> tuple[Edge | None, Edge | None]:
    """What is known of a logo on samples 4 to 6, sampled at 2 fps."""
    extracted = ExtractFramesOutput(
        samples=[Sample(number, number / 2, "0", "") for number in range(10)], signals=FrameSignals([], [], [], [])
    )
    scenes = FilterScenesOutput(kept=list(range(10)), stands_for={}, cuts=list(cuts))
    found = PageChanges(extracted, scenes, tracks).timed(logo(4, 5, 6))
    return found.appears, found.vanishes


def test_a_logo_came_when_the_text_in_its_place_went_and_went_when_another_came():
    assert timed(text(1, 2, 3, vanishes=WENT), text(7, 8, appears=CAME)) == (WENT, CAME)


def test_of_several_texts_of_one_page_the_middle_one_counts():
    others = [text(2, 3, vanishes=Edge(moment, 0.1)) for moment in (1.9, 1.6, 1.55)]
    assert timed(*others) == (Edge(1.6, 0.1), None)


@pytest.mark.parametrize(
    "other",
    [
        text(1, 2, vanishes=WENT),
        text(3, vanishes=WENT, box=Box(300, 200, 460, 240)),
        text(3, vanishes=WENT, box=Box(100, 250, 260, 290)),
        text(3, vanishes=WENT, context="overlay"),
        text(3),
    ],
    ids=["earlier", "beside", "below", "graphic", "not timed"],
)
def test_other_texts_tell_nothing(other: TextTrack):
    assert timed(other) == (None, None)


def test_nothing_is_told_over_a_cut():
    assert timed(text(3, vanishes=WENT), cuts=(1.8,)) == (None, None)

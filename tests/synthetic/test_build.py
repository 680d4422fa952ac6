"""What a match is made of."""

from __future__ import annotations

import numpy as np
import pytest

from detect.errors import MediaprocError
from detect.scoring import normalise_name
from detect.synthetic import LEVELS, Renderer, build_match
from detect.synthetic.brands import LOGO_BRANDS, LOOK_ALIKES, NOTICES, TEXT_BRANDS
from detect.synthetic.build import MatchError
from detect.synthetic.levels import UnknownLevelError


def test_the_same_seed_gives_the_same_match_and_another_seed_another() -> None:
    assert build_match(5, "hard", 30) == build_match(5, "hard", 30)
    assert build_match(5, "hard", 30) != build_match(6, "hard", 30)


def test_a_frame_is_the_same_whichever_frames_were_drawn_before() -> None:
    match = build_match(3, "hard", 8, 320, 180)
    in_order = Renderer(match)
    for number in range(0, 200, 40):
        in_order.frame(number)
    first, second = in_order.frame(200), Renderer(match).frame(200)
    assert np.array_equal(first.picture, second.picture)
    assert [(mark.name, mark.box, mark.visible) for mark in first.marks] == [
        (mark.name, mark.box, mark.visible) for mark in second.marks
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_shots_follow_one_another_without_gap_and_one_dissolves(level: str) -> None:
    match = build_match(11, level, 60)
    assert match.shots[0].start == 0
    assert match.shots[-1].end == match.frames
    assert all(before.end == after.start for before, after in zip(match.shots, match.shots[1:], strict=False))
    assert {shot.kind for shot in match.shots} == {"wide", "close", "angle", "mid", "behind"}
    dissolves = [shot for shot in match.shots if shot.dissolve]
    assert 0 < len(dissolves) < len(match.shots) / 2


def test_levels_get_harder_in_every_respect() -> None:
    easy, medium, hard = LEVELS.values()
    for milder, harder in ((easy, medium), (medium, hard)):
        assert milder.wide_board > harder.wide_board
        assert milder.jersey_cap > harder.jersey_cap
        assert milder.softness > harder.softness
        assert milder.angle < harder.angle
        assert milder.noise < harder.noise
        assert milder.crf < harder.crf
        assert milder.glare < harder.glare
        assert milder.touchline_people < harder.touchline_people
        assert milder.logos < harder.logos


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(4))
def test_no_text_that_is_no_brand_has_a_brands_name(level: str, seed: int) -> None:
    match = build_match(seed, level, 20)
    names = {normalise_name(name) for brand in match.brands for name in (brand.name, *brand.aliases)}
    texts = [entry["text"] for entry in match.distractors()]
    assert names.isdisjoint(normalise_name(text) for text in texts)
    assert {"clock", "player", "number", "team"} <= {entry["kind"] for entry in match.distractors()}


def test_the_short_name_hides_inside_words_that_are_shown() -> None:
    match = build_match(2, "medium", 20)
    assert "RIQ" in {brand.name for brand in match.brands}
    assert any("RIQ" in entry["text"] and entry["text"] != "RIQ" for entry in match.distractors())


def test_brand_names_are_told_apart() -> None:
    everything = [*TEXT_BRANDS, *LOGO_BRANDS, *NOTICES, *LOOK_ALIKES]
    assert len({normalise_name(brand.name) for brand in everything}) == len(everything)
    assert all(brand.emblem for brand in LOGO_BRANDS)


def test_own_brands_take_the_place_of_the_invented_ones() -> None:
    own = TEXT_BRANDS[:3]
    match = build_match(1, "easy", 10, brands=own)
    shown = {
        slot.brand.name
        for row in match.rows
        for panel in row.panels
        for slot in panel.slots
        if not slot.brand.distractor
    }
    assert match.brands == own
    assert shown <= {brand.name for brand in own}


def test_an_unknown_level_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownLevelError, match="easy, medium, hard"):
        build_match(1, "brutal", 10)


@pytest.mark.parametrize(
    ("seed", "seconds", "width", "height"), [(1, 0, 1280, 720), (1, 5, 1281, 720), (1, 5, 16, 16), (-1, 5, 1280, 720)]
)
def test_an_impossible_match_is_refused(seed: int, seconds: float, width: int, height: int) -> None:
    with pytest.raises(MatchError) as caught:
        build_match(seed, "easy", seconds, width, height)
    assert isinstance(caught.value, MediaprocError)


def test_a_match_without_any_name_to_write_is_refused() -> None:
    with pytest.raises(MatchError, match="name"):
        build_match(1, "easy", 5, brands=LOGO_BRANDS)

"""Pictures for a model: what they show, how large they are, and which are the same."""

from __future__ import annotations

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from detect.providers import crops
from detect.providers.grouping import group
from detect.stages.base import Image
from detect.types import Box, Candidate, Suggestion
from tests.providers.made import DrawnFrames, candidate


def cut(frame: Image, box: Box, margin: float = 0.0) -> Image:
    """Cut without scaling."""
    return crops.cut(frame, box, margin=margin, min_side=1, max_side=4096)


def gradient(width: int = 320, height: int = 180) -> Image:
    """Every pixel of its own colour: blue tells the column, green the row."""
    frame = np.zeros((height, width, 3), np.uint8)
    frame[..., 0] = np.arange(width)[None, :] % 256
    frame[..., 1] = np.arange(height)[:, None]
    return frame


def test_a_box_is_cut_as_it_is() -> None:
    piece = cut(gradient(), Box(30, 40, 90, 80))
    np.testing.assert_array_equal(piece, gradient()[40:80, 30:90])


def test_a_margin_of_the_shorter_side_is_shown_around_it() -> None:
    piece = cut(gradient(), Box(100, 40, 160, 80), margin=0.25)
    np.testing.assert_array_equal(piece, gradient()[30:90, 90:170])


def test_a_margin_ends_at_the_frame() -> None:
    piece = cut(gradient(), Box(0, 0, 60, 40), margin=0.5)
    np.testing.assert_array_equal(piece, gradient()[:60, :80])


def test_a_thin_strip_shows_more_of_what_is_around_it() -> None:
    piece = cut(gradient(), Box(0, 100, 320, 110))
    np.testing.assert_array_equal(piece, gradient()[85:125])
    at_the_edge = cut(gradient(), Box(0, 175, 320, 180))
    np.testing.assert_array_equal(at_the_edge, gradient()[140:180])


def test_tiny_crops_are_enlarged_and_large_ones_shrunk() -> None:
    assert crops.cut(gradient(), Box(0, 0, 20, 10), margin=0, min_side=100, max_side=768).shape == (100, 200, 3)
    assert crops.cut(gradient(), Box(0, 0, 320, 160), margin=0, min_side=16, max_side=80).shape == (40, 80, 3)
    # where both cannot be had, the limit counts more than the wish
    assert crops.cut(gradient(), Box(0, 0, 80, 10), margin=0, min_side=100, max_side=400).shape == (50, 400, 3)


@given(
    x=st.integers(-500, 900),
    y=st.integers(-500, 900),
    width=st.integers(0, 700),
    height=st.integers(0, 700),
    margin=st.floats(0, 3),
)
def test_any_box_gives_a_picture_within_the_limits(x: int, y: int, width: int, height: int, margin: float) -> None:
    piece = crops.cut(gradient(), Box(x, y, x + width, y + height), margin=margin, min_side=64, max_side=256)
    assert min(piece.shape[:2]) >= 1
    assert max(piece.shape[:2]) <= 256
    assert max(piece.shape[:2]) <= 9 * min(piece.shape[:2])


def test_the_same_picture_is_the_same_jpeg() -> None:
    first, second = crops.encode(gradient()), crops.encode(gradient())
    assert first == second
    decoded = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (180, 320, 3)


def test_pictures_that_look_alike_differ_in_few_bits() -> None:
    frames = DrawnFrames()
    clean = crops.cut(frames.load(5), Box(30, 70, 240, 110), margin=0.2, min_side=112, max_side=768)
    noisy = np.clip(clean + np.random.default_rng(1).normal(0, 6, clean.shape), 0, 255).astype(np.uint8)
    assert (crops.look(clean) ^ crops.look(noisy)).bit_count() <= 8
    assert (crops.look(clean) ^ crops.look(gradient())).bit_count() > 16


def test_a_look_has_the_bits_of_the_hash_it_is_named_after() -> None:
    frames = DrawnFrames()
    boxes = [Box(30, 70, 240, 110), Box(0, 0, 33, 21), Box(5, 9, 300, 170)]
    even = [np.full((40, 90, 3), shade, np.uint8) for shade in (0, 1, 128, 255)]
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:32] = 255
    noise = np.random.default_rng(2).integers(0, 256, (50, 71, 3), np.uint8)
    pictures = [frames.load(5)[box.y1 : box.y2, box.x1 : box.x2] for box in boxes]
    for picture in (*pictures, *even, halves, halves.transpose(1, 0, 2), noise, gradient()):
        grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_BGR2GRAY)
        assert f"{crops.look(picture):016x}" == str(imagehash.phash(PillowImage.fromarray(grey)))


def looks(table: dict[str, int], looked: list[str]):
    def look(one: Candidate) -> int:
        looked.append(one.candidate_id)
        return table[one.candidate_id]

    return look


def test_the_same_text_and_look_are_one_group() -> None:
    made = [
        candidate("a", text="ACME", frames=2, sequence=0),
        candidate("b", text="Acmé ", frames=5, sequence=10),
        candidate("c", text="ACME", frames=1, sequence=20),
    ]
    looked: list[str] = []
    groups = group(made, looks({"id-a": 0b1111, "id-b": 0b0111, "id-c": 0b111100000000}, looked), 2)
    assert [[one.candidate_id for one in found.members] for found in groups] == [["id-a", "id-b"], ["id-c"]]
    assert [found.frames for found in groups] == [7, 1]
    assert groups[0].best.candidate_id == "id-b"


def test_other_texts_are_never_one_group_and_are_not_looked_at() -> None:
    looked: list[str] = []
    groups = group([candidate("A"), candidate("B"), candidate("C")], looks({}, looked), 64)
    assert len(groups) == 3
    assert looked == []


def test_candidates_without_text_are_grouped_by_their_look() -> None:
    made = [candidate(name, text="") for name in "abc"]
    groups = group(made, looks({"id-a": 0, "id-b": 1, "id-c": 0xFFFF}, []), 4)
    assert [len(found.members) for found in groups] == [2, 1]


@pytest.mark.parametrize("turned", [False, True])
def test_most_frames_come_first_whatever_order_they_came_in(turned: bool) -> None:
    made = [candidate("few", frames=2), candidate("many", frames=9), candidate("also", frames=2)]
    groups = group(made[::-1] if turned else made, looks({}, []), 8)
    assert [found.best.text for found in groups] == ["many", "also", "few"]


def test_frames_seen_by_two_members_count_once() -> None:
    made = [candidate("a", text="ACME", frames=4, sequence=0), candidate("b", text="ACME", frames=4, sequence=2)]
    [found] = group(made, looks({"id-a": 0, "id-b": 0}, []), 8)
    assert found.frames == 6


def test_suggestions_of_all_members_are_ranked() -> None:
    one = candidate("a", text="X", suggestions=[Suggestion("Acme", 0.5), Suggestion("Bolt", 0.7)])
    two = candidate("b", text="X", suggestions=[Suggestion("Acme", 0.9), Suggestion("Cola", 0.7)])
    [found] = group([one, two], looks({"id-a": 0, "id-b": 0}, []), 8)
    assert found.suggestions(5) == ["Acme", "Bolt", "Cola"]
    assert found.suggestions(1) == ["Acme"]
    assert found.suggestions(0) == []

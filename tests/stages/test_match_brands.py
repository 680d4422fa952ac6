"""Which tracks become which brands, and what stays a candidate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from detect.resources import Resources
from detect.stages.base import Remember, StageContext, compute_now
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrands, MatchBrandsInput, MatchBrandsOptions, MatchBrandsOutput
from detect.stages.run_ocr import RunOcrOutput
from detect.types import (
    Box,
    FrameSignals,
    KnownBrandRecord,
    KnownBrands,
    LatticeStep,
    Observation,
    Reading,
    Sample,
    TextTrack,
)
from tests.stages.memory_frames import SOURCE, MemoryFrames

BRANDS = (KnownBrandRecord("Velmora"), KnownBrandRecord("RIQ"), KnownBrandRecord("Fennbrook Dairy"))
GIVEN = KnownBrands(brands=BRANDS, given=True)
PLACE = Box(100, 100, 220, 140)
GREY = cv2.imencode(".jpg", np.full((360, 640, 3), 127, np.uint8))[1].tobytes()


def text(*readings: str | tuple[str, float, int], at: list[int], context: str = "board", box: Box = PLACE) -> TextTrack:
    filled = [(one, 0.95, 2) if isinstance(one, str) else one for one in readings]
    return TextTrack(
        track_id=0,
        readings=[Reading(words, confidence, votes, at[0], box) for words, confidence, votes in filled],
        observations=[Observation(sequence, box, 0.9) for sequence in at],
        context=context,
    )


def match(
    *tracks: TextTrack,
    known: KnownBrands = GIVEN,
    shown: bytes | None = GREY,
    remember: Remember = compute_now,
    **options: Any,
) -> MatchBrandsOutput:
    samples = [Sample(n, n / 2, "0", "") for n in range(20)]
    frames = MemoryFrames()
    frames.jpegs = {} if shown is None else dict.fromkeys(range(20), shown)
    context = StageContext(SOURCE, MatchBrandsOptions(**options), frames, known, Resources(), remember=remember)
    data = MatchBrandsInput(
        extract_frames=[ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []))],
        filter_scenes=[FilterScenesOutput(kept=list(range(20)), stands_for={}, cuts=[])],
        detect_edges=[DetectEdgesOutput(regions={})],
        detect_objects=[DetectObjectsOutput(regions={})],
        run_ocr=[RunOcrOutput(tracks=list(tracks))],
    )
    return MatchBrands().run(context, data)


def found(output: MatchBrandsOutput) -> list[tuple[str, str, str]]:
    return [(one.brand, one.rule, one.placement) for one in output.detections]


def test_a_reading_among_others_names_the_brand_and_where_it_lies():
    output = match(text("VELNORA", ("VELMORA", 0.9, 1), at=[0, 1]), text("riq", at=[3], context="person"))
    assert found(output) == [("Velmora", "exact", "board"), ("RIQ", "exact", "jersey")]
    assert output.detections[0].text == "VELMORA"
    assert [seen.sequence for seen in output.detections[0].observations] == [0, 1]


def test_what_the_edge_leaves_of_another_word_is_not_a_name():
    """``TARIQ STRIQUE`` is no brand; cut by the left edge it reads ``RIQ STRIQUE``."""
    at_edge, inside = Box(0, 100, 120, 140), Box(40, 100, 220, 140)
    cut = text("RIQ STRIQUE", at=[0, 1], box=at_edge)
    assert found(match(cut, text("TARIQ STRIQUE", at=[5], box=inside), text("RIQ", at=[9]))) == [
        ("RIQ", "exact", "board")
    ]
    assert found(match(text("RIQ STRIQUE", "TARIQ STRIQUE", at=[0, 1], box=inside))) == []


def test_a_short_name_at_the_edge_counts_where_it_is_surely_shown_elsewhere():
    at_edge = text("RIQ", at=[0, 1], box=Box(560, 100, 640, 140))
    assert found(match(at_edge)) == []
    assert found(match(at_edge, text("RIQ", at=[5]))) == [("RIQ", "exact", "board")] * 2
    assert found(match(text("VELMORA", at=[0], box=Box(0, 100, 120, 140)))) == [("Velmora", "exact", "board")]


def test_a_piece_that_may_be_of_the_name_or_of_another_text_is_the_names_where_it_is_shown():
    at_edge = text("VELMO", at=[0, 1], box=Box(560, 100, 640, 140))
    others = text("VELMOND STAND", at=[3], box=Box(40, 100, 220, 140)), text("VELMORA", at=[5])
    assert ("Velmora", "partial", "board") in found(match(at_edge, *others, second_looks=0))


def test_a_single_odd_reading_does_not_overrule_the_rest():
    assert found(match(text(("MELODY", 0.98, 9), ("VELMORA", 0.7, 1), at=[0]))) == []


def test_unsure_readings_and_unsure_short_names_do_not_count():
    assert found(match(text(("VELMORA", 0.5, 2), at=[0]))) == []
    assert found(match(text(("RIQ", 0.7, 2), at=[0]))) == []
    assert found(match(text(("RIQ", 0.7, 2), at=[0]), short_name_confidence=0.6)) == [("RIQ", "exact", "board")]


def test_a_piece_counts_only_where_the_whole_name_was_seen():
    piece = text("Fennbro", at=[5])
    assert found(match(piece)) == []
    assert ("Fennbrook Dairy", "partial", "board") in found(match(piece, text("FENNBROOK DAIRY", at=[0])))
    assert found(match(piece, text("FENNBROOK DAIRY", at=[0]), partial_names=False)) == [
        ("Fennbrook Dairy", "exact", "board")
    ]
    other_piece = match(piece, text("brook Dairy", at=[0]), second_looks=0)
    assert [one.observations[0].sequence for one in other_piece.detections] == [0], "a piece is no whole name"


def test_a_piece_that_lacks_a_part_of_one_word_counts_by_itself():
    piece = text("brook Dairy", at=[5])
    assert found(match(piece)) == [("Fennbrook Dairy", "partial", "board")]
    assert found(match(piece, partial_names=False)) == []
    at_edge = text("brook Dairy", at=[5], box=Box(0, 100, 120, 140))
    assert found(match(at_edge, text("Oakbrook Dairy", at=[1], box=Box(40, 100, 190, 140)))) == []


def test_words_beside_and_above_one_another_are_put_together():
    beside = (
        text("Fennbrook", at=[0, 1], box=Box(100, 100, 200, 130)),
        text("Dairy", at=[1], box=Box(210, 101, 260, 131)),
    )
    output = match(*beside, partial_names=False)
    assert found(output) == [("Fennbrook Dairy", "exact", "board")]
    assert output.detections[0].observations == [Observation(1, Box(100, 100, 260, 131), 0.9)]
    above = (text("Fennbrook", at=[0], box=Box(100, 100, 200, 130)), text("Dairy", at=[0], box=Box(120, 132, 180, 160)))
    assert found(match(*above, partial_names=False)) == [("Fennbrook Dairy", "exact", "board")]
    apart = (text("Fennbrook", at=[0], box=Box(100, 100, 200, 130)), text("Dairy", at=[0], box=Box(500, 100, 560, 130)))
    assert found(match(*apart, partial_names=False)) == []


def test_what_people_rejected_is_neither_found_nor_asked_about():
    output = match(text("VELMORA", at=[0, 1]), known=KnownBrands(brands=BRANDS, given=True, rejected=("velmora",)))
    assert (output.detections, output.unresolved) == ([], [])


def test_what_a_model_or_person_said_of_a_text_before_is_used_again():
    known = KnownBrands(brands=BRANDS, given=True, cached=(("wlmoba", "Velmora"),))
    assert found(match(text("WLM OBA", at=[0]), known=known)) == [("Velmora", "exact", "board")]


def test_unknown_texts_are_grouped_with_what_they_resemble():
    output = match(text("VELMO", at=[0, 1]), text("VELM0", at=[4, 5]), text("KRONBERG", at=[7, 8]))
    assert [(one.text, one.members) for one in output.unresolved] == [("VELMO", 2), ("KRONBERG", 1)]
    assert output.unresolved[0].suggestions[0].name == "Velmora"
    assert [seen.sequence for seen in output.unresolved[0].observations] == [0, 1, 4, 5]


def test_pieces_of_a_longer_text_belong_to_it_and_pieces_of_a_known_name_are_not_proposed():
    lasting = list(range(8))
    output = match(
        text("SUMMER FAIR", at=lasting),
        text("MMER FAIR", at=[9, 10]),
        text("SUMM", at=[11]),
        text("brook", at=lasting),
        known=KnownBrands(brands=BRANDS, given=False),
    )
    assert [(one.text, one.members, one.brand_like) for one in output.unresolved] == [
        ("SUMMER FAIR", 3, True),
        ("brook", 1, False),
    ]
    assert output.unresolved[1].reason == "a piece of Fennbrook Dairy, too short to tell"


def test_clocks_scores_numbers_and_short_texts_are_no_candidates():
    figures = ("04:44", "2 - 1", "17", "138.7 kph", "45-0", "LB", "90+3")
    assert match(*(text(one, at=[0, 1, 2, 3]) for one in figures)).unresolved == []


def test_without_a_list_lasting_lettering_is_proposed_but_graphics_hashtags_and_glimpses_are_not():
    known = KnownBrands(brands=BRANDS, given=False)
    lasting, brief = list(range(6)), [0, 1]
    output = match(
        text("KRONBERG", at=lasting),
        text("OSTWALL", at=lasting, context="overlay"),
        text("#KALvLUG", at=lasting),
        text("SUNDALE", at=brief),
        known=known,
    )
    assert {one.text: one.brand_like for one in output.unresolved} == {
        "KRONBERG": True, "OSTWALL": False, "#KALvLUG": False, "SUNDALE": False,
    }  # fmt: skip
    assert not any(one.brand_like for one in match(text("KRONBERG", at=lasting)).unresolved)


def test_candidate_ids_are_the_same_in_every_run():
    tracks = [text("KRONBERG", at=[0, 1]), text("SUNDALE", at=[3, 4])]
    first, again = match(*tracks), match(*tracks, min_similarity=0.95)
    assert [one.candidate_id for one in first.unresolved] == [one.candidate_id for one in again.unresolved]
    assert len({one.candidate_id for one in first.unresolved}) == 2


def picture(*lines: tuple[str, int, int]) -> bytes:
    """A board with lettering: words with the left end and the base line of each."""
    image = np.full((360, 640, 3), (120, 60, 20), np.uint8)
    for words, left, base in lines:
        cv2.putText(image, words, (left, base), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2, cv2.LINE_AA)
    return cv2.imencode(".jpg", image)[1].tobytes()


def test_what_detection_cut_off_is_found_by_reading_wider():
    (width, height), _ = cv2.getTextSize("RIQ", cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    (letter, _), _ = cv2.getTextSize("R", cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    cut = Box(200 + letter, 200 - height - 4, 200 + width + 4, 208)
    board = picture(("RIQ", 200, 200))
    assert found(match(text("IQ", at=[0, 1], box=cut), shown=board)) == [("RIQ", "exact", "board")]
    assert found(match(text("IQ", at=[0, 1], box=cut), shown=board, second_looks=0)) == []
    assert found(match(text("IQ", at=[0, 1], box=cut), shown=picture(("MIQ", 200, 200)))) == []


def test_without_the_frames_it_goes_by_what_was_read_and_says_so():
    output = match(text("IQ", at=[0, 1]), text("VELMORA", at=[2]), shown=None)
    assert found(output) == [("Velmora", "exact", "board")]
    assert output.incomplete
    assert not match(text("VELMORA", at=[2]), shown=None).incomplete


def test_a_second_look_depends_on_places_and_is_taken_once():
    asked: list[str] = []

    def remember(part: str, depends_on: Any, kind: type[Any], compute: Callable[[], Any]) -> Any:
        asked.append(part)
        return compute()

    match(text("IQ", at=[0, 1]), text("SUNDALE", at=[0]), remember=remember)
    assert asked == ["second_looks"]


def test_a_text_read_again_in_vain_is_left_alone_after_a_while():
    tracks = [replace(text("IQ", at=[n % 20]), track_id=n) for n in range(200)]
    looks = match(*tracks).stats["second_looks"]
    assert isinstance(looks, int)
    assert 0 < looks < 100


def weak(words: str, *steps: str) -> TextTrack:
    """A track whose letters were read unsurely: of each step the likely characters, best first."""
    shares = {1: (1000,), 2: (500, 400)}
    lattice = tuple(
        part for step in steps for part in (LatticeStep(0, step, shares[len(step)]), LatticeStep(1000, "", ()))
    )
    track = text(words, at=[5])
    return replace(track, readings=[replace(track.readings[0], confidence=0.7, lattice=lattice)])


def test_a_name_nearly_read_counts_and_says_how_surely():
    output = match(weak("WELNDRA", "WV", "E", "L", "NM", "DO", "R", "A"))
    assert found(output) == [("Velmora", "likely", "board")]
    assert 0.5 < output.detections[0].confidence < 0.7


def test_less_is_asked_of_a_brand_that_is_surely_seen_elsewhere():
    unsure = weak("RIO", "R", "I", "OQ")
    assert found(match(unsure)) == []
    assert ("RIQ", "likely", "board") in found(match(unsure, text("RIQ", at=[0])))
    assert found(match(text(("RIQ", 0.7, 2), at=[5]), text("RIQ", at=[0]))) == [("RIQ", "exact", "board")] * 2


def test_a_piece_on_the_place_of_a_text_that_named_a_brand_is_that_text():
    """A board half outside the picture is read as another text for a while."""
    whole = text("FENNBROOK DAIRY", at=[0, 1, 2], box=Box(0, 100, 200, 140))
    piece = text("OOK DAIRV", at=[2, 3, 4], box=Box(0, 102, 90, 140))
    output = match(whole, piece, second_looks=0)
    assert [(one.brand, one.rule, [seen.sequence for seen in one.observations]) for one in output.detections] == [
        ("Fennbrook Dairy", "exact", [0, 1, 2]),
        ("Fennbrook Dairy", "partial", [2, 3, 4]),
    ]
    assert output.unresolved == []


def test_another_text_beside_or_on_the_place_of_a_brand_is_not_the_brand():
    whole = text("FENNBROOK DAIRY", at=[0, 1, 2], box=Box(0, 100, 200, 140))
    beside = text("OOK DAIRV", at=[2, 3, 4], box=Box(0, 200, 90, 238))
    other = text("TICKETS", at=[2, 3, 4], box=Box(0, 102, 90, 140))
    assert found(match(whole, beside, other, second_looks=0)) == [("Fennbrook Dairy", "exact", "board")]


def test_a_name_whose_middle_is_covered_is_told_by_its_ends_where_it_is_surely_shown():
    ends = (
        text("FENN", at=[0, 1], box=Box(100, 100, 180, 140)),
        text("DAIRY", at=[0, 1, 2], box=Box(290, 104, 390, 142)),
    )
    elsewhere = text("FENNBROOK DAIRY", at=[9])
    output = match(*ends, elsewhere, second_looks=0)
    assert found(output) == [("Fennbrook Dairy", "exact", "board"), ("Fennbrook Dairy", "partial", "board")]
    seen = output.detections[1].observations
    assert [(one.sequence, one.box) for one in seen] == [(number, Box(100, 100, 390, 142)) for number in (0, 1)]
    assert found(match(*ends, second_looks=0)) == []


@pytest.mark.parametrize("second", [Box(190, 104, 290, 142), Box(560, 104, 640, 142), Box(290, 200, 390, 238)])
def test_two_ends_that_are_not_as_far_apart_as_the_letters_between_are_no_name(second: Box):
    ends = text("FENN", at=[0, 1], box=Box(100, 100, 180, 140)), text("DAIRY", at=[0, 1], box=second)
    output = match(*ends, text("FENNBROOK DAIRY", at=[9]), second_looks=0)
    assert [one.rule for one in output.detections if one.observations[0].sequence < 9] == []


def test_a_piece_of_a_text_that_names_a_brand_is_the_brand_s_with_whatever_stands_before_it():
    """A mark beside the name is read as strokes: ``III VELMORA``, and ``III VELM`` where a person covers the rest."""
    whole, piece = text("III VELMORA", at=[0]), text("III VELM", at=[5, 6])
    output = match(whole, piece, second_looks=0)
    assert found(output) == [("Velmora", "exact", "board"), ("Velmora", "partial", "board")]
    strokes = text("III VE", at=[5, 6])
    assert found(match(whole, strokes, second_looks=0)) == [("Velmora", "exact", "board")]
    other = text("III VELMOND", at=[8])
    assert len(found(match(whole, piece, other, second_looks=0))) == 1


def test_the_middle_of_a_name_is_a_piece_of_it():
    sure = text("FENNBROOK DAIRY", at=[0])
    assert ("Fennbrook Dairy", "partial", "board") in found(match(sure, text("NNBROOK DAI", at=[4]), second_looks=0))
    assert len(found(match(sure, text("NBROOK", at=[4]), second_looks=0))) == 1


def test_a_piece_that_is_nothing_but_a_piece_of_names_is_not_told_by_what_was_read_whole():
    known = KnownBrands(brands=(KnownBrandRecord("Tata Neu"), KnownBrandRecord("Tata Cup")), given=True)
    tracks = text("TATA NEU", at=[0]), text("TATA", at=[5, 6])
    assert [one.text for one in match(*tracks, known=known, second_looks=0).detections] == ["TATA NEU"]

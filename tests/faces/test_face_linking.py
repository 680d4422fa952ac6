"""Which faces are one: near, of one size, moving on; and never over a cut."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from detect.face_linking import FaceLinker
from detect.object_columns import ColumnsBuilder, Floats
from detect.stages.detect_faces import DetectFacesOutput
from detect.stages.track_faces import TrackFaces, TrackFacesInput, TrackFacesOptions
from detect.types import FrameSignals
from tests.stages.pictures import context


def boxes(*centres: tuple[float, float], size: float = 40) -> Floats:
    sides = [(x - size / 2, y - size / 2, x + size / 2, y + size / 2) for x, y in centres]
    return np.array(sides, np.float32).reshape(-1, 4)


def linker() -> FaceLinker:
    return FaceLinker(reach=0.8, lost_seconds=1.0)


def test_two_faces_keep_their_numbers_whatever_the_order() -> None:
    faces = linker()
    assert faces.link(0.0, boxes((50, 50), (150, 50))) == [1, 2]
    assert faces.link(0.2, boxes((160, 55), (55, 48))) == [2, 1]
    assert faces.link(0.4, boxes((65, 50), (300, 50), (165, 50))) == [1, 3, 2]


def test_a_face_that_moves_fast_is_where_its_motion_leads() -> None:
    faces = linker()
    for step in range(6):
        # it goes 28 pixels at first, then ever more: 34 are beyond reach, but the motion before leads near
        assert faces.link(step / 5, boxes((25 * step + 3 * step**2, 50))) == [1]


def test_one_that_crosses_another_goes_on_in_its_direction() -> None:
    faces = linker()
    places = [(0, 200), (25, 175), (50, 150), (75, 125), (100, 100), (125, 75), (150, 50)]
    numbers = [faces.link(step / 5, boxes((left, 50), (right, 60))) for step, (left, right) in enumerate(places)]
    assert numbers[0] == [1, 2] and numbers[-1] == [1, 2]


@pytest.mark.parametrize(("gap", "same"), [(0.8, True), (1.0, True), (1.2, False)])
def test_out_of_sight_for_too_long_is_another(gap: float, same: bool) -> None:
    faces = linker()
    faces.link(0.0, boxes((50, 50)))
    faces.link(gap / 2, boxes())
    assert faces.link(gap, boxes((50, 50))) == [1 if same else 2]


def test_another_size_is_another_face() -> None:
    faces = linker()
    faces.link(0.0, boxes((50, 50)))
    assert faces.link(0.2, boxes((50, 50), size=80)) == [2]


def test_a_cut_ends_all() -> None:
    faces = linker()
    faces.link(0.0, boxes((50, 50)))
    faces.cut()
    assert faces.link(0.2, boxes((50, 50))) == [2]


# --- the stage ---------------------------------------------------------------------------------------------------


def found(places: list[Floats], *, cuts: tuple[int, ...] = (), score: float = 0.9) -> DetectFacesOutput:
    """Pictures 0.2 s apart of a video of 25 frames a second, each with its faces; ``cuts`` are frames."""
    columns = ColumnsBuilder()
    for number, own in enumerate(places):
        columns.add(1000 + 5 * number, own, np.full(len(own), score, np.float32), np.zeros(len(own), np.int32))
    change = [1.0] * (5 * len(places))
    for cut in cuts:
        change[cut] = 60.0
    total = sum(map(len, places))
    return DetectFacesOutput(
        time_base="1/25",
        origin=1000,
        objects=columns.build(),
        landmarks=np.arange(10 * total, dtype="<f4").tobytes(),
        change=FrameSignals(timestamps=[n / 25 for n in range(len(change))], change=change, histogram=[], luma=[]),
    )


def test_a_cut_breaks_a_track_between_the_pictures_round_it() -> None:
    for cut, (before, after) in {11: (3, 3), 10: (2, 4), 14: (3, 3), 15: (3, 3), 16: (4, 2)}.items():
        still = found([boxes((50, 50))] * 6, cuts=(cut,))
        output = TrackFaces().run(context(TrackFacesOptions(), {}), TrackFacesInput([still]))
        assert output.cuts == [1000 + cut]
        assert [track.sightings for track in output.tracks] == [before, after], cut
        assert output.tracks[1].start == 1000 + 5 * before


def test_flashes_are_left_out_and_numbers_follow_first_sights() -> None:
    places = [boxes((300, 50)), *[boxes((50, 50), (150, 50))] * 3]
    output = TrackFaces().run(context(TrackFacesOptions(), {}), TrackFacesInput([found(places)]))
    assert [track.id for track in output.tracks] == [1, 2] and output.stats["left_out"] == 1
    pictures = list(output.pictures())
    assert [frame.ids.tolist() for frame, _ in pictures] == [[], [1, 2], [1, 2], [1, 2]]
    # landmarks stay with their faces: those of the flash were the first ten
    assert [points.reshape(-1).tolist() for _, points in pictures][1] == list(range(10, 30))
    kept = TrackFaces().run(context(TrackFacesOptions(min_sightings=1), {}), TrackFacesInput([found(places)]))
    assert len(kept.tracks) == 3


def test_the_best_sight_is_large_and_sure() -> None:
    places = [boxes((50, 50)), boxes((51, 50), size=50), boxes((52, 50), size=45)]
    output = TrackFaces().run(context(TrackFacesOptions(), {}), TrackFacesInput([found(places)]))
    (track,) = output.tracks
    assert track.best == 1005 and track.best_box == (26, 25, 76, 75)
    assert (track.start, track.end, track.score) == (1000, 1010, 0.9)
    assert Fraction(output.time_base) == Fraction(1, 25)

"""A text that is there all along the frames between two samples is on the second one too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from detect.between_samples import find_edges, gaps_of
from detect.geometry import iou
from detect.stages.base import Image
from detect.stages.filter_scenes import FilterScenesOutput
from detect.text_edges import with_ends
from detect.track_ends import Side, TrackEnd
from detect.types import Observation, TextTrack
from tests.ocr.edge_footage import PLACE, SAMPLED, STAGE, TEXT_AT, end_of, extracted, quad, still, video

LONG = 5 * SAMPLED + 1


def followed(path: Path, *ends: TrackEnd, others: list[Observation] | None = None, kept: Sequence[int] = range(6)):
    """The text of these ends, seen on their samples alone, and what it is once they were looked for."""
    tracks = [TextTrack(7, [], [Observation(ends[0].sequence, PLACE, 0.9)]), TextTrack(8, [], others or [])]
    samples, scenes = extracted(LONG), FilterScenesOutput(kept=list(kept), stands_for={}, cuts=[])
    told = find_edges(str(path), gaps_of(ends, samples, scenes), [], 1.0, lambda: None, threads=2)
    return with_ends(tracks, told, samples, scenes, 1.0)[0]


def known(side: Side, sample: int) -> TrackEnd:
    """The end of a text that was detected on its sample."""
    end = still(side, sample)
    return replace(end, anchors=(end.patch,))


def test_a_text_that_is_there_all_along_is_on_the_next_sample(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(14 <= number < 54)), frames=LONG)
    text = followed(path, known("appears", 3), known("vanishes", 3))
    assert [seen.sequence for seen in text.observations] == [2, 3, 4]
    assert all(iou(seen.box, PLACE) > 0.8 for seen in text.observations)
    assert [seen.confidence > 0.8 for seen in text.observations] == [False, True, False]
    assert text.appears is text.vanishes is None


def test_a_text_that_moves_is_where_it_went(tmp_path):
    pan = [2 * number for number in range(LONG)]
    path = video(tmp_path, lambda number: STAGE.picture(pan=pan[number]), frames=LONG)
    places = quad(TEXT_AT[0] - pan[24]), quad(TEXT_AT[0] - pan[36])
    end = end_of("vanishes", 2, STAGE.picture(pan=pan[24]), place=places[0], beyond=places[0] - np.float32(20))
    (_, won) = followed(path, replace(end, anchors=(end.patch,))).observations
    assert abs(won.box.x1 - places[1][0, 0]) <= 2
    assert abs(won.box.y1 - places[1][0, 1]) <= 2


def test_a_text_that_has_faded_by_half_is_not_followed_on(tmp_path):
    path = video(tmp_path, lambda number: STAGE.picture(opacity=float(np.clip(2 - number / 24, 0.3, 1))), frames=LONG)
    assert [seen.sequence for seen in followed(path, known("vanishes", 2)).observations] == [2]


def test_what_was_half_dissolved_already_is_not_followed_on(tmp_path):
    """All that its last sample shows of it is there ever after: another text, which came where it went."""

    def draw(number: int) -> Image:
        there = STAGE.picture(text="TAKVIA 8")
        return there if number > 24 else cv2.addWeighted(STAGE.picture(), 0.3, there, 0.7, 0)

    end = end_of("vanishes", 2, draw(24), place=quad(), beyond=quad())
    end = replace(end, anchors=(still("vanishes", 2).patch,))
    text = followed(video(tmp_path, draw, frames=LONG), end)
    assert [seen.sequence for seen in text.observations] == [2]
    assert text.vanishes is None


def test_a_text_is_not_followed_to_where_another_track_has_it(tmp_path):
    path = video(tmp_path, lambda _: STAGE.picture(), frames=LONG)
    text = followed(path, known("vanishes", 2), others=[Observation(3, PLACE, 0.9)])
    assert [seen.sequence for seen in text.observations] == [2]


def test_a_text_is_not_followed_to_a_frame_that_was_left_out(tmp_path):
    path = video(tmp_path, lambda _: STAGE.picture(), frames=LONG)
    text = followed(path, known("vanishes", 2), kept=(0, 1, 2, 4, 5))
    assert [seen.sequence for seen in text.observations] == [2]

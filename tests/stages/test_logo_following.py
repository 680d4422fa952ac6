"""A logo that was found in one frame is followed through its shot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from detect.logo_following import LogoSight, follow_logos
from detect.stages.base import Image
from detect.types import Box

PAN = 9  # pixels a frame
SHOT = list(range(20, 27))


def ground() -> Image:
    noise = np.random.default_rng(5).integers(40, 200, (60, 130, 3), np.uint8)
    return cv2.resize(noise, (780, 360), interpolation=cv2.INTER_CUBIC)


def place(sequence: int) -> Box:
    left = 300 - PAN * (sequence - SHOT[0])
    return Box(left, 150, left + 60, 198)


def frames(*, shown=SHOT, other: Image | None = None) -> dict[int, Image]:
    """A camera that pans over a ground with a logo on it, which is there in the frames of ``shown``."""
    wide, logo = ground(), np.full((48, 60, 3), 235, np.uint8)
    cv2.circle(logo, (20, 24), 14, (180, 40, 20), -1)
    cv2.fillPoly(logo, [np.array([(34, 40), (56, 40), (45, 8)])], (20, 20, 160))
    pictures = {}
    for sequence in SHOT:
        left = PAN * (sequence - SHOT[0])
        picture = wide[:, left : left + 640].copy()
        box = place(sequence)
        if sequence in shown:
            picture[box.y1 : box.y2, box.x1 : box.x2] = logo
        elif other is not None:
            picture[box.y1 : box.y2, box.x1 : box.x2] = other
        pictures[sequence] = picture
    return pictures


def seen(sequence: int, confidence: float = 0.9, brand: str = "Sol") -> LogoSight:
    return LogoSight(brand, sequence, place(sequence), confidence)


def told(sights: list[LogoSight]) -> dict[int, float]:
    assert len({(sight.brand, sight.sequence) for sight in sights}) == len(sights), "each once"
    for sight in sights:
        box, true = sight.box, place(sight.sequence)
        assert abs(box.x1 - true.x1) <= 4 and abs(box.y2 - true.y2) <= 4
    return {sight.sequence: sight.confidence for sight in sights}


@pytest.mark.parametrize("found_at", [SHOT[0], SHOT[3], SHOT[-1]])
def test_it_is_followed_both_ways_and_stays_as_sure(found_at):
    sights = follow_logos(SHOT, [seen(found_at)], frames().__getitem__)
    assert told(sights) == dict.fromkeys(SHOT, 0.9)


def test_it_ends_where_it_is_covered():
    cover = np.random.default_rng(1).integers(0, 255, (48, 60, 3), np.uint8)
    pictures = frames(shown=SHOT[1:5], other=cover)
    assert sorted(told(follow_logos(SHOT, [seen(SHOT[2])], pictures.__getitem__))) == SHOT[1:5]


def test_a_weak_sight_where_the_logo_should_be_is_a_sure_one():
    weak = [seen(SHOT[1], 0.35), seen(SHOT[2], 0.45)]
    assert told(follow_logos(SHOT[:3], [seen(SHOT[0]), *weak], frames().__getitem__)) == dict.fromkeys(SHOT[:3], 0.9)


def test_weak_sights_alone_are_nothing_and_load_no_frame():
    def load(sequence: int) -> Image:
        raise AssertionError("no frame is needed")

    assert follow_logos(SHOT, [seen(SHOT[0], 0.45), seen(SHOT[1], 0.3, "Luna")], load) == []


def test_the_surer_of_two_sights_is_kept_as_it_was():
    sights = follow_logos(SHOT, [seen(SHOT[0], 0.8), seen(SHOT[4], 0.95)], frames().__getitem__)
    assert told(sights)[SHOT[4]] == 0.95 and sorted(told(sights)) == SHOT

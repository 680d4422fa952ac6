"""Following people and cars in real footage, against what can be seen in it.

The truth below was made by eye: sheets of pictures two a second gave who is there, sheets of every frame round each
entry and exit the first and the last frame in which any part of them can be seen (to a frame or two). Shadows do not
count. People are looked for in every fifth frame here and cars in every second, as that takes long. To measure as
docs/tracking.md states, on every frame, some minutes:
``TRACKING_EVERY_FRAME=1 pytest --log-cli-level=INFO tests/tracking/test_real_footage.py``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from detect.engines.objects import BatchDetector, load_detector
from detect.media.reader import VideoReader
from detect.object_columns import ColumnsBuilder, FrameObjects
from detect.stages.detect_each_frame import DetectEachFrameOptions, DetectEachFrameOutput
from detect.stages.track_objects import TrackObjectsOutput
from tests.tracking.scenes import track

log = logging.getLogger(__name__)

EVERY_FRAME = bool(os.environ.get("TRACKING_EVERY_FRAME"))


@dataclass(frozen=True)
class Seen:
    """Something that can be seen from ``start`` to ``end`` seconds, the middle of its box between ``left`` and
    ``right`` pixels; at most one thing at a time is there.
    """

    what: str
    start: float
    end: float
    left: float = 0
    right: float = 768


PEOPLE = (
    Seen("woman, long grey cardigan", 6.0, 19.7),
    Seen("man, dark jacket, cap", 22.7, 44.9),
    Seen("woman, fair hair, in black", 50.2, 70.0),
    Seen("man, T-shirt, glasses", 74.5, 86.8),
    Seen("woman, black hair, grey jumper", 92.1, 120.0),
    Seen("man, grey T-shirt, jeans", 123.4, 136.0),
)
CARS = (
    Seen("white hatchback, going up", 4.40, 8.48),
    Seen("silver car, coming down", 14.40, 18.24, right=285),
    Seen("red car, going up", 15.12, 18.96, left=286),
    Seen("white coupé, coming down", 25.20, 27.76),
)
# Nothing can be seen at other times; not looking there saves half of the work.
CAR_TIMES = ((Fraction(3), Fraction(9)), (Fraction(14), Fraction(20)), (Fraction(25), Fraction(29)))
# What the COCO model takes cars seen from above for; most often cell phones.
FROM_ABOVE = ("car", "truck", "bus", "cell phone", "suitcase", "toilet", "parking meter", "cup", "bottle")


@dataclass(frozen=True)
class Score:
    """How one true object was followed: the ``ids`` that it had, how often they changed from sight to sight
    (``switches``), how many of its frames had one (``share``), and how late its track began and how early it ended.
    """

    ids: frozenset[int]
    switches: int
    share: float
    late: float
    early: float


@pytest.fixture(scope="module")
def detector(real_media: Path) -> BatchDetector:
    weights = real_media / "weights/yolov8n_int8_640.onnx"
    if not weights.is_file():
        pytest.skip(f"no detector: {weights} does not exist")
    return load_detector(weights, threads=2)


def detect(
    video: Path,
    detector: BatchDetector,
    *,
    classes: Sequence[str],
    windows: Sequence[tuple[Fraction, Fraction | None]],
    every: int = 1,
) -> list[DetectEachFrameOutput]:
    """What the model finds in each ``every``-th frame, as the stage before gives it; a window is a chunk."""
    if not video.is_file():
        pytest.skip(f"no real footage: {video} does not exist")
    options, outputs = DetectEachFrameOptions(), []
    wanted = [detector.class_names.index(name) for name in classes]
    with VideoReader(video) as reader:
        for start, end in windows:
            columns, until = ColumnsBuilder(), 0
            for number, shown in enumerate(reader.frames(start, end)):
                until = shown.until
                if number % every == 0:
                    picture = reader.upright(shown.frame)
                    (found,) = detector.detect_many([picture], confidence=options.keep_above, iou=options.iou)
                    mine = np.isin(found.kinds, wanted)
                    boxes = found.boxes[mine].astype(np.float32)
                    columns.add(shown.pts, boxes, found.scores[mine], found.kinds[mine])
            outputs.append(
                DetectEachFrameOutput(
                    time_base=str(reader.time_base),
                    origin=reader.origin,
                    ended=reader.origin + until,
                    class_names=detector.class_names,
                    objects=columns.build(),
                )
            )
    return outputs


def score(truth: Sequence[Seen], output: TrackObjectsOutput) -> list[Score]:
    tick = Fraction(output.time_base)
    frames = [(float((frame.pts - output.origin) * tick), frame) for frame in output.objects]
    return [_score_one(one, frames) for one in truth]


def _score_one(one: Seen, frames: Sequence[tuple[float, FrameObjects]]) -> Score:
    within = [(at, _ids_at(one, frame)) for at, frame in frames if one.start - 0.01 <= at <= one.end + 0.01]
    times = [at for at, ids in within if ids]
    assert all(len(ids) < 2 for _, ids in within), f"two tracks at once of the {one.what}"
    ids = [ids[0] for _, ids in within if ids]
    return Score(
        ids=frozenset(ids),
        switches=sum(before != after for before, after in pairwise(ids)),
        share=len(times) / len(within),
        late=min(times, default=one.end) - one.start,
        early=one.end - max(times, default=one.start),
    )


def _ids_at(one: Seen, frame: FrameObjects) -> list[int]:
    middles = (frame.boxes[:, 0] + frame.boxes[:, 2]) / 2
    return [int(own) for own, x in zip(frame.ids, middles, strict=True) if one.left <= x <= one.right]


def report(truth: Sequence[Seen], output: TrackObjectsOutput) -> list[Score]:
    """The scores, which are logged with the tracks."""
    scores, tick = score(truth, output), Fraction(output.time_base)
    for seen, got in zip(truth, scores, strict=True):
        log.info("%s: %s", seen.what, got)
    for one in output.tracks:
        start, end = (float((ticks - output.origin) * tick) for ticks in (one.start, one.end))
        log.info("%s %s %.2f-%.2f, %s sights, %.2f", one.id, one.label, start, end, one.sightings, one.confidence)
    return scores


def test_people_one_by_one_are_counted_and_keep_their_numbers(real_media, detector):
    found = detect(
        real_media / "person_intel_one_by_one.mp4",
        detector,
        classes=["person"],
        windows=[(Fraction(0), Fraction(60)), (Fraction(60), None)],
        every=1 if EVERY_FRAME else 5,
    )
    output = track(found)
    scores = report(PEOPLE, output)
    assert [one.label for one in output.tracks] == ["person"] * len(PEOPLE)
    assert [one.ids for one in scores] == [{number} for number in range(1, len(PEOPLE) + 1)]
    assert sum(one.switches for one in scores) == 0
    assert max(one.late for one in scores) < (0.35 if EVERY_FRAME else 0.85)
    # At two frames a second who walks out is lost for the last steps.
    assert max(one.early for one in scores) < (0.25 if EVERY_FRAME else 1.5)
    assert min(one.share for one in scores) > (0.97 if EVERY_FRAME else 0.9)


def test_cars_from_above_are_counted_and_keep_their_numbers(real_media, detector):
    found = detect(
        real_media / "cars_intel_overhead.mp4",
        detector,
        classes=FROM_ABOVE,
        windows=CAR_TIMES,
        every=1 if EVERY_FRAME else 2,
    )
    output = track(found)
    scores = report(CARS, output)
    assert len(output.tracks) == len(CARS)
    assert [one.ids for one in scores] == [{number} for number in range(1, len(CARS) + 1)]
    assert sum(one.switches for one in scores) == 0
    # At the edges of the picture the model sees no car.
    assert min(one.share for one in scores) > 0.7

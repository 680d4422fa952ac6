"""Objects in every frame: which frames, which objects, whatever the batches; and how it stops."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detect.checkpoints import serde
from detect.engines.objects import Detections, WeightsError, weights_digest
from detect.errors import CancelledError, MediaError
from detect.resources import DistantWeights, Resources, TrackingModel
from detect.stages.base import Image, Video
from detect.stages.detect_each_frame import (
    DetectEachFrame,
    DetectEachFrameInput,
    DetectEachFrameOptions,
    DetectEachFrameOutput,
)
from detect.types import Region
from tests.engines.tiny_onnx import constant_network
from tests.media.clips import cut_file, read_number, write_clip
from tests.stages.pictures import context

STAGE = DetectEachFrame()
NAMES = ("car", "person", "wheel gun")


class Numbers:
    """A detector that reads the number which a frame shows: as many cars as its last digit, and one person."""

    digest, class_names, device = "numbers", NAMES, "cpu"

    def __init__(self, batch_size: int = 1, *, fails_at: int = -1) -> None:
        self.batch_size, self._fails_at = batch_size, fails_at
        self.batches: list[int] = []

    def detect(self, image: Image, *, confidence: float, iou: float) -> list[Region]:
        raise NotImplementedError

    def detect_many(self, images: Sequence[Image], *, confidence: float, iou: float) -> list[Detections]:
        self.batches.append(len(images))
        return [self._find(read_number(image)) for image in images]

    def _find(self, number: int) -> Detections:
        if number == self._fails_at:
            raise WeightsError("the detector is broken")
        kinds = [1] + [0] * (number % 10)
        boxes = [(number + 0.25, index, number + 10.5, index + 5) for index in range(len(kinds))]
        scores = [0.9 - 0.05 * index for index in range(len(kinds))]
        return Detections(np.array(boxes, float), np.array(scores, np.float32), np.array(kinds, np.int32))


class With(Resources):
    """Resources whose detector for every frame is given."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.detector = detector

    def tracking_model(self, name: str = "pitstop") -> TrackingModel:
        return TrackingModel("numbers.onnx", "numbers", lambda: self.detector)


def run(
    video: Path, resources: Resources, start: str = "0", end: str | None = None, *, options: Any = None, **extra: Any
) -> DetectEachFrameOutput:
    ctx = context(options or DetectEachFrameOptions(), {}, resources, **extra)
    return STAGE.run(ctx, DetectEachFrameInput(Video(str(video), start, end)))


def reading_threads() -> int:
    return sum(thread.name == "read-ahead" for thread in threading.enumerate())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames at uneven times of 1/90000 s, the first at 9000."""
    pts = [9000 + 3600 * number + (1500 if number % 3 else 0) for number in range(40)]
    path = tmp_path_factory.mktemp("clips") / "pit.mkv"
    return write_clip(path, 40, pts=[tick // 90 for tick in pts], time_base=Fraction(1, 1000))


def test_every_frame_is_there_with_its_time_and_what_it_shows(clip: Path) -> None:
    output = run(clip, With(Numbers()))
    assert (output.time_base, output.origin, output.class_names) == ("1/1000", 100, NAMES)
    assert output.objects.times.tolist() == [100 + 40 * n + (16 if n % 3 else 0) for n in range(40)]
    for number, frame in enumerate(output.objects):
        assert len(frame) == 1 + number % 10
        assert frame.boxes[0].tolist() == [number + 0.25, 0, number + 10.5, 5]
        assert frame.boxes.dtype == np.float32 and frame.ids.size == 0
        assert frame.kinds.tolist() == [1] + [0] * (number % 10)
    assert output.ended > output.objects.times[-1]
    assert output.problems == [] and output.skipped == ""
    assert output.stats == {
        "weights": "numbers.onnx", "frames": 40, "objects": 220, "objects_car": 180, "objects_person": 40,
        "device": "cpu",
    }  # fmt: skip


@pytest.mark.parametrize("batch_size", [2, 7, 16, 64])
def test_the_output_does_not_depend_on_batches(clip: Path, batch_size: int) -> None:
    detector = Numbers(batch_size)
    assert serde.encode(run(clip, With(detector))) == serde.encode(run(clip, With(Numbers())))
    assert detector.batches == [*[batch_size] * (40 // batch_size), *[40 % batch_size] * (40 % batch_size > 0)]


def test_windows_together_are_the_whole(clip: Path) -> None:
    whole = run(clip, With(Numbers()))
    cuts = ["0", "0.256", "7/10", "1.28"]
    parts = [run(clip, With(Numbers(3)), *window) for window in zip(cuts, [*cuts[1:], None], strict=True)]
    assert [tick for part in parts for tick in part.objects.times.tolist()] == whole.objects.times.tolist()
    assert b"".join(part.objects.boxes for part in parts) == whole.objects.boxes
    assert b"".join(part.objects.scores for part in parts) == whole.objects.scores
    for part, following in pairwise(parts):
        assert part.ended == following.objects.times[0]
    assert parts[-1].ended == whole.ended


def test_a_window_behind_the_end_has_no_frame(clip: Path) -> None:
    steps: list[Any] = []
    output = run(clip, With(Numbers()), "60", "90", progress=lambda *step: steps.append(step))
    assert len(output.objects.times) == 0 and output.ended == output.origin
    assert output.stats["frames"] == 0 and steps == []


def test_options_narrow_what_is_kept(clip: Path) -> None:
    output = run(clip, With(Numbers()), options=DetectEachFrameOptions(classes=("car",), max_per_frame=2))
    assert [len(frame) for frame in output.objects] == [min(2, n % 10) for n in range(40)]
    assert "objects_person" not in output.stats
    frame = list(output.objects)[7]
    assert frame.kinds.tolist() == [0, 0] and frame.scores.tolist() == pytest.approx([0.85, 0.8])


def test_pictures_are_upright(tmp_path: Path) -> None:
    turned = write_clip(tmp_path / "turned.mp4", 6, rotation=90, size=(96, 128))
    output = run(turned, With(Numbers()))  # a number that lies on its side cannot be read
    assert [len(frame) for frame in output.objects] == [1, 2, 3, 4, 5, 6]


def test_progress_counts_frames_and_ends_whole(clip: Path) -> None:
    for end, expected in ((None, 250), ("0.8", 20), ("0.2", 5)):
        steps: list[tuple[int, int]] = []
        output = run(clip, With(Numbers(4)), "0", end, progress=lambda *step, steps=steps: steps.append(step))
        frames = len(output.objects.times)
        assert [done for done, _ in steps][:frames] == list(range(1, frames + 1))
        shares = [done / total for done, total in steps]
        assert shares == sorted(shares) and shares[-1] == 1
        assert steps[0] == (1, expected)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_it_stops_when_asked_and_leaves_no_thread(clip: Path, batch_size: int) -> None:
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 6:
            raise CancelledError("stopped")

    detector = Numbers(batch_size)
    with pytest.raises(CancelledError):
        run(clip, With(detector), checkpoint=stop)
    assert sum(detector.batches) <= 5 and reading_threads() == 0


def test_a_detector_that_breaks_ends_the_reading_too(clip: Path) -> None:
    with pytest.raises(WeightsError, match="broken"):
        run(clip, With(Numbers(4, fails_at=9)))
    assert reading_threads() == 0


def test_what_is_broken_in_the_video_is_passed_on(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 100)
    output = run(cut_file(whole, tmp_path / "cut.mkv", 0.5), With(Numbers()))
    assert 10 < len(output.objects.times) < 90
    assert any("breaks off" in problem for problem in output.problems)
    (tmp_path / "none.mp4").write_bytes(b"no video")
    for name in ("none.mp4", "gone.mp4"):
        with pytest.raises(MediaError):
            run(tmp_path / name, With(Numbers()))
    assert reading_threads() == 0


# --- weights -----------------------------------------------------------------------------------------------------


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    output = np.zeros((1, 7, 84), np.float32)
    output[0, :, 0] = (32, 32, 20.5, 40, 0, 0.9, 0)
    metadata = {"names": str(dict(enumerate(NAMES))), "imgsz": "[64, 64]"}
    path = tmp_path / "tiny.onnx"
    path.write_bytes(constant_network(output, metadata=metadata))
    return path


def test_real_engines_are_used(clip: Path, weights: Path) -> None:
    resources = Resources(tracking_weights=lambda: weights, threads=1)
    assert STAGE.model_digests(DetectEachFrameOptions(), resources) == (weights_digest(weights),)
    output = run(clip, resources)
    # 128x96 fits 64x64 at half size, with 8 grey rows above
    assert [frame.boxes.tolist() for frame in output.objects] == [[[43.5, 8.0, 84.5, 88.0]]] * 40
    assert output.stats["weights"] == "tiny.onnx" and output.stats["objects_person"] == 40


def test_a_class_the_weights_do_not_know_is_named_with_those_they_know(clip: Path, weights: Path) -> None:
    options = DetectEachFrameOptions(classes=("person", "tyre"))
    with pytest.raises(WeightsError, match=r"detect_each_frame\.classes: .*'tyre'; they know car, person, wheel gun"):
        run(clip, Resources(tracking_weights=lambda: weights), options=options)


def test_weights_elsewhere_are_known_before_they_are_fetched(clip: Path, weights: Path) -> None:
    fetched: list[Path] = []

    def fetch() -> Path:
        fetched.append(weights)
        return weights

    distant = Resources(tracking_weights=lambda: DistantWeights("best.onnx", "d" * 64, fetch), threads=1)
    assert STAGE.model_digests(DetectEachFrameOptions(), distant) == ("d" * 64,) and fetched == []
    assert run(clip, distant).stats["weights"] == "best.onnx" and fetched == [weights]


def test_broken_weights_are_named(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(WeightsError, match=r"broken\.onnx"):
        run(clip, Resources(tracking_weights=lambda: tmp_path / "broken.onnx"))


def test_without_weights_it_is_an_error(clip: Path) -> None:
    for act in (lambda: STAGE.model_digests(DetectEachFrameOptions(), Resources()), lambda: run(clip, Resources())):
        with pytest.raises(WeightsError):
            act()


def test_people_are_found_in_real_footage(real_media: Path) -> None:
    weights = real_media / "weights" / "yolov8n_int8_640.onnx"
    resources = Resources(tracking_weights=lambda: weights)
    options = DetectEachFrameOptions(classes=("person",))
    video = real_media / "person_intel_one_by_one.mp4"
    walking = run(video, resources, "9.5", "10.5", options=options)
    frames = list(walking.objects)
    assert len(frames) == 10 and walking.stats["device"] == "cpu"
    for frame in frames:
        assert frame.scores[0] > 0.5
    at_ten = next(frame for frame in frames if frame.pts * Fraction(walking.time_base) >= 10)
    np.testing.assert_allclose(at_ten.boxes[0], (383, 15, 516, 400), atol=25)
    empty = run(video, resources, "49.5", "50.1", options=options)  # one has left, the next comes at 50.2
    assert [len(frame) for frame in empty.objects] == [0] * 6

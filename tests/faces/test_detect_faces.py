"""Looking for faces: which pictures are looked at, what is kept of them, and what cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detect.checkpoints import serde
from detect.engines.faces import FaceDetector, Faces
from detect.engines.objects import WeightsError
from detect.errors import CancelledError, MediaError
from detect.resources import LocalModel, Resources
from detect.stages.base import Image, Video
from detect.stages.detect_faces import DetectFaces, DetectFacesInput, DetectFacesOptions, DetectFacesOutput
from detect.stages.track_faces import TrackFaces, TrackFacesInput, TrackFacesOptions, TrackFacesOutput
from tests.faces.running import Shelf
from tests.media.clips import cut_file, read_number, write_clip
from tests.stages.pictures import context

NONE = Faces(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32))


class Numbers:
    """A detector that reads the number which a frame shows: a face that walks to the right, two pixels a number."""

    def __init__(self, *, blind: bool = False) -> None:
        self._blind = blind
        self.asked: list[dict[str, Any]] = []

    def detect(self, image: Image, **asked: Any) -> Faces:
        self.asked.append(asked)
        if self._blind:
            return NONE
        left = 2.0 * read_number(image)
        box = np.array([[left, 10, left + 30, 50]], np.float32)
        landmarks = left + np.arange(10, dtype=np.float32).reshape(1, 5, 2)
        return Faces(box, landmarks, np.array([0.75], np.float32))


class With(Resources):
    """Resources whose face detector is given."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.detector = detector

    def model(self, name: str) -> LocalModel:
        return LocalModel(name, Path("numbers.onnx"), "numbers")

    def opened(self, name: str, load: Callable[[Path], Any]) -> Any:
        assert (name, load) == ("faces", FaceDetector)
        return self.detector


def detect(video: Path, start: str = "0", end: str | None = None, **extra: Any) -> DetectFacesOutput:
    options = extra.pop("options", DetectFacesOptions(fps=5))
    resources = extra.pop("resources", None) or With(Numbers())
    ctx = context(options, {}, resources, **extra)
    return DetectFaces().run(ctx, DetectFacesInput(Video(str(video), start, end)))


def track(*parts: DetectFacesOutput) -> TrackFacesOutput:
    """Followed over all parts: the numbers' grids change as much as at cuts, but are none here."""
    return TrackFaces().run(context(TrackFacesOptions(cut_change=255), {}), TrackFacesInput(parts))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames at uneven times of 1/1000 s, the first at 100."""
    pts = [100 + 40 * number + (16 if number % 3 else 0) for number in range(40)]
    return write_clip(tmp_path_factory.mktemp("clips") / "walk.mkv", 40, pts=pts, time_base=Fraction(1, 1000))


def test_pictures_are_those_on_screen_at_steady_instants(clip: Path) -> None:
    found = detect(clip)
    assert (found.time_base, found.origin) == ("1/1000", 100)
    # at 0, 200, 400 … ms: the latest frame that had appeared by then
    shown = [max(n for n in range(40) if 40 * n + (16 if n % 3 else 0) <= 200 * instant) for instant in range(8)]
    assert found.objects.times.tolist() == [100 + 40 * n + (16 if n % 3 else 0) for n in shown]
    assert [frame.boxes.tolist() for frame in found.objects] == [[[2.0 * n, 10, 2.0 * n + 30, 50]] for n in shown]
    points = np.frombuffer(found.landmarks, "<f4").reshape(-1, 10)
    assert points[:, 0].tolist() == [2.0 * n for n in shown] and points[3, 9] == 2 * shown[3] + 9
    assert len(found.change.timestamps) == 40, "cuts are looked for between the pictures too"
    assert found.stats == {"pictures": 8, "faces": 8} and found.problems == []


def test_the_detector_is_told_the_options(clip: Path) -> None:
    detector = Numbers()
    options = DetectFacesOptions(fps=1, min_score=0.7, min_size=33, longest_side=640)
    detect(clip, options=options, resources=With(detector))
    assert detector.asked == [{"min_score": 0.7, "min_size": 33, "longest_side": 640}] * 2


@pytest.mark.parametrize("windows", [["0", "0.256", "7/10", "1.28"], ["0", "0.2", "0.4", "0.416"]])
def test_windows_together_are_the_whole(clip: Path, windows: list[str]) -> None:
    whole = track(detect(clip))
    parts = [detect(clip, *window) for window in zip(windows, [*windows[1:], None], strict=True)]
    assert serde.encode(track(*parts)) == serde.encode(whole)
    assert len(whole.tracks) == 1 and whole.tracks[0].sightings == 8


def test_a_window_behind_the_end_has_no_picture(clip: Path) -> None:
    found = detect(clip, "60", "90")
    assert len(found.objects.times) == 0 and found.landmarks == b"" and found.stats["faces"] == 0
    assert serde.encode(track(detect(clip), found)) == serde.encode(track(detect(clip)))


def test_a_video_without_a_face_is_a_result(clip: Path) -> None:
    found = track(detect(clip, resources=With(Numbers(blind=True))))
    assert found.tracks == [] and len(found.objects.times) == 8 and list(found.pictures())[7][1].shape == (0, 5, 2)


def test_what_is_broken_in_the_video_is_passed_on(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 100)
    found = track(detect(cut_file(whole, tmp_path / "cut.mkv", 0.5)))
    assert 2 < len(found.objects.times) < 20 and len(found.tracks) == 1
    assert any("breaks off" in problem for problem in found.problems)
    (tmp_path / "none.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError):
        detect(tmp_path / "none.mp4")


def test_it_stops_when_asked_and_tells_how_far_it_is(clip: Path) -> None:
    steps: list[float] = []
    detect(clip, progress=lambda done, total: steps.append(done / total))
    assert steps == sorted(steps) and steps[-1] == 1 and len(steps) >= 8

    def stop() -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        detect(clip, checkpoint=stop)


def test_without_a_model_it_is_an_error(clip: Path) -> None:
    options = DetectFacesOptions()
    assert DetectFaces().model_digests(options, With(Numbers())) == ("numbers",)
    with pytest.raises(WeightsError):
        DetectFaces().model_digests(options, Resources())


def test_files_that_are_no_face_detector_are_named(tmp_path: Path, real_media: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    for path in (tmp_path / "broken.onnx", tmp_path / "gone.onnx"):
        with pytest.raises(WeightsError, match=f"'{path.name}' cannot be used to find faces"):
            FaceDetector(path)
    other = FaceDetector(real_media / "weights/yolox_nano_coco_416_fp32.onnx")
    with pytest.raises(WeightsError, match="yolox_nano"):
        other.detect(np.zeros((90, 160, 3), np.uint8), min_score=0.6, min_size=8, longest_side=640)


def test_a_model_is_loaded_once(real_media: Path, tmp_path: Path) -> None:
    weights = real_media / "weights/face_detection_yunet_2026may.onnx"
    resources = Resources(shelf=Shelf({"faces": weights}))
    assert resources.opened("faces", FaceDetector) is resources.opened("faces", FaceDetector)
    black = np.zeros((37, 53, 3), np.uint8)
    found = resources.opened("faces", FaceDetector).detect(black, min_score=0.6, min_size=8, longest_side=640)
    assert (len(found), found.boxes.shape, found.landmarks.shape) == (0, (0, 4), (0, 5, 2))

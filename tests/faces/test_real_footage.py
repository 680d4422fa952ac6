"""Faces in real footage, against what can be seen in it, and the files that come of it.

The truth was made by eye from sheets of pictures, five a second, and of every frame round each cut.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from detect.artifacts.base import Artifact
from detect.checkpoints import serde
from detect.engines.faces import LANDMARKS, FaceDetector
from detect.media.reader import VideoReader
from detect.stages.track_faces import TrackFacesOutput
from tests.faces.running import Finished, run_pipeline
from tests.media.clips import cut_file, write_clip

# For every second in which a face can plainly be seen: when, and a point in the middle of that face, pixels.
PLAIN = (
    (0.0, 545, 75, "the singer from afar"),
    (1.17, 350, 200, "the man with curls, from the side"),
    (2.97, 198, 118, "the singer"),
    (3.97, 250, 92, "the singer"),
    (4.17, 243, 91, "the singer"),
    (5.17, 282, 93, "the singer"),
    (6.17, 251, 72, "the singer"),
    (7.37, 413, 132, "the first lady, from the side"),
    (8.38, 352, 90, "the president, his hand at his chin"),
    (9.08, 420, 135, "the first lady, from the side"),
)
# First frames of new shots, seconds.
CUTS = (0.667334, 2.736069, 7.040374)
# Who is seen all through the shot from one of these times to the other, at a point in it.
THROUGHOUT = (
    (2.8, 7.0, "the singer", None),
    (7.1, 9.1, "the first lady", (418, 135)),
    (7.1, 9.1, "the president", (352, 90)),
    (7.1, 9.1, "the woman beside him", (200, 130)),
)


@pytest.fixture(scope="module")
def weights(real_media: Path) -> Path:
    return real_media / "weights/face_detection_yunet_2026may.onnx"


@pytest.fixture(scope="module")
def video(real_media: Path) -> Path:
    return real_media / "faces_whitehouse_miranda.mp4"


@pytest.fixture(scope="module")
def finished(video: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return run_pipeline("faces", video, tmp_path_factory.mktemp("faces"), models={"faces": weights})


@pytest.fixture(scope="module")
def found(finished: Finished) -> TrackFacesOutput:
    output = finished.output("track_faces")
    assert isinstance(output, TrackFacesOutput)
    return output


@pytest.fixture(scope="module")
def written(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Artifact]]:
    folder = tmp_path_factory.mktemp("artifacts")
    return folder / "0", finished.write(folder)


def seconds(found: TrackFacesOutput, pts: int) -> float:
    return float((pts - found.origin) * Fraction(found.time_base))


def ids_at(found: TrackFacesOutput, at: float, point: tuple[float, float] | None) -> list[int]:
    """Tracks with a box around the point in the picture nearest to ``at``; all of them without one."""
    frame = min(found.objects, key=lambda frame: abs(seconds(found, frame.pts) - at))
    assert abs(seconds(found, frame.pts) - at) < 0.07
    if point is None:
        return frame.ids.tolist()
    inside = (frame.boxes[:, :2] <= point).all(axis=1) & (frame.boxes[:, 2:] >= point).all(axis=1)
    return frame.ids[inside].tolist()


def test_a_face_is_found_in_each_second_with_one(found: TrackFacesOutput) -> None:
    for at, x, y, who in PLAIN:
        assert ids_at(found, at, (x, y)), f"{who} at {at} s"
    covered = {int(seconds(found, frame.pts)) for frame in found.objects if len(frame)}
    assert covered == {int(at) for at, *_ in PLAIN}


def test_landmarks_lie_in_their_boxes_and_are_in_order(found: TrackFacesOutput) -> None:
    for frame, landmarks in found.pictures():
        sizes = frame.boxes[:, 2:] - frame.boxes[:, :2]
        assert (sizes >= 4).all()
        beside = np.maximum(frame.boxes[:, None, :2] - landmarks, landmarks - frame.boxes[:, None, 2:])
        assert (beside <= 0.1 * sizes[:, None]).all()
        eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)
        assert (eyes[:, 1] < mouth[:, 1]).all(), "nobody stands on his head here"


def test_ids_hold_through_a_shot(found: TrackFacesOutput) -> None:
    for start, end, who, point in THROUGHOUT:
        seen = {tuple(ids_at(found, at, point)) for at in np.arange(start, end, 0.1)}
        assert len(seen) == 1 and len(seen.pop()) == 1, who


def test_ids_end_at_cuts(found: TrackFacesOutput) -> None:
    assert [round(seconds(found, tick), 6) for tick in found.cuts] == list(CUTS)
    for track in found.tracks:
        assert not any(track.start < tick <= track.end for tick in found.cuts)


@pytest.mark.parametrize("chunk_seconds", [5, 600])
def test_it_does_not_depend_on_chunks(
    found: TrackFacesOutput, video: Path, weights: Path, tmp_path: Path, chunk_seconds: int
) -> None:
    overrides = {"detect_faces": {"chunk_seconds": chunk_seconds}}
    other = run_pipeline("faces", video, tmp_path, models={"faces": weights}, overrides=overrides)
    assert serde.encode(other.output("track_faces").objects) == serde.encode(found.objects)
    assert other.output("track_faces").tracks == found.tracks


def test_pycocotools_reads_what_was_found(
    found: TrackFacesOutput, finished: Finished, written: tuple[Path, list[Artifact]]
) -> None:
    folder, artifacts = written
    assert (artifacts[0].type, artifacts[0].role, artifacts[0].path) == ("json", "faces", "faces.json")
    coco = COCO(str(folder / "faces.json"))
    (category,) = coco.loadCats(coco.getCatIds())
    assert category["name"] == "face" and category["keypoints"] == list(LANDMARKS)
    images = coco.loadImgs(sorted(coco.getImgIds()))
    assert [image["pts"] for image in images] == found.objects.times.tolist()
    assert images[12]["file_name"] == f"faces_whitehouse_miranda.mp4#t={images[12]['timestamp']:.3f}"
    assert {(image["width"], image["height"]) for image in images} == {(640, 360)}
    assert len(coco.anns) == finished.outputs["track_faces"][0].stats["faces"] > 200
    for image, (frame, landmarks) in zip(images, found.pictures(), strict=True):
        anns = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        assert [ann["track_id"] for ann in anns] == frame.ids.tolist()
        for ann, box, score, points in zip(anns, frame.boxes, frame.scores, landmarks, strict=True):
            x, y, width, height = ann["bbox"]
            np.testing.assert_allclose((x, y, x + width, y + height), box, atol=0.011)
            assert ann["area"] == pytest.approx(width * height, abs=0.01) and ann["iscrowd"] == 0
            assert ann["score"] == pytest.approx(score, abs=1e-4) and ann["category_id"] == category["id"]
            keypoints = np.array(ann["keypoints"]).reshape(5, 3)
            np.testing.assert_allclose(keypoints[:, :2], points, atol=0.006)
            assert ann["num_keypoints"] == 5 and set(keypoints[:, 2]) <= {1, 2}
    assert len(coco.getAnnIds(catIds=[category["id"]], areaRng=[10_000, 1e9])) > 20, "the singer is large"


def test_each_face_has_a_picture_that_shows_it(
    found: TrackFacesOutput, weights: Path, written: tuple[Path, list[Artifact]]
) -> None:
    folder, artifacts = written
    pictures = [artifact for artifact in artifacts if artifact.role == "thumbnail"]
    assert {artifact.meta["track_id"] for artifact in pictures} == {track.id for track in found.tracks}
    detector, seen = FaceDetector(weights), set()
    for artifact in pictures:
        picture = cv2.imread(str(folder / artifact.path))
        assert picture is not None
        height, width = picture.shape[:2]
        assert (artifact.meta["width"], artifact.meta["height"]) == (width, height) and max(width, height) <= 240
        assert artifact.meta["start"] <= artifact.meta["time"] <= artifact.meta["end"]
        if len(detector.detect(picture, min_score=0.6, min_size=8, longest_side=640)):
            seen.add(artifact.meta["track_id"])
    assert len(seen) >= 0.8 * len(pictures)


def test_the_same_run_writes_the_same_bytes(
    finished: Finished, written: tuple[Path, list[Artifact]], tmp_path: Path
) -> None:
    folder, artifacts = written
    assert finished.write(tmp_path) == artifacts
    for artifact in artifacts:
        assert (tmp_path / "0" / artifact.path).read_bytes() == (folder / artifact.path).read_bytes()
    text = (folder / "faces.json").read_text()
    assert str(finished.path.parent) not in text and json.loads(text)["info"]["video"] == finished.name


@pytest.fixture(scope="module")
def short(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seconds from 3 to 5, made again from their pictures."""
    with VideoReader(video) as reader:
        pictures = [reader.upright(shown.frame) for shown in reader.frames(Fraction(3), Fraction(5))]
    return write_clip(tmp_path_factory.mktemp("short") / "short.mkv", pictures, rate=30, gop=5)


def test_a_broken_video_gives_what_can_be_read(short: Path, weights: Path, tmp_path: Path) -> None:
    broken = cut_file(short, tmp_path / "broken.mkv", 0.5)
    run = run_pipeline("faces", broken, tmp_path / "run", models={"faces": weights})
    output: TrackFacesOutput = run.output("track_faces")
    assert any("breaks off" in problem for problem in output.problems)
    assert len(output.tracks) == 1 and 2 <= len(output.objects.times) < 15
    run.write(tmp_path / "artifacts")
    assert len(COCO(str(tmp_path / "artifacts/0/faces.json")).anns) == output.stats["faces"]


def test_a_video_without_faces_gives_valid_files(weights: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "grids.mp4", 12)
    run = run_pipeline("faces", clip, tmp_path / "run", models={"faces": weights})
    artifacts = run.write(tmp_path / "artifacts")
    assert [artifact.role for artifact in artifacts] == ["faces"]
    coco = COCO(str(tmp_path / "artifacts/0/faces.json"))
    assert coco.anns == {} and len(coco.imgs) == 5 and coco.cats[1]["name"] == "face"


def test_small_and_large_faces_are_told_apart_by_options(short: Path, weights: Path, tmp_path: Path) -> None:
    def faces(**options: float) -> int:
        overrides = {"detect_faces": {"fps": 2, **options}}
        run = run_pipeline("faces", short, tmp_path / str(options), models={"faces": weights}, overrides=overrides)
        return int(run.outputs["detect_faces"][0].stats["faces"])

    assert (faces(), faces(min_size=100), faces(min_size=200), faces(min_score=0.99)) == (4, 4, 0, 0)
    assert faces(longest_side=160) == 4, "a face of 100 pixels is seen in a quarter of the size too"

"""The people pipeline from a whole run of it: who is followed, its files, and the annotated video."""

from __future__ import annotations

import csv
import json
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from detect.artifacts import people
from detect.artifacts.base import Artifact
from detect.checkpoints import serde
from detect.engines.objects import WeightsError
from detect.media.reader import VideoReader
from detect.object_columns import ColumnsBuilder
from detect.resources import Resources
from detect.stages.base import Image
from detect.stages.detect_each_frame import DetectEachFrame, DetectEachFrameOptions
from detect.stages.time_zones import TimeZones, TimeZonesInput, TimeZonesOptions
from detect.stages.track_objects import Track, TrackObjectsOutput
from tests.faces.running import Finished, Shelf, run_pipeline
from tests.media.clips import cut_file, write_clip
from tests.stages.memory_files import FolderFiles
from tests.stages.pictures import context

# In these seconds of the footage one man walks into the empty picture, at 22.7; in those nobody is there.
ALONE, EMPTY = (Fraction(22), Fraction(26)), (Fraction(46), Fraction(48))


@pytest.fixture(scope="module")
def weights(real_media: Path) -> Path:
    return real_media / "weights/yolox_nano_coco_416_fp32.onnx"


def pictures(video: Path, span: tuple[Fraction, Fraction]) -> list[Image]:
    with VideoReader(video) as reader:
        return [reader.upright(shown.frame) for shown in reader.frames(*span)]


@pytest.fixture(scope="module")
def walking(real_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames of the footage, made again at half their speed."""
    path = tmp_path_factory.mktemp("walking") / "walking.mp4"
    return write_clip(path, pictures(real_media / "person_intel_one_by_one.mp4", ALONE), rate=5)


@pytest.fixture(scope="module")
def finished(walking: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return run_pipeline("people_tracks", walking, tmp_path_factory.mktemp("people"), models={"people": weights})


@pytest.fixture(scope="module")
def found(finished: Finished) -> TrackObjectsOutput:
    output = finished.output("track_objects")
    assert isinstance(output, TrackObjectsOutput)
    return output


@pytest.fixture(scope="module")
def written(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Artifact]]:
    folder = tmp_path_factory.mktemp("artifacts")
    return folder, finished.write(folder)


def test_one_man_has_one_number(found: TrackObjectsOutput, finished: Finished) -> None:
    (track,) = found.tracks
    assert (track.id, track.label) == (1, "person") and 28 < track.sightings <= 34
    assert float((track.start - found.origin) * Fraction(found.time_base)) / 2 == pytest.approx(0.7, abs=0.3)
    for stage in ("track_objects", "time_zones", "encode_video"):
        assert finished.output(stage).problems == []
    assert finished.output("time_zones").stops == []


def test_pycocotools_reads_every_frame(found: TrackObjectsOutput, written: tuple[Path, list[Artifact]]) -> None:
    folder, artifacts = written
    assert [(one.type, one.role, one.path) for one in artifacts] == [
        ("json", "tracks", "tracks.json"),
        ("csv", "tracks", "tracks.csv"),
        ("video", "annotated", "annotated.mp4"),
    ]
    coco = COCO(str(folder / "0/tracks.json"))
    images = coco.loadImgs(sorted(coco.getImgIds()))
    assert [image["pts"] for image in images] == found.objects.times.tolist() and len(images) == 40
    assert [image["timestamp"] for image in images] == pytest.approx([number / 5 for number in range(40)])
    people_found = coco.getAnnIds(catIds=coco.getCatIds(catNms=["person"]))
    assert len(people_found) == len(coco.anns) == np.frombuffer(found.objects.counts, "<i4").sum()
    for image, frame in zip(images, found.objects, strict=True):
        anns = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        assert [ann["track_id"] for ann in anns] == frame.ids.tolist()
        for ann, box, score in zip(anns, frame.boxes, frame.scores, strict=True):
            x, y, width, height = ann["bbox"]
            np.testing.assert_allclose((x, y, x + width, y + height), box, atol=0.011)
            assert ann["score"] == pytest.approx(score, abs=1e-4) and ("interpolated" in ann) == (score == 0)


def test_the_csv_lists_who_was_followed(found: TrackObjectsOutput, written: tuple[Path, list[Artifact]]) -> None:
    (row,) = csv.DictReader((written[0] / "0/tracks.csv").open())
    (track,) = found.tracks
    assert row == {
        "id": "1",
        "label": "person",
        "start": f"{float((track.start - found.origin) * Fraction(found.time_base)):.3f}",
        "end": f"{float((track.end - found.origin) * Fraction(found.time_base)):.3f}",
        "sightings": str(track.sightings),
        "confidence": str(track.confidence),
    }


def test_the_annotated_video_shows_the_boxes(
    found: TrackObjectsOutput, finished: Finished, written: tuple[Path, list[Artifact]]
) -> None:
    annotated = written[1][2]
    assert annotated.stored is not None and annotated.meta == {"frames": 40, "sound": "none", "start": 0.0}
    with finished.files.local(annotated.stored) as path, VideoReader(path) as reader:
        drawn = [reader.upright(shown.frame) for shown in reader.frames()]
    with VideoReader(finished.path) as reader:
        plain = [reader.upright(shown.frame) for shown in reader.frames()]
    assert len(drawn) == len(plain) == 40
    for before, after, frame in zip(plain, drawn, found.objects, strict=True):
        changed = np.abs(before.astype(int) - after).max(axis=2) > 100
        assert changed.any() == bool(len(frame))
        for x1, y1, x2, y2 in np.round(frame.boxes).astype(int).clip(30).tolist():
            assert changed[y1 - 4 : y2 + 5, x1 - 4 : x2 + 5].any()
            changed[y1 - 30 : y2 + 30, x1 - 30 : x2 + 200] = False
        assert not changed.any(), "nothing is drawn elsewhere"


def test_the_same_run_writes_the_same_bytes(
    finished: Finished, written: tuple[Path, list[Artifact]], tmp_path: Path
) -> None:
    folder, artifacts = written
    assert finished.write(tmp_path) == artifacts
    for name in ("tracks.json", "tracks.csv"):
        data = (tmp_path / "0" / name).read_bytes()
        assert data == (folder / "0" / name).read_bytes() and str(finished.path.parent).encode() not in data


def test_it_does_not_depend_on_chunks(found: TrackObjectsOutput, walking: Path, weights: Path, tmp_path: Path) -> None:
    other = run_pipeline(
        "people_tracks",
        walking,
        tmp_path,
        models={"people": weights},
        overrides={"extract_frames": {"chunk_seconds": 5}, "render_overlays": {"boxes": False}},
    )
    assert len(other.parts("detect_each_frame")) == 2
    assert serde.encode(other.output("track_objects")) == serde.encode(found)


def test_nobody_is_a_result(real_media: Path, weights: Path, tmp_path: Path) -> None:
    clip = tmp_path / "empty.mp4"
    write_clip(clip, pictures(real_media / "person_intel_one_by_one.mp4", EMPTY)[:8], rate=10)
    run = run_pipeline("people_tracks", clip, tmp_path / "run", models={"people": weights})
    run.write(tmp_path / "artifacts")
    coco = COCO(str(tmp_path / "artifacts/0/tracks.json"))
    assert coco.anns == {} and len(coco.imgs) == 8
    assert (tmp_path / "artifacts/0/tracks.csv").read_text() == "id,label,start,end,sightings,confidence\n"


def test_a_broken_video_gives_what_can_be_read(walking: Path, weights: Path, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", pictures(walking, (Fraction(0), Fraction(4))), rate=10, gop=5)
    run = run_pipeline(
        "people_tracks", cut_file(whole, tmp_path / "cut.mkv", 0.5), tmp_path / "run", models={"people": weights}
    )
    artifacts = run.write(tmp_path / "artifacts")
    images = COCO(str(tmp_path / "artifacts/0/tracks.json")).imgs
    assert 4 < len(images) < 20 and artifacts[2].meta["frames"] == len(images)
    assert any("breaks off" in problem for problem in run.output("track_objects").problems)


def test_other_weights_than_those_of_pit_stops_are_asked_for_by_name(weights: Path) -> None:
    stage, resources = DetectEachFrame(), Resources(shelf=Shelf({"people": weights}))
    (digest,) = stage.model_digests(DetectEachFrameOptions(model="people"), resources)
    assert digest == resources.model("people").digest
    for name in ("pitstop", "cats"):
        with pytest.raises(WeightsError):
            stage.model_digests(DetectEachFrameOptions(model=name), resources)


def test_weights_that_know_people_alone_are_no_problem() -> None:
    columns = ColumnsBuilder()
    columns.add(0, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), [])
    tracked = TrackObjectsOutput("1/25", 0, 1, ("person",), [], columns.build())
    problems = {
        classes: TimeZones().run(context(TimeZonesOptions(car_classes=classes), {}), TimeZonesInput(tracked)).problems
        for classes in ((), ("car",))
    }
    assert problems[()] == [] and "no stop can be timed" in problems["car",][0]


def test_memory_does_not_grow_with_what_is_written(finished: Finished, tmp_path: Path) -> None:
    def peak(frames: int) -> int:
        columns = ColumnsBuilder()
        box, score = np.array([[1, 2, 30, 40]], np.float32), np.array([0.5], np.float32)
        for number in range(frames):
            columns.add(number, box, score, [0], [1])
        tracks = [Track(1, "person", 0, frames - 1, frames, 0.5)]
        output = TrackObjectsOutput("1/25", 0, frames, ("person",), tracks, columns.build())
        source, files = finished.source, FolderFiles(tmp_path / "files")
        run = Finished(source, "long.mp4", "people_tracks", {}, {"track_objects": [output]}, files, finished.path)
        folder = tmp_path / str(frames)
        folder.mkdir()
        tracemalloc.start()
        people.write(run, folder)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(json.loads((folder / "tracks.json").read_text())["annotations"]) == frames
        return size

    # a frame's text takes some 300 bytes, its place among all frames and their times some 40
    assert peak(8000) - peak(2000) < 6000 * 80

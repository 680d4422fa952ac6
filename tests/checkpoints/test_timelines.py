"""Timelines in Postgres and storage: made from pictures, read back as arrays or base64, branched from."""

from __future__ import annotations

import base64
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.core.files.storage import storages

from detect.checkpoints.outputs import load_stage_output, save_stage_output
from detect.errors import StorageError
from detect.models import SourceAsset, Timeline
from detect.persistence import DatabaseCheckpointStore, StorageFrames, timeline_create, timeline_for
from detect.stages.extract_frames import ExtractFrames, ExtractFramesOptions, ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from mediaproc.localfiles import LocalFiles

pytestmark = pytest.mark.django_db


@pytest.fixture
def storage(tmp_path) -> LocalFiles:
    return LocalFiles(location=str(tmp_path))


@pytest.fixture
def asset() -> SourceAsset:
    return SourceAsset.objects.create(path="match.mp4", sha256="a" * 64)


@pytest.fixture
def pictures() -> dict[float, np.ndarray]:
    return {second: np.full((72, 128, 3), 40 + int(40 * second), np.uint8) for second in (0.0, 0.5, 1.5)}


def create(asset: SourceAsset, pictures: dict[float, np.ndarray], storage: LocalFiles) -> tuple[UUID, UUID]:
    return timeline_create(asset=asset, profile="p", fps=2, images=pictures, job_id=uuid4(), storage=storage)


def test_a_timeline_made_from_pictures_gives_them_back(asset, pictures, storage):
    timeline_id, checkpoint_id = create(asset, pictures, storage)
    timeline = Timeline.objects.get(id=timeline_id)
    assert [row["sequence"] for row in timeline.frames_meta] == [0, 1, 3]
    assert [row["timestamp"] for row in timeline.frames_meta] == [0.0, 0.5, 1.5]
    frames = StorageFrames(storage, timeline.frames_prefix)
    for row, picture in zip(timeline.frames_meta, pictures.values(), strict=True):
        assert storage.exists(timeline.frames_manifest[str(row["sequence"])])
        assert np.abs(frames.load(row["sequence"]).astype(int) - picture).max() <= 2
        assert base64.b64decode(frames.load_base64(row["sequence"])) == frames.load_jpeg(row["sequence"])
    root = DatabaseCheckpointStore().get_checkpoint(checkpoint_id)
    assert (root.timeline_id, root.parent_id, root.stage) == (timeline_id, None, "extract_frames")


def test_an_output_saved_as_a_child_carries_its_parents_forward(asset, pictures, storage):
    store = DatabaseCheckpointStore()
    timeline_id, checkpoint_id = create(asset, pictures, storage)
    root = store.get_checkpoint(checkpoint_id)
    output = FilterScenesOutput(kept=[0, 3], stands_for={1: 0}, cuts=[1.2], stats={"kept": 2})
    child = save_stage_output(
        store,
        stage="filter_scenes",
        parts=[output],
        timeline_id=timeline_id,
        job_id=root.job_id,
        parent=root,
        overrides={"filter_scenes": {"duplicate_bits": 5}},
    )
    assert set(child.outputs) == {"extract_frames", "filter_scenes"}
    assert child.config_overrides == {"filter_scenes": {"duplicate_bits": 5}}
    assert (child.stats["extract_frames"]["frames"], child.stats["filter_scenes"]["kept"]) == (3, 2)
    assert list(load_stage_output(store, child, "filter_scenes", FilterScenesOutput)) == [output]
    extracted = load_stage_output(store, child, "extract_frames", ExtractFramesOutput)[0]
    assert [sample.sequence for sample in extracted.samples] == [0, 1, 3]
    with pytest.raises(KeyError):
        load_stage_output(store, root, "filter_scenes", FilterScenesOutput)


def test_the_same_asset_and_options_have_one_timeline_and_others_another(asset):
    options = ExtractFramesOptions()
    stage = ExtractFrames()
    first = timeline_for(asset, stage, options, "soccer")
    assert timeline_for(asset, stage, options, "motorsport").id == first.id
    assert timeline_for(asset, stage, ExtractFramesOptions(fps=4.0), "soccer").id != first.id

    class Later(ExtractFrames):
        version = 2

    assert timeline_for(asset, Later(), options, "soccer").id != first.id


def test_a_missing_and_a_broken_frame_are_named(storage):
    frames = StorageFrames(storage, "timelines/x")
    with pytest.raises(StorageError, match=r"0000007\.jpg"):
        frames.load(7)
    frames.save_jpeg(7, b"no picture")
    with pytest.raises(StorageError, match="not a readable JPEG"):
        frames.load(7)


def test_a_frame_saved_again_is_replaced_in_the_storage_of_this_installation():
    frames = StorageFrames(storages["default"], f"timelines/{uuid4()}")
    for content in (b"one", b"two"):
        frames.save_jpeg(1, content)
    assert frames.load_jpeg(1) == b"two"

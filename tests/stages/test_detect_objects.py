from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detect.engines.objects import WeightsError, weights_digest
from detect.errors import CancelledError, ConfigError
from detect.options import convert_options
from detect.resources import Resources
from detect.stages.detect_objects import NO_WEIGHTS, DetectObjects, DetectObjectsInput, DetectObjectsOptions
from detect.types import Box, Region
from tests.engines.tiny_onnx import constant_network
from tests.stages.pictures import Pictures, context, kept

STAGE = DetectObjects()
PICTURES = {sequence: np.zeros((64, 64, 3), np.uint8) for sequence in (3, 5, 8)}


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    """Weights that see a person, a second one less surely, and a dog, in every picture."""
    output = np.zeros((1, 7, 84), np.float32)
    output[0, :, :3] = np.array(
        [(32, 32, 20, 40, 0.9, 0, 0), (10, 10, 8, 8, 0.5, 0, 0), (50, 50, 8, 8, 0, 0.7, 0)], np.float32
    ).T
    metadata = {"names": "{0: 'person', 1: 'dog', 2: 'sports ball'}", "imgsz": "[64, 64]"}
    (tmp_path / "tiny.onnx").write_bytes(constant_network(output, metadata=metadata))
    return Resources(weights_folders=(tmp_path,), threads=1)


def run(options: DetectObjectsOptions, resources: Resources, **extra):
    return STAGE.run(context(options, PICTURES, resources, **extra), DetectObjectsInput(kept(3, 8)))


def test_every_kept_frame_has_its_objects(resources: Resources) -> None:
    output = run(DetectObjectsOptions(), resources)
    expected = [
        Region(Box(22, 12, 42, 52), 0.9, "person"),
        Region(Box(46, 46, 54, 54), 0.7, "dog"),
        Region(Box(6, 6, 14, 14), 0.5, "person"),
    ]
    assert output.regions == {3: expected, 8: expected}
    assert output.skipped == "" and not output.incomplete
    assert output.stats == {
        "weights": "tiny.onnx", "frames": 2, "objects": 6, "objects_dog": 2, "objects_person": 4
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({"confidence": 0.6}, ["person", "dog"]),
        ({"classes": ["dog"]}, ["dog"]),
        ({"max_per_frame": 1}, ["person"]),
        ({"classes": ["sports ball"]}, []),
    ],
)
def test_options_narrow_what_is_kept(resources: Resources, options: dict[str, object], labels: list[str]) -> None:
    output = run(convert_options(STAGE, options), resources)
    assert [region.label for region in output.regions[3]] == labels


def test_without_weights_it_is_skipped_and_reads_no_frame(tmp_path: Path) -> None:
    ctx = context(DetectObjectsOptions(), PICTURES, Resources(weights_folders=(tmp_path,)))
    output = STAGE.run(ctx, DetectObjectsInput(kept(3)))
    assert output.skipped == NO_WEIGHTS and output.regions == {} and not output.incomplete
    assert isinstance(ctx.frames, Pictures) and ctx.frames.loaded == []
    assert STAGE.model_digests(DetectObjectsOptions(), ctx.resources) == ()


def test_digest_is_of_the_file_and_needs_no_loading(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    broken = Resources(weights_folders=(tmp_path,))
    assert STAGE.model_digests(DetectObjectsOptions(), broken) == (weights_digest(path),)
    with pytest.raises(WeightsError, match=r"broken\.onnx"):
        run(DetectObjectsOptions(), broken)


def test_missing_configured_weights_are_an_error_not_a_skip(tmp_path: Path) -> None:
    gone = Resources(object_weights=tmp_path / "gone.pt")
    for act in (lambda: STAGE.model_digests(DetectObjectsOptions(), gone), lambda: run(DetectObjectsOptions(), gone)):
        with pytest.raises(WeightsError, match=r"gone\.pt"):
            act()


def test_a_class_the_weights_do_not_know_is_named_with_those_they_know(resources: Resources) -> None:
    with pytest.raises(WeightsError, match="'cat'; they know person, dog, sports ball"):
        run(DetectObjectsOptions(classes=("dog", "cat")), resources)


@pytest.mark.parametrize("options", [{"confidence": 0}, {"iou": 1.5}, {"max_per_frame": 0}, {"classes": 3}])
def test_values_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"detect_objects.{next(iter(options))}"):
        convert_options(STAGE, options)


def test_it_reports_progress_and_stops_when_asked(resources: Resources) -> None:
    done: list[tuple[int, int]] = []
    run(DetectObjectsOptions(), resources, progress=lambda *step: done.append(step))
    assert done == [(1, 2), (2, 2)]

    def stop() -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        run(DetectObjectsOptions(), resources, checkpoint=stop)

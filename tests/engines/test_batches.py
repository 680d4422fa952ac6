"""Several pictures at once, boxes that are not rounded, and one network as .pt and as .onnx."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detect.engines.objects import BatchDetector, Detections, check_classes, load_detector
from detect.engines.yolo_network import YoloNetwork
from detect.engines.yolo_output import to_regions
from detect.errors import MediaprocError
from detect.stages.base import Image
from tests.engines.test_objects import ULTRALYTICS, picture, raw_output, write
from tests.engines.tiny_onnx import constant_network


@dataclass
class Shades(YoloNetwork):
    """A network that sees one object, as sure as the picture's middle is bright, and notes what it is asked."""

    batch_size: int = 1

    def __post_init__(self) -> None:
        self.class_names, self.device, self.digest = ("cap", "jersey"), "cpu", "shades"
        self._form, self._size, self._stride, self._fixed, self._classes = "raw", (64, 64), 32, False, 2
        self.shapes: list[tuple[int, ...]] = []

    def _forward(self, canvases: Image) -> Any:
        self.shapes.append(canvases.shape)
        outputs = np.zeros((len(canvases), 6, 84), np.float32)
        height, width = canvases.shape[1:3]
        outputs[:, :4, 0] = (width / 2, height / 2, 9.5, 7.25)
        outputs[:, 5, 0] = canvases[:, height // 2, width // 2, 0] / 255
        return outputs


def shade(value: int, height: int = 64, width: int = 128) -> Image:
    return np.full((height, width, 3), value, np.uint8)


def test_pictures_of_one_shape_go_together_and_answers_keep_their_order() -> None:
    network = Shades(batch_size=3)
    images = [shade(51), shade(102), shade(153), shade(204), shade(255, 128, 64), shade(0), shade(51)]
    found = network.detect_many(images, confidence=0.1, iou=0.5)
    assert network.shapes == [(3, 32, 64, 3), (1, 32, 64, 3), (1, 64, 32, 3), (2, 32, 64, 3)]
    scores = [answer.scores.tolist() for answer in found]
    assert scores == [pytest.approx([value]) if value else [] for value in (0.2, 0.4, 0.6, 0.8, 1.0, 0.0, 0.2)]
    assert found[0].boxes.tolist() == [[54.5, 24.75, 73.5, 39.25]]
    assert found[4].boxes.tolist() == [[22.5, 56.75, 41.5, 71.25]]
    assert found[0].kinds.tolist() == [1] and found[0].kinds.dtype == np.int32


@pytest.mark.parametrize("batch_size", [1, 2, 5, 16])
def test_any_batch_size_gives_the_same(batch_size: int) -> None:
    images = [shade(value) for value in (60, 200, 10, 90, 250, 130, 70)]
    one_by_one = [Shades().detect_many([image], confidence=0.1, iou=0.5)[0] for image in images]
    together = Shades(batch_size=batch_size).detect_many(images, confidence=0.1, iou=0.5)
    for one, other in zip(one_by_one, together, strict=True):
        assert_near(one, other, pixels=0)


def test_no_pictures_are_no_work() -> None:
    network = Shades()
    assert network.detect_many([], confidence=0.1, iou=0.5) == [] and network.shapes == []


def test_boxes_are_not_rounded_and_regions_are_made_of_them(tmp_path: Path) -> None:
    output = raw_output((20, 32, 10.3, 8, 0.1, 0.9), (63.9, 47, 20, 10, 0.3, 0.0), (32, 32, 0.1, 8, 0.5, 0))
    detector = load_detector(write(tmp_path, constant_network(output, metadata=ULTRALYTICS)), threads=1)
    found = detector.detect_many([picture()], confidence=0.25, iou=0.5)[0]
    np.testing.assert_allclose(
        found.boxes, [(29.7, 24, 50.3, 40), (63.9, 24, 64.1, 40), (107.8, 52, 128, 64)], atol=1e-5
    )
    regions = detector.detect(picture(), confidence=0.25, iou=0.5)
    assert regions == to_regions(found, detector.class_names)
    assert [(region.label, region.confidence) for region in regions] == [("jersey", 0.9), ("cap", 0.3)]  # one vanished


def test_fixed_networks_take_one_picture_at_a_time(tmp_path: Path) -> None:
    output = raw_output((32, 32, 8, 8, 0.2, 0.8))
    detector = load_detector(write(tmp_path, constant_network(output, metadata=ULTRALYTICS)), threads=1)
    found = detector.detect_many([picture()] * 3, confidence=0.25, iou=0.5)
    assert detector.batch_size == 1
    assert [answer.boxes.tolist() for answer in found] == [[[56.0, 24.0, 72.0, 40.0]]] * 3


def test_a_class_that_weights_do_not_know_is_named(tmp_path: Path) -> None:
    check_classes("stage.classes", ("cap",), Shades(), "mine.pt")
    with pytest.raises(MediaprocError, match=r"stage\.classes: the weights 'mine\.pt' know no 'car'; they know cap, j"):
        check_classes("stage.classes", ("cap", "car"), Shades(), "mine.pt")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BatchDetector]:
    """One network, not trained, as a checkpoint and as an export that takes any number of pictures of any size."""
    folder = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLO_CONFIG_DIR", str(folder))
        patch.setenv("YOLO_OFFLINE", "true")
        torch = pytest.importorskip("torch")
        from torch.onnx._internal.torchscript_exporter import onnx_proto_utils
        from ultralytics.models import YOLO

        torch.manual_seed(0)
        network: Any = YOLO("yolov8n.yaml", verbose=False)
        for branch in network.model.model[-1].cv3:  # every cell is fairly sure of its class 7
            branch[-1].bias.data[7] = 2.0
        network.save(folder / "mine.pt")
        loaded: Any = YOLO(folder / "mine.pt", verbose=False)
        fused = loaded.model.fuse(verbose=False).float().eval()
        fused.model[-1].export, fused.model[-1].format, fused.model[-1].dynamic = True, "onnx", True
        # It looks for functions of the package onnx, of which this network has none.
        patch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda model, functions: model)
        torch.onnx.export(
            fused,
            (torch.zeros(1, 3, 64, 96),),
            str(folder / "mine.onnx"),
            input_names=["images"],
            output_names=["output0"],
            dynamic_axes={"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}},
            dynamo=False,
        )
        return {suffix: load_detector(folder / f"mine{suffix}", threads=2) for suffix in (".pt", ".onnx")}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pt_and_onnx_of_one_network_agree(both: dict[str, BatchDetector]) -> None:
    noise = np.random.default_rng(0)
    images = [noise.integers(0, 255, (16, 320, 3), dtype=np.uint8) for _ in range(3)]
    found = {suffix: detector.detect_many(images, confidence=0.5, iou=1) for suffix, detector in both.items()}
    for one, other in zip(found[".pt"], found[".onnx"], strict=True):
        assert len(one) > 300 and set(one.kinds) == {7}
        assert_near(one, other, pixels=0.01)


@pytest.mark.parametrize("suffix", [".pt", ".onnx"])
def test_real_batches_find_the_same(
    both: dict[str, BatchDetector], suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(1)
    images = [noise.integers(0, 255, (16, 320, 3), dtype=np.uint8) for _ in range(3)]
    detector = both[suffix]
    alone = detector.detect_many(images, confidence=0.5, iou=1)
    monkeypatch.setattr(detector, "batch_size", 2)
    for one, other in zip(alone, detector.detect_many(images, confidence=0.5, iou=1), strict=True):
        assert_near(one, other, pixels=0.01)


def assert_near(one: Detections, other: Detections, *, pixels: float) -> None:
    """The same objects; nearly equal scores may have changed places."""
    assert len(one) == len(other)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-5 if pixels else 0)
    for box, kind in zip(one.boxes, one.kinds, strict=True):
        alike = other.boxes[other.kinds == kind]
        assert np.abs(alike - box).max(axis=1).min() <= pixels

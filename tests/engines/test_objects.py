from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detect.engines import yolo_output
from detect.engines.coco import COCO_NAMES
from detect.engines.objects import WeightsError, find_weights, load_detector, weights_digest
from detect.geometry import iou
from detect.stages.base import Image
from detect.types import Box, Region
from tests.engines.tiny_onnx import constant_network

ULTRALYTICS = {"names": "{0: 'cap', 1: 'jersey'}", "imgsz": "[64, 64]", "stride": "32", "task": "detect"}


def picture(height: int = 64, width: int = 128) -> Image:
    return np.zeros((height, width, 3), dtype=np.uint8)


def raw_output(*rows: tuple[float, float, float, float, float, float], anchors: int = 84) -> np.ndarray:
    """Ultralytics' form for two classes: ``rows`` are centre x, y, width, height and two scores."""
    output = np.zeros((1, 6, anchors), dtype=np.float32)
    output[0, :, : len(rows)] = np.array(rows, dtype=np.float32).T
    return output


def write(folder: Path, content: bytes, name: str = "weights.onnx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def detect(path: Path) -> list[Region]:
    return load_detector(path, threads=1).detect(picture(), confidence=0.25, iou=0.5)


# --- which weights -----------------------------------------------------------------------------------------------


def test_configured_weights_win_and_must_exist(tmp_path: Path) -> None:
    configured = write(tmp_path, b"x", "mine.pt")
    write(tmp_path, b"y", "a.onnx")
    assert find_weights(configured, [tmp_path]) == configured
    with pytest.raises(WeightsError, match=r"gone\.onnx"):
        find_weights(tmp_path / "gone.onnx", [tmp_path])


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    empty, first, second = tmp_path / "empty", tmp_path / "first", tmp_path / "second"
    for folder in (empty, first, second):
        folder.mkdir()
    write(second, b"", "a.onnx")
    assert find_weights(None, [tmp_path / "missing", empty]) is None
    assert find_weights(None, [empty, second]) == second / "a.onnx"
    write(first, b"", "a.pt")
    assert find_weights(None, [first, second]) == first / "a.pt"
    for name in ("z.onnx", "b.onnx"):
        write(first, b"", name)
    (first / "a.onnx").mkdir()
    assert find_weights(None, [first, second]) == first / "b.onnx"


def test_digest_follows_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, b"one")
    assert weights_digest(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"other")
    assert weights_digest(path) == hashlib.sha256(b"other").hexdigest()
    with pytest.raises(WeightsError, match=r"gone\.onnx"):
        weights_digest(tmp_path / "gone.onnx")


# --- what is no detector -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.onnx", b""),
        ("text.onnx", b"this is no model"),
        ("flat.onnx", constant_network(np.zeros((1, 7), np.float32))),
        ("odd.onnx", constant_network(np.zeros((1, 40, 90), np.float32))),
        ("audio.onnx", constant_network(raw_output(), input_shape=(1, 80, 300))),
        ("grey.onnx", constant_network(raw_output(), input_shape=(1, 1, 64, 64))),
        ("turned.onnx", constant_network(raw_output(), metadata={**ULTRALYTICS, "task": "obb"})),
        ("many.onnx", constant_network(raw_output(), metadata={**ULTRALYTICS, "names": str(list("abcdef"))})),
        ("names.onnx", constant_network(raw_output(), metadata={**ULTRALYTICS, "names": "{0: 'cap'"})),
        ("weights.txt", b""),
    ],
)
def test_unusable_weights_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = write(tmp_path, content, name)
    with pytest.raises(WeightsError, match=name):
        load_detector(path, threads=1)


# --- forms of output ---------------------------------------------------------------------------------------------


def test_ultralytics_form_is_scaled_back_and_suppressed_by_class(tmp_path: Path) -> None:
    # 128x64 fits a 64x64 input at half size, with 16 grey rows above and below.
    output = raw_output(
        (20, 32, 10, 8, 0.1, 0.9),
        (21, 32, 10, 8, 0.1, 0.6),  # the same jersey again
        (20, 32, 10, 8, 0.5, 0.1),  # a cap in the same place
        (60, 47, 20, 10, 0.3, 0.0),  # over the right and lower edges
        (40, 32, 10, 8, 0.25, 0.2),  # not above the confidence
    )
    path = write(tmp_path, constant_network(output, metadata=ULTRALYTICS))
    assert detect(path) == [
        Region(Box(30, 24, 50, 40), 0.9, "jersey"),
        Region(Box(30, 24, 50, 40), 0.5, "cap"),
        Region(Box(100, 52, 128, 64), 0.3, "cap"),
    ]
    assert load_detector(path, threads=1).class_names == ("cap", "jersey")


def test_masks_behind_the_scores_are_left_alone(tmp_path: Path) -> None:
    output = np.concatenate([raw_output((32, 32, 8, 8, 0.2, 0.8)), np.full((1, 32, 84), 9, np.float32)], axis=1)
    path = write(tmp_path, constant_network(output, metadata={**ULTRALYTICS, "task": "segment"}))
    assert [(region.label, region.confidence) for region in detect(path)] == [("jersey", 0.8)]


@pytest.mark.parametrize("metadata", [{**ULTRALYTICS, "end2end": "True"}, {**ULTRALYTICS, "args": "{'nms': True}"}, {}])
def test_end2end_form_is_taken_as_it_is(tmp_path: Path, metadata: dict[str, str]) -> None:
    rows = np.zeros((1, 30, 6), np.float32)
    rows[0, :3] = [(10, 20, 20, 30, 0.5, 1), (10, 20, 20, 30, 0.4, 1), (0, 16, 64, 48, 0.9, 0)]
    regions = detect(write(tmp_path, constant_network(rows, metadata=metadata)))
    names = ("cap", "jersey") if metadata else COCO_NAMES
    assert regions == [
        Region(Box(0, 0, 128, 64), 0.9, names[0]),
        Region(Box(20, 8, 40, 28), 0.5, names[1]),
        Region(Box(20, 8, 40, 28), 0.4, names[1]),
    ]


@pytest.mark.parametrize("decoded", [True, False])
def test_yolox_form_decoded_or_not(tmp_path: Path, decoded: bool) -> None:
    # 64x64: 64 + 16 + 4 cells. One object in cell (x 5, y 2) of stride 8.
    values = np.zeros((1, 84, 85), np.float32)
    cell = 2 * 8 + 5
    if decoded:
        values[0, :, :4] = 32
        values[0, cell, :4] = (44, 20, 16, 8)
    else:
        values[0, cell, :4] = (0.5, 0.5, np.log(2), 0)
    values[0, cell, 4], values[0, cell, 5 + 2] = 0.8, 0.5
    path = write(tmp_path, constant_network(values))
    assert detect(path) == [Region(Box(72, 32, 104, 48), 0.4, "car")]  # top left, at half size, score times objectness


def test_classes_without_names_get_numbers_or_those_of_coco(tmp_path: Path) -> None:
    few = load_detector(write(tmp_path, constant_network(np.zeros((1, 84, 8), np.float32)), "few.onnx"), threads=1)
    assert few.class_names == ("class 0", "class 1", "class 2")
    assert len(COCO_NAMES) == len(set(COCO_NAMES)) == 80
    assert COCO_NAMES[0] == "person" and COCO_NAMES[2] == "car" and COCO_NAMES[79] == "toothbrush"


def test_any_size_networks_get_the_smallest_rectangle(tmp_path: Path) -> None:
    output = raw_output((32, 16, 8, 8, 0.2, 0.8))
    path = write(tmp_path, constant_network(output, input_shape=(1, 3, "height", "width"), metadata=ULTRALYTICS))
    # 128x64 becomes 64x32: no padding, so the middle stays the middle.
    assert detect(path) == [Region(Box(56, 24, 72, 40), 0.8, "jersey")]


@pytest.mark.parametrize(
    ("picture_size", "expected"), [((648, 1124), (384, 640)), ((720, 1280), (384, 640)), ((640, 640), (640, 640))]
)
def test_rectangles_are_multiples_of_the_stride(picture_size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert yolo_output.input_shape(picture(*picture_size), (640, 640), 32) == expected


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("size", [(37, 101), (101, 37), (64, 64), (300, 500)])
def test_letterbox_keeps_every_point_findable(centred: bool, size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 200, dtype=np.uint8)
    image[size[0] // 2 :, size[1] // 2 :] = 20
    canvas, fitted = yolo_output.letterbox(image, 64, 96, centred=centred)
    assert canvas.shape == (64, 96, 3)
    for y, x in [(0.2, 0.2), (0.2, 0.8), (0.8, 0.2), (0.8, 0.8)]:
        row = fitted.top + y * size[0] * fitted.scale_y
        column = fitted.left + x * size[1] * fitted.scale_x
        assert canvas[int(row), int(column)].tolist() == image[int(y * size[0]), int(x * size[1])].tolist()
    covered = (size[0] * fitted.scale_y + 1) * (size[1] * fitted.scale_x + 1)
    assert (canvas == 114).all(axis=2).sum() >= 64 * 96 - covered


# --- PyTorch -----------------------------------------------------------------------------------------------------


def test_pt_checkpoints_load_beside_any_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    torch = pytest.importorskip("torch")
    from ultralytics.models import YOLO

    torch.manual_seed(0)
    network: Any = YOLO("yolov8n.yaml", verbose=False)
    for branch in network.model.model[-1].cv3:  # every cell is fairly sure of its class 7
        branch[-1].bias.data[7] = 2.0
    network.save(tmp_path / "mine.pt")
    detector = load_detector(tmp_path / "mine.pt", threads=1)
    assert len(detector.class_names) == 80
    image = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    found = detector.detect(image, confidence=0.5, iou=0.5)
    assert found and {region.label for region in found} == {detector.class_names[7]}
    assert found == load_detector(tmp_path / "mine.pt", threads=1).detect(image, confidence=0.5, iou=0.5)
    with pytest.raises(WeightsError, match=r"broken\.pt"):
        load_detector(write(tmp_path, b"no pickle", "broken.pt"), threads=1)


# --- real models on real footage ---------------------------------------------------------------------------------

MODELS = ["yolox_nano_coco_416_fp32.onnx", "yolov8n_int8_640.onnx"]


@pytest.mark.parametrize("model", MODELS)
def test_people_and_cars_are_found_where_they_are(real_media: Path, model: str) -> None:
    detector = load_detector(real_media / "weights" / model, threads=2)
    assert detector.digest == weights_digest(real_media / "weights" / model)
    person = frame_at(real_media / "person_intel_one_by_one.mp4", 10.0)
    found = [region for region in detector.detect(person, confidence=0.5, iou=0.6) if region.label == "person"]
    assert len(found) == 1
    assert iou(found[0].box, Box(383, 15, 516, 400)) > 0.8
    empty = frame_at(real_media / "person_intel_one_by_one.mp4", 50.0)
    assert not [region for region in detector.detect(empty, confidence=0.5, iou=0.6) if region.label == "person"]
    # Seen from above a car looks like many things to these small networks; where it is they agree on.
    car = detector.detect(frame_at(real_media / "cars_intel_overhead.mp4", 7.0), confidence=0.5, iou=0.6)
    assert len(car) == 1 and iou(car[0].box, Box(276, 0, 416, 214)) > 0.8


@pytest.mark.parametrize("model", MODELS)
def test_runs_repeat_exactly(real_media: Path, model: str) -> None:
    image = frame_at(real_media / "person_intel_one_by_one.mp4", 10.0)
    results = [
        load_detector(real_media / "weights" / model, threads=2).detect(image, confidence=0.05, iou=0.6)
        for _ in range(3)
    ]
    assert results[0] and results[0] == results[1] == results[2]


def frame_at(video: Path, seconds: float) -> Image:
    import av

    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= seconds - 1e-3:
                return np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    raise AssertionError(f"{video} ends before {seconds} s")

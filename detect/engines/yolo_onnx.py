"""YOLO detectors in ONNX files, run by ONNX Runtime.

Measured on two threads beside OpenVINO in f32: as fast (YOLOX-nano 416: 7 ms against 8; YOLOv8n 8-bit 640: 56 against
65), without its second of compiling, and the same code uses a GPU where the CUDA provider is installed.
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import onnxruntime

from detect.engines import yolo_output
from detect.engines.coco import COCO_NAMES
from detect.engines.objects import WeightsError
from detect.engines.yolo_network import YoloNetwork
from detect.stages.base import Image

_ANY_SIZE = (640, 640)
# ONNX Runtime does not tell how much memory a card has: large models at 640 px take 4 GB with these together.
_CUDA_BATCH = 8


class YoloOnnx(YoloNetwork):
    """A :class:`~detect.engines.objects.BatchDetector` from an ``.onnx`` file.

    Reads the metadata of Ultralytics' exports (names, size, stride, suppression) and recognises YOLOX by its output.
    Pictures go in batches where the file's batch axis is open and a graphics card gains by it, else one by one.
    """

    def __init__(self, path: Path, *, digest: str, threads: int) -> None:
        self.digest = digest
        self._path = path
        self._session = _open_session(path, threads)
        self.device = "cuda" if "CUDAExecutionProvider" in self._session.get_providers() else "cpu"
        inputs = self._session.get_inputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3:
            raise WeightsError(f"object weights '{path}' are no detector: an input of 1x3xHxW is needed, not {shape}")
        self._input = inputs[0].name
        self._half = inputs[0].type == "tensor(float16)"
        metadata = self._session.get_modelmeta().custom_metadata_map
        names, self._size, self._stride, self._end2end = _read_metadata(path, metadata)
        self._fixed = isinstance(shape[2], int) and isinstance(shape[3], int)
        if self._fixed:
            self._size = (shape[2], shape[3])
        self.batch_size = 1 if isinstance(shape[0], int) or self.device == "cpu" else _CUDA_BATCH
        # One blank picture settles the form for good: shapes in the file may be symbolic.
        self._form: yolo_output.Form = "yolox" if names is None else "raw"
        self._classes = None if names is None else len(names)
        try:
            output = self._blank()
            self._form = yolo_output.recognise(output.shape, self._size, classes=self._classes, end2end=self._end2end)
            _, scores = yolo_output.decode(output, self._form, self._size, self._classes)
        except ValueError as error:
            raise WeightsError(f"object weights '{path}' are of no known kind: {error}") from error
        self.class_names = names or default_names(80 if self._form == "end2end" else scores.shape[1])

    def _forward(self, canvases: Image) -> yolo_output.Floats:
        # YOLOX was trained on BGR 0-255, everything of Ultralytics on RGB 0-1.
        pixels = canvases if self._form == "yolox" else canvases[..., ::-1]
        tensor = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32)
        if self._form != "yolox":
            tensor /= 255
        try:
            outputs = self._session.run(None, {self._input: tensor.astype(np.float16) if self._half else tensor})
        except Exception as error:  # ONNX Runtime's errors share no base but this
            raise WeightsError(f"object weights '{self._path}' cannot be run: {_first_line(error)}") from error
        return np.asarray(outputs[0], dtype=np.float32)


def default_names(count: int) -> tuple[str, ...]:
    """Class names for weights that carry none: COCO's for 80 classes, numbers otherwise."""
    return COCO_NAMES if count == len(COCO_NAMES) else tuple(f"class {index}" for index in range(count))


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # TF32 and the search for the fastest algorithm would make runs on one GPU differ.
    cuda = ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"})
    available = onnxruntime.get_available_providers()
    providers = [cuda] if "CUDAExecutionProvider" in available else []
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[*providers, "CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base but this
        raise WeightsError(f"object weights '{path}' are no readable ONNX model: {_first_line(error)}") from error


def _read_metadata(path: Path, metadata: dict[str, str]) -> tuple[tuple[str, ...] | None, tuple[int, int], int, bool]:
    """Names (None without metadata), (height, width), stride and whether suppression is inside."""
    if "names" not in metadata:
        return None, _ANY_SIZE, 32, False
    task = metadata.get("task", "detect")
    if task not in ("detect", "segment", "pose"):
        raise WeightsError(f"object weights '{path}' are for the task '{task}', not for detection")
    try:
        names = ast.literal_eval(metadata["names"])
        ordered = tuple(str(names[key]) for key in sorted(names)) if isinstance(names, dict) else tuple(map(str, names))
        size = ast.literal_eval(metadata.get("imgsz", str(list(_ANY_SIZE))))
        height, width = (size, size) if isinstance(size, int) else size
        stride = int(float(metadata.get("stride", "32")))
        arguments = ast.literal_eval(metadata.get("args", "{}"))
    except (ValueError, SyntaxError, TypeError) as error:
        raise WeightsError(f"object weights '{path}' carry metadata that cannot be read: {error}") from error
    end2end = metadata.get("end2end", "").lower() == "true" or bool(arguments.get("nms"))
    return ordered, (int(height), int(width)), stride, end2end


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]

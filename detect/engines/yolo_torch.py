"""YOLO detectors in ``.pt`` checkpoints, loaded by ultralytics and run by PyTorch.

Only loading and the forward pass are ultralytics': letterbox, suppression and scaling are those of the ONNX engine.
That keeps torchvision out (its wheel does not load beside a CPU build of PyTorch) and ultralytics' time limit on
suppression too, which would make results depend on how busy the machine is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from detect.engines import yolo_output
from detect.engines.objects import WeightsError
from detect.stages.base import Image
from detect.types import Region


class YoloTorch:
    """An :class:`~detect.engines.objects.ObjectDetector` from an Ultralytics ``.pt`` file."""

    def __init__(self, path: Path, *, digest: str, threads: int) -> None:
        self.digest = digest
        torch, loaded = _load(path, threads)
        if loaded.task not in ("detect", "segment", "pose"):
            raise WeightsError(f"object weights '{path}' are for the task '{loaded.task}', not for detection")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self._torch = torch
        self._network = loaded.model.fuse(verbose=False).float().eval().to(self.device)
        names = loaded.names
        self.class_names: tuple[str, ...] = tuple(str(names[key]) for key in sorted(names))
        self._stride = max(32, int(self._network.stride.max()))
        size = loaded.overrides.get("imgsz", 640)
        height, width = (size, size) if isinstance(size, int) else size
        self._size = (_multiple(height, self._stride), _multiple(width, self._stride))
        try:
            output = self._forward(np.full((*self._size, 3), 114, dtype=np.uint8))
            self._form = yolo_output.recognise(
                output.shape, self._size, classes=len(self.class_names), end2end=bool(_end2end(self._network))
            )
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"object weights '{path}' are of no known kind: {error}") from error

    def detect(self, image: Image, *, confidence: float, iou: float) -> list[Region]:
        """See :meth:`detect.engines.objects.ObjectDetector.detect`."""
        size = yolo_output.input_shape(image, self._size, self._stride)
        canvas, fitted = yolo_output.letterbox(image, *size, centred=True)
        boxes, scores = yolo_output.decode(self._forward(canvas), self._form, size, len(self.class_names))
        return yolo_output.to_regions(
            boxes, scores, self._form, fitted, image.shape[:2], self.class_names, confidence=confidence, iou=iou
        )

    def _forward(self, canvas: Image) -> yolo_output.Floats:
        pixels = np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)[None])
        tensor = self._torch.from_numpy(pixels).to(self.device).float() / 255
        with self._torch.inference_mode():
            output = self._network(tensor)
        if isinstance(output, list | tuple):
            output = output[0]
        result: yolo_output.Floats = output.cpu().numpy()
        return result


def _load(path: Path, threads: int) -> tuple[Any, Any]:
    """PyTorch and the opened checkpoint. Raises ``WeightsError``."""
    # Before the import: ultralytics would otherwise ask the network for updates, install packages and print.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    try:
        import torch
        from ultralytics.models import YOLO
        from ultralytics.utils import SETTINGS
    except (ImportError, OSError) as error:
        raise WeightsError(
            f"object weights '{path}' need PyTorch and ultralytics, but importing fails: {error}"
        ) from error
    if SETTINGS["sync"]:
        SETTINGS["sync"] = False
    torch.set_num_threads(threads)
    try:
        return torch, YOLO(path, verbose=False)
    except Exception as error:  # unpickling runs the file's own code and may raise anything
        raise WeightsError(f"object weights '{path}' are no readable YOLO checkpoint: {error}") from error


def _end2end(network: Any) -> bool:
    return bool(getattr(network.model[-1], "end2end", False))


def _multiple(side: int, stride: int) -> int:
    return -(-int(side) // stride) * stride

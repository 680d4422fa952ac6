"""YOLO detectors in ``.pt`` checkpoints, loaded by ultralytics and run by PyTorch.

Only loading and the forward pass are ultralytics': letterbox, suppression and scaling are those of the ONNX engine.
That keeps torchvision out (its wheel does not load beside a CPU build of PyTorch) and ultralytics' time limit on
suppression too, which would make results depend on how busy the machine is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from detect.engines import yolo_output
from detect.engines.objects import WeightsError
from detect.engines.quiet_ultralytics import load_quietly
from detect.engines.yolo_network import YoloNetwork
from detect.stages.base import Image

_CUDA_BATCH = 16
# Large models at 640 px take half of this for each picture of a batch.
_BYTES_A_PICTURE = 1 << 30


class YoloTorch(YoloNetwork):
    """A :class:`~detect.engines.objects.BatchDetector` from an Ultralytics ``.pt`` file; batches on a graphics card."""

    def __init__(self, path: Path, *, digest: str, threads: int) -> None:
        self.digest = digest
        torch, loaded = _load(path, threads)
        if loaded.task not in ("detect", "segment", "pose"):
            raise WeightsError(f"object weights '{path}' are for the task '{loaded.task}', not for detection")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.batch_size = 1 if self.device == "cpu" else _cuda_batch(torch)
        self._torch = torch
        self._network = loaded.model.fuse(verbose=False).float().eval().to(self.device)
        names = loaded.names
        self.class_names: tuple[str, ...] = tuple(str(names[key]) for key in sorted(names))
        self._classes = len(self.class_names)
        self._fixed = False
        self._stride = max(32, int(self._network.stride.max()))
        size = loaded.overrides.get("imgsz", 640)
        height, width = (size, size) if isinstance(size, int) else size
        self._size = (_multiple(height, self._stride), _multiple(width, self._stride))
        try:
            self._form = yolo_output.recognise(
                self._blank().shape, self._size, classes=self._classes, end2end=_end2end(self._network)
            )
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"object weights '{path}' are of no known kind: {error}") from error

    def _forward(self, canvases: Image) -> yolo_output.Floats:
        pixels = np.ascontiguousarray(canvases[..., ::-1].transpose(0, 3, 1, 2))
        tensor = self._torch.from_numpy(pixels).to(self.device).float() / 255
        with self._torch.inference_mode():
            output = self._network(tensor)
        if isinstance(output, list | tuple):
            output = output[0]
        result: yolo_output.Floats = output.cpu().numpy()
        return result


def _load(path: Path, threads: int) -> tuple[Any, Any]:
    """PyTorch and the opened checkpoint. Raises ``WeightsError``."""
    try:
        load_quietly()
        import torch
        from ultralytics.models import YOLO
    except (ImportError, OSError) as error:
        raise WeightsError(
            f"object weights '{path}' need PyTorch and ultralytics, but importing fails: {error}"
        ) from error
    torch.set_num_threads(threads)
    try:
        return torch, YOLO(path, verbose=False)
    except Exception as error:  # unpickling runs the file's own code and may raise anything
        raise WeightsError(f"object weights '{path}' are no readable YOLO checkpoint: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """One line; what ultralytics says of an error is advice for those who train networks."""
    cause = error.__cause__ or error
    return str(cause).strip().split("\n", 1)[0] or type(cause).__name__


def _cuda_batch(torch: Any) -> int:
    memory = int(torch.cuda.get_device_properties(0).total_memory)
    return max(1, min(_CUDA_BATCH, memory // _BYTES_A_PICTURE))


def _end2end(network: Any) -> bool:
    return bool(getattr(network.model[-1], "end2end", False))


def _multiple(side: int, stride: int) -> int:
    return -(-int(side) // stride) * stride

"""Object detectors: which weights to use, and one interface whatever they are made of.

Weights are ``.onnx`` (run by ONNX Runtime) or ``.pt`` (run by PyTorch through ultralytics, imported only then). Loading
a ``.pt`` executes code from the file, as pickles do: weights are trusted like programs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detect.errors import MediaprocError
from detect.stages.base import Image
from detect.types import Region

SUFFIXES = (".onnx", ".pt")


class WeightsError(MediaprocError):
    """Detector weights that are missing, broken or of a kind that cannot be used; the message names the file."""


@dataclass(frozen=True)
class Detections:
    """What was found in one picture, best first.

    ``boxes`` is ``(n, 4)`` ``xyxy`` in pixels of the picture, within it and not rounded; ``scores`` ``(n,)`` 0-1;
    ``kinds`` ``(n,)`` positions in the detector's ``class_names``.
    """

    boxes: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.boxes)


class ObjectDetector(Protocol):
    """A detector that is loaded and stays loaded.

    ``digest`` is the SHA-256 of the weights file, ``class_names`` are in the model's order, ``device`` is ``cpu`` or
    ``cuda``.
    """

    digest: str
    class_names: tuple[str, ...]
    device: str

    def detect(self, image: Image, *, confidence: float, iou: float) -> list[Region]:
        """Objects in a ``(height, width, 3)`` BGR picture, best first, in its own pixels.

        ``label`` is the class name. Objects scored at or below ``confidence`` are left out; of two of one class whose
        IoU is above ``iou`` the better stays.
        """


class BatchDetector(ObjectDetector, Protocol):
    """A detector that takes several pictures at once; ``batch_size`` is how many are best given together."""

    batch_size: int

    def detect_many(self, images: Sequence[Image], *, confidence: float, iou: float) -> list[Detections]:
        """What :meth:`detect` finds in each ``(height, width, 3)`` BGR picture, in their order, not rounded."""


def check_classes(option: str, classes: Sequence[str], detector: ObjectDetector, weights: str) -> None:
    """Raises ``WeightsError`` for a class that the weights do not know, naming the ``option`` and those they know."""
    unknown = [name for name in classes if name not in detector.class_names]
    if unknown:
        raise WeightsError(
            f"{option}: the weights '{weights}' know no '{unknown[0]}'; they know {', '.join(detector.class_names)}"
        )


def find_weights(configured: Path | None, folders: Sequence[Path], *, without: Collection[str] = ()) -> Path | None:
    """The weights to use: the configured file, else the first of the first folder that has any, else None.

    Within a folder ``.onnx`` comes before ``.pt``, then names in order; files whose names are like one of the patterns
    ``without`` are other models and passed over. Raises ``WeightsError`` when the configured
    file does not exist: analysing without it would silently give other results.
    """
    if configured is not None:
        if not configured.is_file():
            raise WeightsError(
                f"object weights '{configured}' do not exist: correct MEDIAPROC_OBJECT_WEIGHTS or put the file there"
            )
        return configured
    for folder in folders:
        for suffix in SUFFIXES:
            found = sorted(
                path
                for path in folder.glob(f"*{suffix}")
                if path.is_file() and not any(fnmatchcase(path.name, pattern) for pattern in without)
            )
            if found:
                return found[0]
    return None


def weights_digest(path: Path) -> str:
    """SHA-256 of a weights file, without loading the model. Raises ``WeightsError`` when it cannot be read."""
    try:
        status = path.stat()
        return _digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise WeightsError(f"cannot read object weights '{path}': {error.strerror or error}") from error


@lru_cache(maxsize=32)
def _digest(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001 - they are part of the cache's key,
    # so that a replaced file is read again, yet asking for each chunk costs nothing.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_detector(path: Path, threads: int = 2) -> BatchDetector:
    """Load weights by their suffix. Raises ``WeightsError`` naming the file and what is wrong with it."""
    digest = weights_digest(path)
    if path.suffix.lower() == ".onnx":
        from detect.engines.yolo_onnx import YoloOnnx

        return YoloOnnx(path, digest=digest, threads=threads)
    if path.suffix.lower() == ".pt":
        from detect.engines.yolo_torch import YoloTorch

        return YoloTorch(path, digest=digest, threads=threads)
    raise WeightsError(f"object weights '{path}' end in '{path.suffix}': use one of {', '.join(SUFFIXES)}")

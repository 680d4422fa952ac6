"""Faces with YuNet, run by OpenCV: boxes, five landmarks and scores."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detect.engines.objects import WeightsError
from detect.object_columns import Floats
from detect.stages.base import Image

#: What the landmarks are, in their order; left and right are the person's own.
LANDMARKS = ("right_eye", "left_eye", "nose_tip", "right_mouth_corner", "left_mouth_corner")

# Of two faces that overlap more than this (IoU) the surer stays, and at most so many are looked for in a picture.
_SAME_FACE, _MOST = 0.3, 5000


@dataclass(frozen=True)
class Faces:
    """Faces of one picture, surest first.

    ``boxes`` ``(n, 4)`` ``xyxy`` in pixels of the picture, within it; ``landmarks`` ``(n, 5, 2)`` ``x, y`` in the order
    of :data:`LANDMARKS`, which may lie outside the picture; ``scores`` ``(n,)`` 0-1.
    """

    boxes: Floats
    landmarks: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)


class FaceDetector:
    """YuNet, loaded once. It may be asked from several threads; they wait for each other.

    Raises:
        WeightsError: the file is no face detector that OpenCV can load.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._lock = threading.Lock()
        with _told(self._name), _quiet():
            self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.5, _SAME_FACE, _MOST)

    def detect(self, image: Image, *, min_score: float, min_size: float, longest_side: int) -> Faces:
        """Faces of a ``(height, width, 3)`` BGR picture that are at least ``min_score`` sure.

        Left out is what measures less than ``min_size`` pixels of the picture both ways. A picture with a side longer
        than ``longest_side`` is looked at in a smaller copy. Raises ``WeightsError`` where the model is another kind.
        """
        height, width = image.shape[:2]
        scale = min(1.0, longest_side / max(height, width))
        seen = image
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            seen = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        with self._lock, _told(self._name):
            self._net.setInputSize((seen.shape[1], seen.shape[0]))
            self._net.setScoreThreshold(min_score)
            _, rows = self._net.detect(seen)
        found = np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)
        found[:, :14] *= np.tile(np.array([width / seen.shape[1], height / seen.shape[0]], np.float32), 7)
        boxes = np.hstack([found[:, :2], found[:, :2] + found[:, 2:4]])
        boxes = boxes.clip(0, np.array([width, height, width, height], np.float32))
        sides = boxes[:, 2:] - boxes[:, :2]
        large = np.flatnonzero((sides.max(axis=1, initial=0) >= min_size) & (sides.min(axis=1, initial=1) > 0))
        order = large[np.argsort(-found[large, 14], kind="stable")]
        return Faces(boxes[order], found[order, 4:14].reshape(-1, 5, 2), found[order, 14])


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tells of OpenCV's failures as of weights that do not serve."""
    try:
        yield
    except cv2.error as error:
        reason = error.err.strip().splitlines()[0]
        raise WeightsError(f"'{name}' cannot be used to find faces (use a YuNet .onnx): {reason}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what OpenCV says of its choice of hardware off the terminal."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)

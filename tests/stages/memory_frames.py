"""Frames in a dictionary, and a source, for stages run by themselves."""

from __future__ import annotations

import cv2
import numpy as np

from detect.errors import FrameMissingError
from detect.types import SourceInfo

SOURCE = SourceInfo("match.mp4", "s" * 64, 10.0, 640, 360, "25", False, 0.0)


class MemoryFrames:
    """A :class:`~detect.stages.base.FrameSource` that keeps JPEGs in memory."""

    def __init__(self) -> None:
        self.jpegs: dict[int, bytes] = {}

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        self.jpegs[sequence] = jpeg

    def load_jpeg(self, sequence: int) -> bytes:
        if sequence not in self.jpegs:
            raise FrameMissingError(f"frame {sequence} is missing")
        return self.jpegs[sequence]

    def load(self, sequence: int) -> np.ndarray:
        image = cv2.imdecode(np.frombuffer(self.load_jpeg(sequence), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return image

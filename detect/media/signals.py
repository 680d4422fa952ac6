"""A cheap measure of how much the picture changes at every decoded frame, so that cuts can be placed to the frame."""

from __future__ import annotations

from array import array
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from detect.media.pictures import Converter, luma_of
from detect.stages.base import Image
from detect.types import FrameSignals

_THUMB_WIDTH, _THUMB_HEIGHT = 160, 90
_BINS = 32


class ChangeMeter:
    """Compares each frame with the one before it, on a small luma picture."""

    def __init__(self) -> None:
        self._converter = Converter()
        self._thumb: Image | None = None
        self._histogram: np.ndarray | None = None
        self._columns = tuple(array("d") for _ in range(4))

    def prime(self, frame: VideoFrame) -> None:
        """Take a frame as the one before the next, without recording it."""
        self._thumb = self._luma_thumb(frame)
        self._histogram = _histogram(self._thumb)

    def measure(self, frame: VideoFrame, seconds: float) -> None:
        """Record a frame shown at `seconds`. With nothing before it, it counts as unchanged."""
        before, histogram_before = self._thumb, self._histogram
        self.prime(frame)
        assert self._thumb is not None and self._histogram is not None
        change = distance = 0.0
        if before is not None and histogram_before is not None:
            change = cv2.mean(cv2.absdiff(self._thumb, before))[0]
            distance = float(np.abs(self._histogram - histogram_before).sum()) / (2 * self._thumb.size)
        luma = cv2.mean(self._thumb)[0]
        for column, value in zip(self._columns, (seconds, change, distance, luma), strict=True):
            column.append(value)

    def signals(self) -> FrameSignals:
        """What was recorded: `change` in luma levels (0-255), `histogram` distance 0-1, mean `luma` (0-255)."""
        timestamps, change, histogram, luma = (column.tolist() for column in self._columns)
        return FrameSignals(timestamps=timestamps, change=change, histogram=histogram, luma=luma)

    def _luma_thumb(self, frame: VideoFrame) -> Image:
        luma = luma_of(frame)
        if luma is None:
            small = self._converter.convert(frame, _THUMB_WIDTH, _THUMB_HEIGHT, "gray")
            return np.ascontiguousarray(small.to_ndarray())
        # Every n-th row is enough for an average over areas, and keeps 4K as cheap as 720p.
        step = max(1, frame.height // (2 * _THUMB_HEIGHT))
        size = (_THUMB_WIDTH, _THUMB_HEIGHT)
        thumb: npt.NDArray[Any] = cv2.resize(luma.samples[::step], size, interpolation=cv2.INTER_AREA)
        return luma.in_bytes(thumb)


def _histogram(thumb: Image) -> np.ndarray:
    return cv2.calcHist([thumb], [0], None, [_BINS], [0, 256])

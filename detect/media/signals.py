"""A cheap measure of how much the picture changes at every decoded frame, so that cuts can be placed to the frame."""

from __future__ import annotations

import re
from array import array
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from detect.media.pictures import Converter
from detect.stages.base import Image
from detect.types import FrameSignals

_THUMB_WIDTH, _THUMB_HEIGHT = 160, 90
_BINS = 32
# Formats whose first plane is luma, one sample a pixel: read in place, a tenth of the cost of a conversion.
_LUMA_FIRST = re.compile(r"(?:yuva?4\d\dp|yuvj4\d\dp|gray|nv12|nv16|nv24)(?:(9|10|12|14|16)le)?")


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
        matched = _LUMA_FIRST.fullmatch(frame.format.name)
        plane = frame.planes[0]
        if matched is None or plane.line_size <= 0:
            small = self._converter.convert(frame, _THUMB_WIDTH, _THUMB_HEIGHT, "gray")
            return np.ascontiguousarray(small.to_ndarray())
        depth = int(matched.group(1) or 8)
        sample = np.dtype("<u2" if depth > 8 else "u1")
        stride = plane.line_size // sample.itemsize
        # Planes speak the buffer protocol, though their type stubs do not say so.
        luma: npt.NDArray[np.integer] = np.frombuffer(cast("memoryview", plane), sample, stride * frame.height)
        rows = luma.reshape(frame.height, stride)
        # Every n-th row is enough for an average over areas, and keeps 4K as cheap as 720p.
        step = max(1, frame.height // (2 * _THUMB_HEIGHT))
        size = (_THUMB_WIDTH, _THUMB_HEIGHT)
        thumb: npt.NDArray[Any] = cv2.resize(rows[::step, : frame.width], size, interpolation=cv2.INTER_AREA)
        return thumb if depth == 8 else (thumb >> (depth - 8)).astype(np.uint8)


def _histogram(thumb: Image) -> np.ndarray:
    return cv2.calcHist([thumb], [0], None, [_BINS], [0, 256])

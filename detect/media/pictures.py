"""From decoded frames to pictures: pixel formats, sizes, and which way is up."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import av
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from detect.stages.base import Image

Upright = Callable[[Image], Image]
# Formats whose first plane is luma, one sample a pixel: read in place, a tenth of the cost of a conversion.
_LUMA_FIRST = re.compile(r"(?:yuva?4\d\dp|yuvj4\d\dp|gray|nv12|nv16|nv24)(?:(9|10|12|14|16)le)?")


class Luma(NamedTuple):
    """Luma of a frame as it was decoded, ``(height, width)`` of ``depth`` bits; it lives as long as the frame."""

    samples: npt.NDArray[np.integer]
    depth: int

    def in_bytes(self, made: npt.NDArray[Any]) -> Image:
        """What was made of the samples, with eight bits a sample."""
        return made if self.depth == 8 else (made >> (self.depth - 8)).astype(np.uint8)


def luma_of(frame: VideoFrame) -> Luma | None:
    """A frame's luma where it can be read in place, None where the frame has to be converted."""
    matched = _LUMA_FIRST.fullmatch(frame.format.name)
    plane = frame.planes[0]
    if matched is None or plane.line_size <= 0:
        return None
    depth = int(matched.group(1) or 8)
    sample = np.dtype("<u2" if depth > 8 else "u1")
    stride = plane.line_size // sample.itemsize
    # Planes speak the buffer protocol, though their type stubs do not say so.
    samples: npt.NDArray[np.integer] = np.frombuffer(cast("memoryview", plane), sample, stride * frame.height)
    return Luma(samples.reshape(frame.height, stride)[:, : frame.width], depth)


class Converter:
    """Converts frames one after another, which costs less than a conversion set up for each."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def convert(self, frame: VideoFrame, width: int, height: int, pixel_format: str) -> VideoFrame:
        """The frame in another size and pixel format; a frame whose colours are described wrongly counts as BT.601."""
        try:
            return self._reformatter.reformat(frame, width=width, height=height, format=pixel_format, threads=1)
        except av.FFmpegError:
            # A reserved or unknown value where the colour space or range should be: seen in damaged and odd files.
            return self._reformatter.reformat(
                frame,
                width=width,
                height=height,
                format=pixel_format,
                src_colorspace=Colorspace.ITU601,
                dst_colorspace=Colorspace.ITU601,
                src_color_range=ColorRange.MPEG,
                threads=1,
            )


def upright_turn(frame: VideoFrame) -> tuple[int, Upright]:
    """The clockwise turn in degrees (0, 90, 180, 270) that the file asks for, and a function that does it.

    The function also mirrors where the display matrix does; it takes and returns `(height, width, 3)` arrays.
    """
    # A frame whose side data was looked at refers to itself and lingers until the garbage collector comes: a tiny
    # copy may, a picture of many megabytes should not.
    side_data = cast("SideDataContainer", Converter().convert(frame, 16, 16, frame.format.name).side_data)
    if "DISPLAYMATRIX" not in side_data:
        return 0, lambda image: image
    # 3x3 fixed point, row vectors: x' = a*x + c*y, y' = b*x + d*y
    matrix = np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), dtype="<i4")
    a, b, c, d = (int(matrix[index]) for index in (0, 1, 3, 4))
    swap = abs(b) > abs(a)
    mirror_x, mirror_y = (c < 0, b < 0) if swap else (a < 0, d < 0)

    def turn(image: Image) -> Image:
        turned = image.transpose(1, 0, 2) if swap else image
        return np.ascontiguousarray(turned[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1])

    if swap:
        return (270 if b < 0 else 90), turn
    return (180 if a < 0 and d < 0 else 0), turn

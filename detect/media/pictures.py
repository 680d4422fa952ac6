"""From decoded frames to pictures: pixel formats, sizes, and which way is up."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from detect.stages.base import Image

Upright = Callable[[Image], Image]


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

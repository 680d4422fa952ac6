"""Frames as 4:2:0 planes, upright, their samples as they were wherever the source has such planes itself."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from detect.media.picture_format import PictureFormat, is_full_range, is_rgb
from detect.media.pictures import Upright

Plane = npt.NDArray[Any]
_AS_THEY_ARE = frozenset({"yuv420p", "yuvj420p"})
_SMPTE170M, _BT709 = Colorspace.ITU601, Colorspace.ITU709
_SWS_MATRICES = {1: _BT709, 7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020}


class Planes(NamedTuple):
    """Luma ``(height, width)`` and the two chroma planes of half that size, uint8, to be written into."""

    y: Plane
    u: Plane
    v: Plane


class PlaneCopier:
    """Copies frames of a video into one picture after another, which costs less than a new one for each.

    ``turn`` turns a picture as the file asks for. The picture that :meth:`copy` gives is overwritten by the next call.
    """

    def __init__(self, picture: PictureFormat, turn: Upright) -> None:
        self._picture = picture
        self._swap, self._flip = _read_turn(turn)
        self._reformatter = VideoReformatter()
        self._target = VideoFrame(*picture.coded, "yuv420p")
        self._planes = Planes(*(_view(self._target, index) for index in range(3)))

    def copy(self, frame: VideoFrame) -> tuple[VideoFrame, Planes]:
        """The frame in the video's format, and its planes: what is drawn into these is in the frame."""
        for source, target in zip(self._upright_planes(frame), self._planes, strict=True):
            height, width = source.shape
            target[:height, :width] = source
            if width < target.shape[1]:
                target[:height, width:] = source[:, -1:]
            if height < target.shape[0]:
                target[height:] = target[height - 1]
        return self._target, self._planes

    def _upright_planes(self, frame: VideoFrame) -> list[Plane]:
        suited = self._suited(frame)
        planes = [_view(suited, index) for index in range(3)]
        if self._swap:
            planes = [cv2.transpose(plane) for plane in planes]
        if self._flip is not None:
            planes = [cv2.flip(plane, self._flip) for plane in planes]
        return planes

    def _suited(self, frame: VideoFrame) -> VideoFrame:
        """The frame in the size and sample format of the video, and in its range of samples; not turned."""
        picture = self._picture
        width, height = (picture.height, picture.width) if self._swap else (picture.width, picture.height)
        fits = (frame.width, frame.height) == (width, height) and is_full_range(frame) == picture.full
        if frame.format.name in _AS_THEY_ARE and fits and frame.planes[0].line_size > 0:
            return frame
        matrix = _SWS_MATRICES.get(picture.drawn_matrix, _SMPTE170M)
        try:
            return self._convert(frame, width, height, Colorspace.DEFAULT if is_rgb(frame) else matrix, matrix)
        except FFmpegError:
            # A reserved or unknown value where the colour space should be: seen in damaged and odd files.
            return self._convert(frame, width, height, _SMPTE170M, _SMPTE170M)

    def _convert(
        self, frame: VideoFrame, width: int, height: int, source: Colorspace, target: Colorspace
    ) -> VideoFrame:
        return self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="yuv420p",
            src_colorspace=source,
            dst_colorspace=target,
            src_color_range=ColorRange.JPEG if is_rgb(frame) or is_full_range(frame) else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG if self._picture.full else ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )


def _view(frame: VideoFrame, index: int) -> Plane:
    """A plane's samples without the padding of its rows; writing into it writes into the frame."""
    plane = frame.planes[index]
    # Planes speak the buffer protocol, though their type stubs do not say so.
    samples = np.frombuffer(cast("memoryview", plane), np.uint8)
    stride = plane.line_size
    return np.lib.stride_tricks.as_strided(samples, (plane.height, plane.width), (stride, 1))


def _read_turn(turn: Upright) -> tuple[bool, int | None]:
    """Whether rows and columns change places, and along what to mirror after that, as ``cv2.flip`` numbers it."""
    corners = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    turned = turn(corners)[:, :, 0]
    for swap in (False, True):
        plain = corners[:, :, 0].T if swap else corners[:, :, 0]
        for flip in (None, 0, 1, -1):
            tried = plain if flip is None else cv2.flip(np.ascontiguousarray(plain), flip)
            if np.array_equal(tried, turned):
                return swap, flip
    raise AssertionError("a turn of a picture keeps its four corners")

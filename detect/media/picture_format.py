"""What kind of picture an annotated video holds: the same for all of its pieces, whoever makes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from detect.media.container import open_video
from detect.media.decoding import first_frame
from detect.media.pictures import upright_turn

UNSPECIFIED = 2
_RGB, _BT709, _BT601 = 0, 1, 6
# Values of the standard (ITU-T H.273) that an encoder takes; 3 is reserved, 0 of the matrices is RGB.
_MATRICES = frozenset({1, 4, 5, 6, 7, 8, 9, 10})
_PRIMARIES = frozenset({1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22})
_TRANSFERS = frozenset({1, *range(4, 19)})
_HIGH_DEFINITION = 720


@dataclass(frozen=True)
class PictureFormat:
    """Upright 4:2:0 pictures of ``width`` x ``height``; ``coded`` is that made even by a column or row at the end.

    ``time_base`` is the length of a tick and ``rate`` frames a second, about. ``matrix``, ``primaries`` and
    ``transfer`` are code points of H.273, ``UNSPECIFIED`` where the source does not say; ``full`` tells that samples
    use all of 0-255. ``aspect`` is a pixel's width over its height.
    """

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    aspect: Fraction
    matrix: int
    primaries: int
    transfer: int
    full: bool

    @property
    def coded(self) -> tuple[int, int]:
        """Width and height of the coded picture."""
        return self.width + self.width % 2, self.height + self.height % 2

    @property
    def drawn_matrix(self) -> int:
        """The matrix to draw colours with: where nobody says, the one that players take for such a size."""
        if self.matrix != UNSPECIFIED:
            return self.matrix
        return _BT709 if self.height >= _HIGH_DEFINITION else _BT601


def picture_format(path: Path) -> PictureFormat:
    """The format for pictures of a video, told by its first frame.

    Raises:
        MediaError: the file cannot be read or no frame of it can be decoded.
    """
    video = open_video(path)
    try:
        frame = first_frame(path, video)
        turned = upright_turn(frame)[0] % 180 != 0
        aspect = video.stream.sample_aspect_ratio or Fraction(1)
        width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
        colours = colour_codes(frame)
        return PictureFormat(
            width=width,
            height=height,
            time_base=video.time_base,
            rate=video.stream.average_rate or video.stream.guessed_rate or Fraction(25),
            aspect=(1 / aspect if turned else aspect) if aspect > 0 else Fraction(1),
            matrix=colours[0],
            primaries=colours[1],
            transfer=colours[2],
            full=is_full_range(frame),
        )
    finally:
        video.close()


def colour_codes(frame: VideoFrame) -> tuple[int, int, int]:
    """Matrix, primaries and transfer that a frame's 4:2:0 form has; RGB becomes BT.709, or BT.601 where it is small."""
    if is_rgb(frame):
        matrix = _BT709 if frame.height >= _HIGH_DEFINITION else _BT601
    else:
        matrix = _known(int(frame.colorspace), _MATRICES)
    return matrix, _known(int(frame.color_primaries), _PRIMARIES), _known(int(frame.color_trc), _TRANSFERS)


def is_full_range(frame: VideoFrame) -> bool:
    """Whether the frame's 4:2:0 form uses all of 0-255; RGB is converted to the limited range."""
    if is_rgb(frame):
        return False
    return frame.format.name.startswith(("yuvj", "gray")) or int(frame.color_range) == int(ColorRange.JPEG)


def is_rgb(frame: VideoFrame) -> bool:
    return bool(frame.format.is_rgb) or frame.format.name.startswith("pal")


def _known(value: int, known: frozenset[int]) -> int:
    return value if value in known else UNSPECIFIED

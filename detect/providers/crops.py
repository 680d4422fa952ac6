"""Pictures to show to a model: cut from frames, of a size it can read."""

from __future__ import annotations

import math

import cv2
import numpy as np
from PIL import Image as PillowImage

from detect.errors import StorageError
from detect.geometry import clip_box, expand_box
from detect.stages.base import Image
from detect.types import Box

_LONGEST_TO_SHORTEST = 8
_JPEG_QUALITY = 90
_HASHED_SIDE, _HASHED_WAVES = 32, 8  # pixels a picture is shrunk to, and the slowest waves of it that are compared


def cut(frame: Image, box: Box, *, margin: float, min_side: int, max_side: int) -> Image:
    """The part of a ``(height, width, 3)`` BGR frame around ``box``, scaled for a model's eye.

    ``margin`` is the share of the box's shorter side that is added all around. A thin strip gets more, as models
    cannot take pictures of any shape. The shorter side is enlarged to ``min_side`` pixels and the longer one shrunk to
    ``max_side``, which counts more. A box outside of the frame gives the nearest pixels.
    """
    height, width = frame.shape[:2]
    around = _less_thin(expand_box(_inside(box, width, height), margin, width, height), width, height)
    piece = frame[around.y1 : around.y2, around.x1 : around.x2]
    scale = min(max(1.0, min_side / min(piece.shape[:2])), max_side / max(piece.shape[:2]))
    if scale == 1.0:
        return piece
    size = (max(1, round(piece.shape[1] * scale)), max(1, round(piece.shape[0] * scale)))
    scaled = cv2.resize(piece, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    return np.asarray(scaled, np.uint8)


def encode(picture: Image) -> bytes:
    """The picture as JPEG, the same bytes for the same pixels. Raises ``StorageError`` when it cannot be written."""
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise StorageError(f"a crop of {picture.shape[1]}x{picture.shape[0]} pixels cannot be written as JPEG")
    content: bytes = encoded.tobytes()
    return content


def look(picture: Image) -> int:
    """A 64-bit perceptual hash of a ``(height, width, 3)`` BGR picture: few bits differ between ones that look alike.

    The bits of ``imagehash.phash``, whose transform comes from SciPy: importing that takes longer than many pictures.
    """
    grey = PillowImage.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    small = grey.resize((_HASHED_SIDE, _HASHED_SIDE), PillowImage.Resampling.LANCZOS)
    waves = np.array(cv2.dct(np.asarray(small, np.float64))[:_HASHED_WAVES, :_HASHED_WAVES], np.float64)
    # OpenCV's transform is orthonormal, the hash is defined on one that is not
    waves[0] *= math.sqrt(2)
    waves[:, 0] *= math.sqrt(2)
    return int.from_bytes(np.packbits(waves > np.median(waves)).tobytes(), "big")


def _inside(box: Box, width: int, height: int) -> Box:
    clipped = clip_box(box, width, height)
    if clipped.area:
        return clipped
    x, y = min(max(box.x1, 0), width - 1), min(max(box.y1, 0), height - 1)
    return Box(x, y, x + 1, y + 1)


def _less_thin(box: Box, width: int, height: int) -> Box:
    """``box`` with its shorter side grown until the longer one is at most so many times longer, where there is room."""
    grow_x = max(0, -(-box.height // _LONGEST_TO_SHORTEST) - box.width)
    grow_y = max(0, -(-box.width // _LONGEST_TO_SHORTEST) - box.height)
    x1, y1 = _start(box.x1, box.width + grow_x, grow_x, width), _start(box.y1, box.height + grow_y, grow_y, height)
    return clip_box(Box(x1, y1, x1 + box.width + grow_x, y1 + box.height + grow_y), width, height)


def _start(start: int, length: int, grown: int, limit: int) -> int:
    """Where a side begins after it has grown on both ends, moved inside where it would leave the frame."""
    return max(0, min(start - grown // 2, limit - length))

"""Pictures as clients send them, decoded only once they are known to be harmless."""

from __future__ import annotations

import base64
import binascii
import io

import cv2
import numpy as np
from PIL import Image as PillowImage

from detect.errors import MediaprocError
from detect.stages.base import Image

MOST_PIXELS = 40_000_000
LEAST_SIDE, MOST_SIDE = 16, 16_384
_FORMATS = ("JPEG", "PNG")


class PictureError(MediaprocError):
    """A picture that cannot be used; the message says why."""

    code = "bad_image"


class PictureTooLargeError(PictureError):
    """A picture of more pixels than are taken."""

    code = "too_large"
    status = 413


def decode_picture(text: str) -> Image:
    """The ``(height, width, 3)`` BGR picture in a base64 JPEG or PNG.

    The size is read from its header first: a small file may claim a picture that fills the memory. Raises
    :class:`PictureError`.
    """
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError(f"image is not base64: {error}") from error
    if not body:
        raise PictureError("image is empty: send a JPEG or PNG as base64")
    _check_header(body)
    try:
        image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError(f"image cannot be decoded: {error.err}") from error
    if image is None:
        raise PictureError("image cannot be decoded: it is broken")
    return np.asarray(image)


def _check_header(body: bytes) -> None:
    try:
        with PillowImage.open(io.BytesIO(body), formats=_FORMATS) as opened:
            width, height = opened.size
    except PillowImage.DecompressionBombError as error:
        raise PictureTooLargeError(f"image is too large: at most {MOST_PIXELS} pixels") from error
    except (OSError, SyntaxError, ValueError, ImportError) as error:
        # ultralytics, once loaded, has Pillow try a reader that is not installed for whatever it cannot read
        raise PictureError("image is neither a JPEG nor a PNG") from error
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
        limit = f"at most {MOST_PIXELS} pixels and {MOST_SIDE} to a side"
        raise PictureTooLargeError(f"image is too large: {width}x{height}, {limit}")
    if min(width, height) < LEAST_SIDE:
        raise PictureError(f"image is too small: {width}x{height}, at least {LEAST_SIDE} to a side")

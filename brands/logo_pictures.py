"""Reference pictures as people give them, and as pages show them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from brands.models import BrandLogo
from detect.engines.mark_catalogue import find_mark
from detect.errors import ConfigError, StorageError
from detect.stages.base import Image

MOST_BYTES = 8 * 1024 * 1024
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
_LEAST_SIDE, _MOST_SIDE = 24, 6000
_THUMB_SIDE = 240


def picture_suffix(content: bytes) -> str:
    """The suffix of a file that can be a reference picture. Raises ``ConfigError`` saying why it cannot."""
    if len(content) > MOST_BYTES:
        raise ConfigError(f"the picture has {len(content) / 1e6:.1f} MB: at most {MOST_BYTES >> 20} are taken")
    try:
        with PillowImage.open(io.BytesIO(content)) as picture:
            kind, (width, height) = picture.format or "", picture.size
    # ultralytics, where it is loaded, has Pillow try a further format whose package need not be there
    except (UnidentifiedImageError, ImportError, OSError, PillowImage.DecompressionBombError, ValueError) as error:
        raise ConfigError("this is no picture that can be read: give a PNG, JPEG or WebP") from error
    if kind not in _SUFFIXES:
        raise ConfigError(f"this is a {kind}: give a PNG, JPEG or WebP")
    if not (min(width, height) >= _LEAST_SIDE and max(width, height) <= _MOST_SIDE):
        raise ConfigError(f"the picture is {width}x{height}: each side needs {_LEAST_SIDE} to {_MOST_SIDE} pixels")
    _decoded(content)
    return _SUFFIXES[kind]


def logo_load(logo: BrandLogo) -> Image:
    """A reference picture: ``(height, width)`` grey, or with 3 or 4 channels, BGR first.

    Raises ``StorageError`` where its file is gone or is no picture.
    """
    try:
        with logo.image.storage.open(logo.image.name, "rb") as file:
            return _decoded(file.read())
    except OSError as error:
        raise StorageError(f"the reference picture {logo.image.name} cannot be read: {error}") from error
    except ConfigError as error:
        raise StorageError(f"the reference picture {logo.image.name} is not a readable image") from error


def logo_thumbnail(logo: BrandLogo) -> bytes:
    """A reference picture made small, as PNG. Raises as :func:`logo_load` does."""
    picture = logo_load(logo)
    scale = min(1.0, _THUMB_SIDE / max(picture.shape[:2]))
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    made, encoded = cv2.imencode(".png", picture)
    if not made:
        raise StorageError(f"the reference picture {logo.image.name} cannot be shown")
    return encoded.tobytes()


@dataclass(frozen=True)
class CatalogueMark:
    """The mark that a brand without pictures is looked for by: its title in the catalogue, and a PNG as an address."""

    title: str
    address: str


def catalogue_mark(names: Iterable[str]) -> CatalogueMark | None:
    """What runs look for where a brand with these names has no picture; None where no name is in the catalogue."""
    mark = find_mark(names)
    if mark is None:
        return None
    png = cv2.imencode(".png", mark.picture())[1].tobytes()
    return CatalogueMark(mark.title, f"data:image/png;base64,{base64.b64encode(png).decode()}")


def _decoded(content: bytes) -> Image:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    if picture is None:
        raise ConfigError("this picture is damaged: it cannot be read to its end")
    return np.asarray(picture)

"""Small pictures of a video's frames, for writers of artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2

from detect.media.reader import Shown, VideoReader
from detect.stages.base import Image

# Frames at most this far ahead are decoded on; to those farther ahead is jumped, seconds.
_NEAR = 4


def pictures_at(video: Path, ticks: Iterable[int]) -> Iterator[tuple[int, Image]]:
    """The frames shown at these ticks, which rise, ``(height, width, 3)`` BGR and upright.

    One that cannot be decoded is left out. Raises ``MediaError`` where the video cannot be read.
    """
    with VideoReader(video) as reader:
        frames: Iterator[Shown] = iter(())
        shown: Shown | None = None
        for tick in ticks:
            if shown is None or (tick - shown.pts) * reader.time_base > _NEAR:
                frames = reader.frames((tick - reader.origin) * reader.time_base)
            while shown is None or shown.pts < tick:
                shown = next(frames, None)
                if shown is None:
                    break
            if shown is not None and shown.pts == tick:
                yield tick, reader.upright(shown.frame)


def write_png(path: Path, image: Image, *, longest_side: int) -> tuple[int, int]:
    """Write a picture, made smaller where a side is longer than ``longest_side``; gives its width and height."""
    height, width = image.shape[:2]
    scale = min(1.0, longest_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, data = cv2.imencode(".png", small)
    path.write_bytes(data.tobytes())
    return size

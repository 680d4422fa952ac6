"""Evidence pictures: what a box shows, with a little around it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from detect.errors import StorageError
from detect.exports.files import make_folder, write_atomic
from detect.geometry import clip_box, expand_box
from detect.in_order import in_order
from detect.report import Report, ReportEvidence, ReportUnresolved, Xywh
from detect.stages.base import FrameSource, Image
from detect.stages.extract_frames import encode_jpeg
from detect.types import Box

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MARGIN_SHARE = 0.6  # of the box's shorter side: a line of text then shows what it is written on
_QUALITY = 90
_THREADS = 2


def cut_crop(image: Image, box: Xywh, *, width: int, height: int) -> bytes:
    """JPEG of a box with its surroundings, as :func:`crop_image` gives it."""
    return encode_jpeg(crop_image(image, box, width=width, height=height), _QUALITY)


def crop_image(image: Image, box: Xywh, *, width: int, height: int) -> Image:
    """A box with its surroundings, ``(h, w, 3)`` BGR in the scale of ``image``.

    ``box`` is ``[x, y, width, height]`` pixels of the ``width`` x ``height`` source picture; ``image`` is that picture
    as ``(h, w, 3)`` BGR, in any size. Raises ``ValueError`` for a box that lies outside the picture or is empty.
    """
    x, y, box_width, box_height = box
    inside = clip_box(Box(x, y, x + box_width, y + box_height), width, height)
    if not inside.area:
        raise ValueError(f"the box {box} shows nothing of a {width}x{height} picture")
    shown = expand_box(inside, _MARGIN_SHARE, width, height)
    rows, columns = image.shape[:2]
    top, bottom = shown.y1 * rows // height, -(-shown.y2 * rows // height)
    left, right = shown.x1 * columns // width, -(-shown.x2 * columns // width)
    return image[top:bottom, left:right]


def wanted_crops(report: Report) -> Iterator[tuple[int, Xywh, str]]:
    """``(sequence, box, relative path)`` of every crop the report names, each once."""
    seen: set[str] = set()
    shown: list[ReportEvidence | ReportUnresolved] = [
        item for brand in report.brands for exposure in brand.exposures for item in exposure.evidence
    ]
    for item in (*shown, *report.unresolved):
        if item.crop not in seen:
            seen.add(item.crop)
            yield item.sequence, item.box, item.crop


def write_crops(report: Report, folder: Path, frames: FrameSource) -> tuple[list[Path], list[int]]:
    """Cut all crops into ``folder``, decoding each frame once.

    Returns the paths written and the sequences whose frames are no longer stored. Raises ``StorageError`` when a file
    cannot be written.
    """
    by_frame: defaultdict[int, list[tuple[Xywh, str]]] = defaultdict(list)
    for sequence, box, path in wanted_crops(report):
        by_frame[sequence].append((box, path))
    size = {"width": report.source.width, "height": report.source.height}
    if by_frame:
        make_folder(folder / "crops")

    def cut(sequence: int, image: Image) -> list[tuple[str, bytes]]:
        return [(path, cut_crop(image, box, **size)) for box, path in by_frame[sequence]]

    written, missing = [], []
    for sequence, crops in on_frames(sorted(by_frame), frames, cut):
        if crops is None:
            missing.append(sequence)
        else:
            written += [write_atomic(folder / path, body) for path, body in crops]
    return written, missing


def on_frames(
    sequences: Sequence[int], frames: FrameSource, work: Callable[[int, Image], T]
) -> Iterator[tuple[int, T | None]]:
    """What ``work`` makes of each of these frames, in their order, and None where a frame is no longer stored.

    Decoding a frame takes longer than what is done with it, so it is done on threads.
    """

    def done(sequence: int) -> T | None:
        try:
            image = frames.load(sequence)
        except StorageError as error:
            logger.debug("no picture of frame %d: %s", sequence, error)
            return None
        return work(sequence, image)

    yield from zip(sequences, in_order(done, sequences, _THREADS), strict=True)

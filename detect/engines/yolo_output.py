"""What goes into a YOLO network and what its numbers mean: letterboxes and output forms, as upstream does them.

Three forms of output are known, here with a batch of one; of a larger batch each picture's part is looked at by itself:

``raw``      ``(1, 4 + classes [+ more], anchors)``: centre x, y, width, height in input pixels, then class scores
             (Ultralytics exports of YOLOv8 to 12; masks or keypoints that follow are ignored).
``end2end``  ``(1, rows, 6 [+ more])``: x1, y1, x2, y2 in input pixels, score, class; suppression already done
             (Ultralytics exports with ``nms=True``, YOLOv10, YOLO26).
``yolox``    ``(1, anchors, 5 + classes)``: centre x, y, width, height, objectness, class scores. Coordinates are in
             input pixels, or, where decoding was left out of the export, offsets in cells and logarithms of strides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from detect.engines.objects import Detections
from detect.geometry import nms
from detect.stages.base import Image
from detect.types import Box, Region

Form = Literal["raw", "end2end", "yolox"]
Floats = npt.NDArray[np.float32]

_PADDING = 114
_STRIDE_SETS = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
_MOST_CANDIDATES = 5000


@dataclass(frozen=True)
class Letterbox:
    """How a picture was fitted into the network's input: per-axis scale and the padding before it, in input pixels."""

    scale_x: float
    scale_y: float
    left: int
    top: int


def letterbox(image: Image, height: int, width: int, *, centred: bool) -> tuple[Image, Letterbox]:
    """Scale ``image`` into ``height`` x ``width`` keeping its shape, and fill the rest with grey.

    Ultralytics centres the picture and rounds its sides; YOLOX puts it top left and cuts the fraction off.
    """
    source_height, source_width = image.shape[:2]
    gain = min(height / source_height, width / source_width)
    fit = round if centred else int
    new_height, new_width = max(fit(source_height * gain), 1), max(fit(source_width * gain), 1)
    left = round((width - new_width) / 2 - 0.1) if centred else 0
    top = round((height - new_height) / 2 - 0.1) if centred else 0
    canvas: Image = np.full((height, width, 3), _PADDING, dtype=np.uint8)
    resized = image
    if (new_height, new_width) != (source_height, source_width):
        resized = np.asarray(cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_LINEAR), np.uint8)
    canvas[top : top + new_height, left : left + new_width] = resized
    scales = (new_width / source_width, new_height / source_height) if centred else (gain, gain)
    return canvas, Letterbox(scales[0], scales[1], left, top)


def input_shape(image: Image, size: tuple[int, int], stride: int) -> tuple[int, int]:
    """``(height, width)`` of the smallest multiple of ``stride`` that holds the picture scaled into ``size``.

    What Ultralytics feeds to networks that take any size.
    """
    gain = min(size[0] / image.shape[0], size[1] / image.shape[1])
    fitted = (round(image.shape[0] * gain), round(image.shape[1] * gain))
    height, width = (side + (full - side) % stride for full, side in zip(size, fitted, strict=True))
    return height, width


def anchor_strides(rows: int, height: int, width: int) -> tuple[int, ...]:
    """The strides whose grids over the input have ``rows`` cells together; empty if there are none."""
    for strides in _STRIDE_SETS:
        if sum((height // stride) * (width // stride) for stride in strides) == rows:
            return strides
    return ()


def recognise(shape: tuple[int, ...], input_size: tuple[int, int], *, classes: int | None, end2end: bool) -> Form:
    """Which form an output of this ``shape`` has.

    ``classes`` is how many the file's metadata names, None without metadata; ``end2end`` is what it says of
    suppression. Raises ``ValueError`` saying what was found and what would be known.
    """
    if len(shape) == 3 and shape[0] == 1:
        rows, columns = shape[1:]
        if end2end and columns >= 6:
            return "end2end"
        if classes is None and columns > 5 and anchor_strides(rows, *input_size):
            return "yolox"
        if columns == 6 and rows <= 1000:
            return "end2end"
        named = classes is not None and rows >= 4 + classes
        if columns > rows > 4 and (named or (classes is None and anchor_strides(columns, *input_size))):
            return "raw"
    raise ValueError(
        f"its output has the shape {'x'.join(map(str, shape))}; known are 1x(4+classes)xN, 1xNx6 and YOLOX's "
        "1xNx(5+classes)"
    )


def decode(output: Floats, form: Form, input_size: tuple[int, int], classes: int | None) -> tuple[Floats, Floats]:
    """Boxes ``(n, 4)`` ``xyxy`` in input pixels and ``(n, classes)`` scores of an output of a known form.

    For ``end2end`` the scores are ``(n, 2)``: score and class number.
    """
    values = output[0].astype(np.float32, copy=False)
    if form == "end2end":
        return values[:, :4], values[:, 4:6]
    if form == "raw":
        end = None if classes is None else 4 + classes
        return _corners(values[:4].T), values[4:end].T
    boxes = _yolox_boxes(values[:, :4], input_size)
    return _corners(boxes), values[:, 4:5] * values[:, 5:]


def _corners(centred: Floats) -> Floats:
    half = centred[:, 2:] / 2
    return np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1)


def _yolox_boxes(boxes: Floats, input_size: tuple[int, int]) -> Floats:
    # Decoded centres are spread over the whole input; undecoded ones are offsets of a cell or two.
    if float(np.median(np.abs(boxes[:, :2]))) > 8:
        return boxes
    height, width = input_size
    cells, steps = [], []
    for stride in anchor_strides(len(boxes), height, width):
        ys, xs = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([xs.ravel(), ys.ravel()], axis=1))
        steps.append(np.full((xs.size, 1), stride))
    grid, stride_of = np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32)
    return np.concatenate([(boxes[:, :2] + grid) * stride_of, np.exp(boxes[:, 2:]) * stride_of], axis=1)


def to_detections(
    boxes: Floats,
    scores: Floats,
    form: Form,
    fitted: Letterbox,
    picture: tuple[int, int],
    *,
    confidence: float,
    iou: float,
) -> Detections:
    """Objects in pixels of a ``picture`` of (height, width), from what :func:`decode` gave."""
    if form == "end2end":
        best, kinds = scores[:, 0], scores[:, 1].astype(np.int64)
    else:
        kinds = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), kinds]
    chosen = np.flatnonzero(best > confidence)
    chosen = chosen[np.argsort(-best[chosen], kind="stable")][:_MOST_CANDIDATES]
    if form != "end2end":
        chosen = chosen[nms(boxes[chosen], best[chosen], iou, kinds[chosen])]
    corners = (boxes[chosen] - [fitted.left, fitted.top] * 2) / ([fitted.scale_x, fitted.scale_y] * 2)
    height, width = picture
    corners = np.clip(corners, 0, [width, height] * 2)
    seen = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    return Detections(corners[seen], np.minimum(best[chosen], 1)[seen], kinds[chosen][seen].astype(np.int32))


def to_regions(found: Detections, names: tuple[str, ...]) -> list[Region]:
    """The same objects in whole pixels; those that vanish by rounding are left out."""
    rows = zip(np.rint(found.boxes).astype(int).tolist(), found.scores.tolist(), found.kinds.tolist(), strict=True)
    regions = [Region(Box(*sides), round(score, 4), names[kind]) for sides, score, kind in rows]
    return [region for region in regions if region.box.area]

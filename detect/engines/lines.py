"""Near-horizontal straight lines of a picture, where brightness or colour changes across them.

The picture is squeezed in x only before segments are sought: averaging neighbours along a near-horizontal edge keeps
the edge and removes crowd and lettering, and leaves a third of the pixels to look at. Colour differences are half the
resolution in broadcast video anyway, so they are sought at half the height too.

Measured on 720p broadcasts on one core: 7 to 8 ms for all three planes, where the segment detector on the whole
picture of the same width takes 9 for brightness alone and Canny with a probabilistic Hough transform 10; boards as
bright as the grass around them are found by colour only.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detect.stages.base import Image

Floats = npt.NDArray[np.float64]

# Channel of YCrCb, squeeze in x, squeeze in y.
_PLANES = ((0, 3, 1), (1, 4, 2), (2, 4, 2))
# Dark stands and washed-out colours carry edges too: brightness is spread by its root, colour twofold.
_BRIGHTNESS = np.clip(16 * np.sqrt(np.arange(256)), 0, 255).astype(np.uint8)
_COLOUR = np.clip((np.arange(256) - 128) * 2 + 128, 0, 255).astype(np.uint8)
_TABLE = np.stack([_BRIGHTNESS, _COLOUR, _COLOUR], axis=1)[None]
_TOLERANCE = 1.3


@dataclass(frozen=True)
class LineSet:
    """Lines in pixels of the working picture.

    ``ends`` is ``(n, 4)``: x1, y1, x2, y2 with x1 < x2. ``support`` is ``(n,)``: the share of each line that has an
    edge under it, the rest being gaps bridged between pieces. ``segments`` is ``(m, 4)``: the pieces.
    """

    ends: Floats
    support: Floats
    segments: Floats


def working_picture(image: Image, width: int) -> tuple[Image, float]:
    """``image`` shrunk by a whole number to about ``width``, as spread YCrCb, and that number.

    A whole number, because averaging whole pixels is some ten times as fast as any other good shrinking.
    """
    factor = max(1, round(image.shape[1] / width))
    rows, columns = image.shape[0] // factor, image.shape[1] // factor
    if factor > 1:
        image = image[: rows * factor, : columns * factor]
        image = np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb), _TABLE), np.uint8), float(factor)


def find_lines(
    picture: Image, *, max_angle_degrees: float, min_length: float, max_hole: float, sensitivity: float
) -> LineSet:
    """Lines of a :func:`working_picture` that are at most ``max_angle_degrees`` from level, longest first.

    Pieces on one line at most ``max_hole`` pixels apart are one; lines shorter than ``min_length`` pixels are left
    out. A lower ``sensitivity`` (a step of brightness, 1-20) finds fainter edges.
    """
    segments = _segments(picture, max_angle_degrees, min_length * 0.35, sensitivity)
    lines, spans = _merge(segments, [row[None, [0, 2]] for row in segments], min_length * 0.7, max_hole)
    lines, spans = _merge(lines, spans, min_length, max_hole)
    long = lines[:, 2] - lines[:, 0] >= min_length
    lines, spans = lines[long], [span for span, kept in zip(spans, long, strict=True) if kept]
    support = np.array([_covered(span) for span in spans]) / np.maximum(lines[:, 2] - lines[:, 0], 1)
    order = np.argsort(lines[:, 0] - lines[:, 2], kind="stable")
    return LineSet(lines[order], np.minimum(support, 1)[order], segments)


def _segments(picture: Image, max_angle_degrees: float, min_length: float, sensitivity: float) -> Floats:
    """Pieces of edges as ``(n, 4)`` left to right."""
    found = []
    for channel, squeeze_x, squeeze_y in _PLANES:
        size = (picture.shape[1] // squeeze_x, picture.shape[0] // squeeze_y)
        if min(size) < 8:
            continue
        plane = cv2.extractChannel(picture, channel)[: size[1] * squeeze_y, : size[0] * squeeze_x]
        plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE, scale=1.0, quant=sensitivity)
        ends = detector.detect(plane)[0]
        if ends is not None:
            scale, shift = [squeeze_x, squeeze_y] * 2, [(squeeze_x - 1) / 2, (squeeze_y - 1) / 2] * 2
            found.append(ends.reshape(-1, 4).astype(np.float64) * scale + shift)
    if not found:
        return np.empty((0, 4))
    segments = np.concatenate(found)
    backwards = segments[:, 0] > segments[:, 2]
    segments[backwards] = segments[backwards][:, [2, 3, 0, 1]]
    run, rise = segments[:, 2] - segments[:, 0], np.abs(segments[:, 3] - segments[:, 1])
    level = (rise <= np.tan(np.radians(max_angle_degrees)) * run) & (run >= min_length)
    segments = segments[level]
    return segments[np.lexsort(segments.T[::-1])]


def _merge(segments: Floats, spans: list[Floats], seed_length: float, max_hole: float) -> tuple[Floats, list[Floats]]:
    """Join pieces that lie on one line, from the longest on; pieces below ``seed_length`` only ever join others.

    ``spans`` are the stretches of x, ``(k, 2)`` each, that are covered by edges.
    """
    order = np.argsort(segments[:, 0] - segments[:, 2], kind="stable")
    segments, spans = segments[order], [spans[index] for index in order]
    aligned = _aligned(segments)
    free = np.ones(len(segments), bool)
    lines, covered = [], []
    for seed in range(len(segments)):
        if segments[seed, 2] - segments[seed, 0] < seed_length:
            break
        if not free[seed]:
            continue
        members = _reachable(segments, np.flatnonzero(aligned[seed] & free), seed, max_hole)
        free[members] = False
        lines.append(segments[seed] if len(members) == 1 else _fit(segments[members]))
        covered.append(np.concatenate([spans[index] for index in members]))
    return np.array(lines).reshape(-1, 4), covered


def _aligned(segments: Floats) -> npt.NDArray[np.bool_]:
    """``(n, n)``: whether segment j lies on the line through segment i. Far from i more deviation is allowed."""
    x1, y1, x2, y2 = segments.T
    length = np.maximum(x2 - x1, 1)
    slope = (y2 - y1) / length
    apart = np.clip(np.maximum(x1[:, None] - x2[None], x1[None] - x2[:, None]), 0, None)
    at_start = np.abs(y1[None] - y1[:, None] - slope[:, None] * (x1[None] - x1[:, None]))
    at_end = np.abs(y2[None] - y1[:, None] - slope[:, None] * (x2[None] - x1[:, None]))
    allowed = np.minimum(_TOLERANCE + 0.6 * apart / length[:, None], 3 * _TOLERANCE)
    aligned: npt.NDArray[np.bool_] = np.maximum(at_start, at_end) < allowed
    return aligned


def _reachable(segments: Floats, members: npt.NDArray[np.intp], seed: int, max_hole: float) -> npt.NDArray[np.intp]:
    """Those of ``members`` that can be reached from ``seed`` without stepping over more than ``max_hole``."""
    if len(members) < 2:
        return np.array([seed])
    members = members[np.argsort(segments[members, 0], kind="stable")]
    reach = np.maximum.accumulate(segments[members, 2])
    breaks = np.flatnonzero(segments[members[1:], 0] - reach[:-1] > max_hole) + 1
    position = int(np.flatnonzero(members == seed)[0])
    block = int(np.searchsorted(breaks, position, side="right"))
    edges = [0, *breaks.tolist(), len(members)]
    return members[edges[block] : edges[block + 1]]


def _fit(pieces: Floats) -> Floats:
    """One line through the end points, longer pieces weighing more."""
    xs, ys = pieces[:, 0::2].ravel(), pieces[:, 1::2].ravel()
    weight = np.repeat(pieces[:, 2] - pieces[:, 0], 2)
    total = float(weight.sum())
    middle_x, middle_y = float(weight @ xs) / total, float(weight @ ys) / total
    away = weight * (xs - middle_x)
    slope = float(away @ (ys - middle_y)) / max(float(away @ (xs - middle_x)), 1e-6)
    left, right = float(xs.min()), float(xs.max())
    return np.array([left, middle_y + slope * (left - middle_x), right, middle_y + slope * (right - middle_x)])


def _covered(spans: Floats) -> float:
    total, reach = 0.0, -np.inf
    for start, end in spans[np.argsort(spans[:, 0], kind="stable")].tolist():
        total += max(0.0, end - max(start, reach))
        reach = max(reach, end)
    return total

"""The picture along a line, straightened: the line and whatever runs beside it lie level in a narrow patch."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detect.engines.lines import Floats
from detect.stages.base import Image

_COLUMNS = 96
_BLOCK = 14.0  # pixels of the picture that a block covers at least
_MOST_BLOCKS = 32
_NEAR = 4  # rows within which an edge is followed


@dataclass(frozen=True)
class Patch:
    """The picture along a line: row ``middle`` is the line, columns run from ``left`` to ``right`` in the picture.

    ``strokes`` is ``(rows, columns)``, change along each row. ``colours`` is ``(rows, blocks, 3)``, averages over
    blocks of columns, and ``edges`` ``(rows, blocks)``, how much these differ between the rows above and below: an
    edge counts, a crowd evens out.
    """

    strokes: Image
    colours: Image
    edges: Image
    middle: int
    left: float
    right: float
    height: float
    slope: float

    @property
    def blocks(self) -> int:
        return self.edges.shape[1]

    @property
    def centres(self) -> Floats:
        """x of the middle of each block in the picture, ``(blocks,)``."""
        return self.left + (np.arange(self.blocks) + 0.5) * (self.right - self.left) / self.blocks

    def x_at(self, block: float) -> float:
        """x in the picture at a block's left end (its middle at half a block more)."""
        return self.left + block * (self.right - self.left) / self.blocks

    def y_at(self, x: float) -> float:
        """Height of the line in the picture."""
        return self.height + self.slope * (x - self.left)


def straighten(layers: Image, line: Floats, reach: int, beyond: float) -> Patch:
    """The patch ``reach`` rows up and down of a line (x1, y1, x2, y2), ``beyond`` pixels longer at each end.

    ``layers`` is ``(height, width, 4)``: three planes of a picture and its strokes.
    """
    x1, y1, x2, y2 = line.tolist()
    slope = (y2 - y1) / max(x2 - x1, 1e-6)
    left, right = max(0.0, x1 - beyond), min(float(layers.shape[1]), x2 + beyond)
    blocks = int(np.clip((right - left) / _BLOCK, 6, _MOST_BLOCKS))
    columns = blocks * (_COLUMNS // blocks)
    step = (right - left) / columns
    first = left + step / 2
    height = y1 + slope * (first - x1)
    transform = np.array([[step, 0, first], [slope * step, 1, height - reach]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (columns, 2 * reach + 1)
    flat = np.asarray(cv2.warpAffine(layers, transform, size, flags=flags, borderValue=(0, 128, 128, 0)), np.uint8)
    coarse = np.asarray(cv2.resize(flat, (blocks, flat.shape[0]), interpolation=cv2.INTER_AREA)[..., :3], np.uint8)
    edges = np.zeros((2 * reach + 1, blocks), np.uint8)
    edges[1:-1] = cv2.absdiff(coarse[2:], coarse[:-2]).max(axis=2)
    return Patch(flat[..., 3], coarse, edges, reach, left, right, y1 + slope * (left - x1), slope)


def follow(layers: Image, line: Floats, beyond: float, min_contrast: float) -> Floats:
    """The line laid onto the edge it belongs to and continued along it, by up to ``beyond`` pixels at each end.

    Pieces that a detector reports are short where an edge is broken by people or by panels changing colour; a few
    pixels of error at their ends would lead off the edge further out.
    """
    patch = straighten(layers, line, _NEAR, beyond)
    # Of two edges within reach the nearer one is the line's own, unless the other is far clearer.
    nearness = 3 * np.abs(np.arange(2 * _NEAR + 1) - _NEAR)[:, None]
    favour = patch.edges.astype(np.int16) - nearness
    rows = favour.argmax(axis=0)
    shown = patch.edges[rows, np.arange(patch.blocks)] >= min_contrast
    start, end = longest_run(shown, 2)
    if end - start < 3:
        return line
    kept = np.flatnonzero(shown[start:end]) + start
    xs, offsets = patch.centres, (rows - _NEAR).astype(np.float64)
    for _ in range(2):
        middle, offset = xs[kept].mean(), offsets[kept].mean()
        away = xs[kept] - middle
        slope = float(away @ offsets[kept]) / float(away @ away)
        close = np.abs(offsets[kept] - offset - slope * away) < 1.5
        if close.all() or close.sum() < 3:
            break
        kept = kept[close]
    ends = [patch.x_at(start), patch.x_at(end)]
    y1, y2 = (patch.y_at(x) + offset + slope * (x - middle) for x in ends)
    return np.array([ends[0], y1, ends[1], y2])


def longest_run(shown: npt.NDArray[np.bool_], holes: int) -> tuple[int, int]:
    """Start and end of the stretch with most True in which at most ``holes`` in a row are not; (0, 0) for none."""
    best = (0, 0, 0)
    start = end = count = 0
    for place in np.flatnonzero(shown).tolist():
        if not count or place - end > holes:
            start, count = place, 0
        count, end = count + 1, place + 1
        best = max(best, (count, -start, end))
    return -best[1], best[2]

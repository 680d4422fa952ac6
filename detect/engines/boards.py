"""Advertising boards and LED strips in one picture: pairs of near-horizontal lines with lettering between them.

For every long line the picture along it is straightened into a narrow patch, in which the line and whatever runs
beside it lie level. There an edge can be summed over its whole length, so that the faint far edge of a board is found
although no line detector would report it: the rim against a crowd, or one that meets the line at a small angle, as
perspective has it. Each pair is then judged by what lies between.

Measured on 35 frames of two broadcasts (soccer and cricket, wide and close): 82 % of the lettering that OCR finds on
boards lies in a region, 4.0 regions a frame cover a tenth of the picture, and 87 % of them hold lettering (score
graphics among them).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from detect.engines.lines import Floats, LineSet, find_lines, working_picture
from detect.engines.straighten import Patch, follow, longest_run, straighten
from detect.engines.strips import Strip, lies_on, without_overlaps
from detect.geometry import quad_box
from detect.stages.base import Image, Options
from detect.types import Region

_DRIFTS = np.array([-7, -4, -2, 0, 2, 4, 7])  # rows by which a partner may come nearer over the length of a patch
_LINE_SHARE = 0.06  # of the width: lines as long as this may be part of a longer edge
_REACH_SHARE = 0.2  # of the width: how far an edge is followed at a time beyond where its line was found
_MOST_BASES = 8
_MOST_PARTNERS = 3
_BESIDE = (3, 6, 9, 13)  # working pixels from a line at which its surroundings are looked at
_LEAST_STROKES = 4.0  # in a row: one wide letter and a bit
_STROKE, _FLAT = 24, 8  # change along a row (0-255) that is lettering, and below which nothing is drawn


class BoardOptions(Options, frozen=True):
    """What counts as a board. Shares are of the picture's width (lengths) or height (gaps)."""

    work_width: Annotated[
        int, Meta(ge=320, le=1920, description="Frames are shrunk to about this width before lines are sought.")
    ] = 640
    max_angle_degrees: Annotated[
        float, Meta(ge=1, le=45, description="Lines steeper than this are no edges of boards.")
    ] = 30.0
    min_length_share: Annotated[
        float, Meta(ge=0.02, le=1, description="Shorter boards are left out (share of the width).")
    ] = 0.06
    min_gap_share: Annotated[
        float, Meta(ge=0.005, le=0.5, description="Lower boards are left out (share of the height).")
    ] = 0.02
    max_gap_share: Annotated[
        float, Meta(ge=0.02, le=0.6, description="Higher boards are left out (share of the height).")
    ] = 0.17
    line_sensitivity: Annotated[
        float, Meta(ge=1, le=20, description="Step of brightness or colour a line needs; lower finds fainter ones.")
    ] = 3.0
    min_contrast: Annotated[
        float, Meta(ge=2, le=100, description="Difference (0-255) between inside and outside along both edges.")
    ] = 14.0
    min_confidence: Annotated[
        float, Meta(ge=0, le=1, description="Regions less likely to be a board with lettering are left out.")
    ] = 0.4
    max_regions: Annotated[
        int, Meta(ge=1, le=100, description="At most this many regions of a frame are kept, the surest first.")
    ] = 12


@dataclass(frozen=True)
class BoardFindings:
    """What :func:`find_boards` saw. ``lines`` are all near-horizontal ones, ``segments`` the edges they are made of:
    x1, y1, x2, y2 in pixels of the picture. ``pairs`` counts the pairs of lines that were judged."""

    regions: list[Region]
    lines: list[tuple[float, float, float, float]]
    segments: list[tuple[float, float, float, float]]
    pairs: int


def find_boards(image: Image, options: BoardOptions | None = None) -> BoardFindings:
    """Find boards in a ``(height, width, 3)`` BGR picture; regions are in its pixels, best first.

    ``confidence`` (0-1) tells how clearly both edges show and how much what lies between looks like lettering on a
    plain ground; it is no probability. Scoreboards and other graphics with straight edges are found too: in one
    picture nothing tells them from boards.
    """
    options = options or BoardOptions()
    picture, factor = working_picture(image, options.work_width)
    width = picture.shape[1]
    lines = find_lines(
        picture,
        max_angle_degrees=options.max_angle_degrees,
        min_length=min(options.min_length_share, _LINE_SHARE) * width,
        max_hole=0.06 * width,
        sensitivity=options.line_sensitivity,
    )
    strips, pairs = _find_strips(picture, lines, options)
    chosen = without_overlaps(strips)
    regions = [_to_region(strip, factor, image.shape) for strip in chosen[: options.max_regions]]
    return BoardFindings(
        regions=[region for region in regions if region.box.area],
        lines=_to_picture(lines.ends, factor),
        segments=_to_picture(lines.segments, factor),
        pairs=pairs,
    )


def _find_strips(picture: Image, lines: LineSet, options: BoardOptions) -> tuple[list[Strip], int]:
    """Strips that are sure enough, and how many pairs of edges were judged."""
    strokes = cv2.convertScaleAbs(cv2.Sobel(cv2.extractChannel(picture, 0), cv2.CV_16S, 1, 0), alpha=0.25)
    layers = np.asarray(cv2.merge([picture, cv2.blur(strokes, (3, 1))]), np.uint8)
    strips: list[Strip] = []
    bases: list[Floats] = []
    pairs = 0
    for line in lines.ends[_by_promise(lines, layers)]:
        if len(bases) == _MOST_BASES:
            break
        if any(lies_on(line, base) for base in bases):
            continue
        if any(strip.confidence > 0.5 and strip.explains(line) for strip in strips):
            continue
        for _ in range(2):
            line = follow(layers, line, _REACH_SHARE * layers.shape[1], options.min_contrast)  # noqa: PLW2901
        bases.append(line)
        found, judged = _strips_along(layers, line, options)
        strips.extend(found)
        pairs += judged
    return strips, pairs


def _by_promise(lines: LineSet, layers: Image) -> npt.NDArray[np.intp]:
    """Indices of lines, those first that are long, part two colours and have strokes on a plain ground at one side.

    Looking along a line is what costs time; this puts marks on grass and chance lines in a crowd last.
    """
    x1, y1, x2, y2 = lines.ends.T
    along = (np.arange(32) + 0.5) / 32
    xs = np.clip((x1[:, None] + (x2 - x1)[:, None] * along).astype(np.intp), 0, layers.shape[1] - 1)
    ys = (y1[:, None] + (y2 - y1)[:, None] * along).astype(np.intp)
    beside = np.array([-1, 1])[:, None, None, None] * np.array(_BESIDE)[:, None, None]
    seen = layers[np.clip(ys + beside, 0, layers.shape[0] - 1), xs]  # sides, distances, lines, places, planes
    drawn = (seen[..., 3] > _STROKE).mean(axis=(1, 3))
    plain = (seen[..., 3] < _FLAT).mean(axis=(1, 3))
    lettered = (np.minimum(drawn / 0.08, 1) * np.clip((plain - 0.1) / 0.25, 0.05, 1)).max(axis=0)
    colours = seen[:, 0, ..., :3].mean(axis=2)
    contrast = np.minimum(np.abs(colours[0] - colours[1]).max(axis=-1) / 30, 1)
    return np.argsort(-np.sqrt(x2 - x1) * lines.support * contrast * lettered, kind="stable")


def _strips_along(layers: Image, line: Floats, options: BoardOptions) -> tuple[list[Strip], int]:
    """Strips between ``line`` and edges above and below it, and how many such pairs there were."""
    height, width = layers.shape[:2]
    reach = int(options.max_gap_share * height)
    patch = straighten(layers, line, reach, 0.0)
    blocks = patch.blocks
    strength = np.minimum(patch.edges, 40).astype(np.float32)
    strength = np.asarray(cv2.dilate(strength, np.ones((3, 1), np.uint8)), np.float32)
    own = strength[patch.middle]
    gaps, shifts = _offsets(max(3, round(options.min_gap_share * height)), reach - 6, blocks)
    weight = np.minimum(own / options.min_contrast, 1) / blocks
    strips: list[Strip] = []
    pairs = 0
    for side in (-1, 1):
        rows = np.clip(patch.middle + side * gaps[None, :, None] + shifts[:, None, :], 0, 2 * reach)
        scores = strength[rows, np.arange(blocks)] @ weight
        for drift, gap_index in _peaks(scores, options.min_contrast * 0.6):
            partner = strength[rows[drift, gap_index], np.arange(blocks)]
            strip = _judge(patch, own, partner, side * int(gaps[gap_index]), shifts[drift], options, (height, width))
            pairs += 1
            if strip is not None:
                strips.append(strip)
    return strips, pairs


@lru_cache(maxsize=64)
def _offsets(low: int, high: int, blocks: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Gaps to try ``(n,)`` and, for each drift, the extra rows in each block ``(drifts, blocks)``."""
    across = np.linspace(-0.5, 0.5, blocks)
    return np.arange(low, high), np.rint(_DRIFTS[:, None] * across[None]).astype(np.intp)


def _peaks(scores: npt.NDArray[np.float32], least: float) -> list[tuple[int, int]]:
    """Drift and gap index of the strongest edges beside the line, from ``(drifts, gaps)`` scores."""
    best = scores.max(axis=0)
    rising, falling = np.ones(len(best), bool), np.ones(len(best), bool)
    rising[1:], falling[:-1] = best[1:] >= best[:-1], best[:-1] > best[1:]
    tops = np.flatnonzero(rising & falling & (best > least))
    tops = tops[np.argsort(-best[tops], kind="stable")][:_MOST_PARTNERS]
    return [(int(scores[:, index].argmax()), int(index)) for index in tops]


def _judge(
    patch: Patch,
    own: npt.NDArray[np.float32],
    partner: npt.NDArray[np.float32],
    gap: int,
    shift: npt.NDArray[np.intp],
    options: BoardOptions,
    size: tuple[int, int],
) -> Strip | None:
    """The strip between the patch's line and an edge ``gap`` rows below it (above if negative), None for no board."""
    height, width = size
    blocks = len(own)
    shown = (own >= options.min_contrast * 0.7) & (partner >= options.min_contrast * 0.7)
    least = max(options.min_length_share * width, 1.5 * abs(gap)) * blocks / (patch.right - patch.left)
    if np.count_nonzero(shown) < 0.8 * least:
        return None
    start, end = longest_run(shown, max(1, blocks // 8))
    if end - start < least:
        return None
    clear = np.minimum(np.sqrt(own[start:end] * partner[start:end]) / 30, 1)
    edge = float(clear.sum()) * np.count_nonzero(shown[start:end]) / (end - start) ** 2
    # Tall pairs are mostly two things that are no board: a stand between two walks, grass between two lines.
    edge /= 1 + max(0.0, abs(gap) / height / 0.07 - 1) ** 2
    if edge < options.min_confidence:
        return None
    per_block = patch.strokes.shape[1] // blocks
    top, bottom = min(0, gap) + patch.middle, max(0, gap) + patch.middle
    inside = patch.strokes[top + 1 : bottom, start * per_block : end * per_block]
    confidence = edge * _lettering(inside) * _single(patch.colours[top:bottom, start:end], options.min_contrast)
    if confidence < options.min_confidence:
        return None
    return Strip(_strip_quad(patch, start, end, gap, shift), round(float(confidence), 4))


def _lettering(inside: Image) -> float:
    """How much ``(rows, columns)`` of strokes look like lettering on a plain ground, 0-1.

    Grass with a player on it is too bare, a painted line has a stroke or two in each row, a crowd leaves too little
    ground between strokes and does not thin out towards the edges as lettering does.
    """
    rows = len(inside)
    rim = max(1, round(0.12 * rows))
    middle = inside[rim:-rim] if rows > 2 * rim + 1 else inside
    drawn = middle > _STROKE
    filled = np.count_nonzero(drawn) / drawn.size
    ground = np.count_nonzero(inside < _FLAT) / inside.size
    thinning = (cv2.mean(inside[:rim])[0] + cv2.mean(inside[-rim:])[0]) / 2 / max(cv2.mean(middle)[0], 1.0)
    calm = min(max((ground - 0.15) / 0.25, 0.0), 1.0)
    strokes = np.count_nonzero(drawn[:, 1:] > drawn[:, :-1]) / len(drawn)
    thinned = 1 - 0.5 * min(max((thinning - 0.7) / 0.6, 0.0), 1.0)
    return min(filled / 0.12, 1.0) * min(strokes / _LEAST_STROKES, 1.0) * calm * thinned


def _single(colours: Image, min_contrast: float) -> float:
    """1 for one board, less where its ground ``(rows, blocks, 3)`` is another above than below: then it is two things.

    Lettering cannot tell: its own upper and lower ends are edges through the whole length.
    """
    rim = min(max(2, round(0.1 * len(colours))), len(colours) // 2)
    differs = cv2.absdiff(colours[rim], colours[len(colours) - 1 - rim]).max(axis=1) > 2 * min_contrast
    return 1 - 0.6 * np.count_nonzero(differs) / len(differs)


def _strip_quad(patch: Patch, start: float, end: float, gap: int, shift: npt.NDArray[np.intp]) -> Floats:
    own, other = [], []
    for block in (start, end):
        x = patch.x_at(block)
        y = patch.y_at(x)
        own.append((x, y))
        other.append((x, y + gap + (block / patch.blocks - 0.5) * float(shift[-1] - shift[0])))
    upper, lower = (own, other) if gap > 0 else (other, own)
    return np.array([*upper, *lower[::-1]])


def _to_region(strip: Strip, factor: float, shape: tuple[int, ...]) -> Region:
    height, width = shape[:2]
    corners = [
        (min(max(round(x * factor), 0), width), min(max(round(y * factor), 0), height)) for x, y in strip.quad.tolist()
    ]
    return Region(quad_box(corners, width, height), strip.confidence, "board", tuple(corners))


def _to_picture(ends: Floats, factor: float) -> list[tuple[float, float, float, float]]:
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in np.round(ends * factor, 1).tolist()]

"""When logos came and went, found on the decoded frames between two samples, as texts are (``detect/edge_search.py``).

A run of sights of one brand may show its logo several times at once: it came with the first of them, and went with the
last.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache

import cv2
import msgspec
import numpy as np
from msgspec.structs import replace

from detect.between_samples import find_edges, gaps_of
from detect.errors import MediaError
from detect.motion import CameraMotion, Gray, Quad, cut_patch, move_quad, patch_width
from detect.stages.base import StageContext
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.track_ends import Side, TrackEnd
from detect.types import Box, BrandDetection, Edge

logger = logging.getLogger(__name__)

_WIDTH = 1280
# The largest sights of a frame tell; more of the same logo would only repeat it.
_MOST_SIGHTS = 3


class _Sought(msgspec.Struct, frozen=True, array_like=True):
    """An end of the logo with this number in its chunk, and where it is on its outermost frame."""

    logo: int
    side: Side
    sequence: int
    box: Box


class _Found(msgspec.Struct, frozen=True, array_like=True):
    """An edge of the logo with this number in its chunk."""

    logo: int
    side: Side
    edge: Edge


class LogoEdges:
    """Refines the ends of detections by logo, chunk by chunk, on the video at ``path``.

    ``missing`` tells that something would have been looked at in a video that cannot be read.
    """

    def __init__(self, ctx: StageContext, path: str | None) -> None:
        self._ctx = ctx
        self._path = path
        self._scale = min(1.0, _WIDTH / ctx.source.width)
        self.missing = False

    def timed(
        self, logos: Sequence[BrandDetection], extracted: ExtractFramesOutput, scenes: FilterScenesOutput
    ) -> list[BrandDetection]:
        """Detections of one chunk, with those edges that its frames tell and that are not known yet."""
        sought: list[_Sought] = []
        for number, logo in enumerate(logos):
            sought += [] if logo.appears else _outermost(number, logo, "appears")
            sought += [] if logo.vanishes else _outermost(number, logo, "vanishes")
        if not sought:
            return list(logos)
        depends_on = [[sample.digest for sample in extracted.samples], sought, scenes.kept, scenes.cuts]
        try:
            found = self._ctx.remember(
                "logo edges", depends_on, list[_Found], lambda: self._find(sought, extracted, scenes)
            )
        except MediaError as error:
            logger.warning("edges of logos stay as the samples have them: %s", error)
            self.missing = True
            return list(logos)
        return [_with(logo, [one for one in found if one.logo == number]) for number, logo in enumerate(logos)]

    def _find(
        self, sought: Sequence[_Sought], extracted: ExtractFramesOutput, scenes: FilterScenesOutput
    ) -> list[_Found]:
        """Raises :class:`MediaError` where the video cannot be read."""
        frames = _Frames(self._ctx, scenes.kept, self._scale)
        ends = [frames.end(number, one) for number, one in enumerate(sought)]
        gaps = gaps_of(ends, extracted, scenes)
        if not gaps:
            return []
        if self._path is None:
            raise MediaError("the video is not at hand")
        ctx, threads = self._ctx, self._ctx.resources.threads
        told = find_edges(self._path, gaps, scenes.cuts, self._scale, ctx.checkpoint, threads=threads)
        return [_Found(sought[number].logo, side, edge) for (number, side), edge in sorted(told.edges.items())]


class _Frames:
    """Kept frames of a chunk as grey levels, ``scale`` times as large, and the camera's motion between them."""

    def __init__(self, ctx: StageContext, kept: Sequence[int], scale: float) -> None:
        self._ctx, self._kept, self._scale = ctx, list(kept), scale
        self._place = {sequence: index for index, sequence in enumerate(kept)}
        self._camera = CameraMotion()
        self._gray = cache(self._load)
        self._features = cache(lambda sequence: self._camera.features(self._gray(sequence)))

    def end(self, number: int, sought: _Sought) -> TrackEnd:
        """The end of a logo as the search for edges wants it."""
        quad = _quad(sought.box) * np.float32(self._scale)
        outwards = -1 if sought.side == "appears" else 1
        beyond = self._moved(quad, sought.sequence, outwards)
        return TrackEnd(
            number,
            sought.side,
            sought.sequence,
            quad,
            cut_patch(self._gray(sought.sequence), quad, patch_width(quad)),
            quad if beyond is None else beyond,
        )

    def _moved(self, quad: Quad, sequence: int, step: int) -> Quad | None:
        """Where the camera's motion takes a place on the frame before or after, None where that is not known."""
        index = self._place[sequence] + step
        if not 0 <= index < len(self._kept):
            return None
        motion = self._camera.between(self._features(sequence), self._features(self._kept[index]))
        return None if motion is None else move_quad(quad, motion)

    def _load(self, sequence: int) -> Gray:
        gray: Gray = cv2.cvtColor(self._ctx.frames.load(sequence), cv2.COLOR_BGR2GRAY)
        if self._scale == 1.0:
            return gray
        return cv2.resize(gray, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_AREA)


def _outermost(number: int, logo: BrandDetection, side: Side) -> list[_Sought]:
    """The largest sights on the first or the last frame of a detection."""
    outermost = (min if side == "appears" else max)(seen.sequence for seen in logo.observations)
    boxes = [seen.box for seen in logo.observations if seen.sequence == outermost]
    largest = sorted(boxes, key=lambda box: (-box.area, box.x1, box.y1))[:_MOST_SIGHTS]
    return [_Sought(number, side, outermost, box) for box in largest]


def _with(logo: BrandDetection, found: Sequence[_Found]) -> BrandDetection:
    """The detection with those of its edges that were found."""
    came = [one.edge for one in found if one.side == "appears"]
    went = [one.edge for one in found if one.side == "vanishes"]
    return replace(
        logo,
        appears=logo.appears or min(came, key=lambda edge: edge.time, default=None),
        vanishes=logo.vanishes or max(went, key=lambda edge: edge.time, default=None),
    )


def _quad(box: Box) -> Quad:
    return np.array([(box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2)], np.float32)

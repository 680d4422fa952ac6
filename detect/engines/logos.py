"""Wordless logos, found by reference pictures: local features, a geometric check, and a look at the result.

**How sure is sure.** ``confidence`` is the probability that a sighting is right, by logistic regression on how many
places agree and how alike the edges are. It was fitted to what came of looking for each of 135 logos, cut out of one
photograph each (27 brands, five photographs a brand, many small, blurred, slanted or drawn in another way), in the
other 134 photographs and in 34 frames of broadcasts that show none of these brands. Fitted on two thirds of the
brands and tried on the rest, then on all:

===========  =========  ======  ===============================
confidence   precision  recall  wrong brands in 21,860 searches
===========  =========  ======  ===============================
from 0.3     0.92       0.37    16
from 0.5     0.97       0.35    6
from 0.6     0.98       0.35    4
from 0.8     0.99       0.33    1
from 0.9     1.00       0.32    0
===========  =========  ======  ===============================

Recall counts pairs of photographs of one brand. It is low because five photographs of a brand mostly show five
designs; where reference and photograph show one design it is found mostly. Several references of a brand help: with
four, 85 of the 135 photographs were recognised. Simple shapes (a swoosh, three stripes) give few features: they are
seldom found, and what :attr:`LogoMatcher.weak` names never.

Marks of a catalogue, drawn in one colour, of 21 of these brands (``drawn``), looked for in all 135 photographs: 40 of
105 were right, one a mark that its photograph shows beside another. Four wrong ones, lettering taken for lettering, had
confidences of up to 0.76 by the regression above: what is drawn is doubted by one more unit of its score, which leaves
39 right and none wrong from 0.6.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from detect.engines.logo_features import Features, Reference, extract
from detect.engines.logo_geometry import Sighting, sightings
from detect.geometry import enclosing, expand_box, intersection, iou, quad_box
from detect.stages.base import Image
from detect.types import Box

_VERSION = 2
_LEAST_CONFIDENCE = 0.2
_CONSTANT, _PER_PLACE, _PER_CORRELATION = -11.9, 5.2, 10.1
_DOUBT_OF_DRAWN = 1.0


@dataclass(frozen=True)
class LogoMatch:
    """A brand's logo in a picture.

    ``quad`` holds the reference's corners in pixels, clockwise from its own top-left (it may be turned), ``box`` what
    of it lies inside the picture. ``inliers`` counts places of the logo that agree, ``correlation`` (-1 to 1) says how
    alike the edges are, ``reference`` which of the given pictures it was.
    """

    brand: str
    quad: tuple[tuple[int, int], ...]
    box: Box
    confidence: float
    inliers: int
    correlation: float
    reference: int


class LogoMatcher:
    """Finds logos by reference pictures; descriptors of the references are computed once.

    ``references`` are (brand name, picture): grey, BGR, or BGRA with transparency, each trimmed to its content. A brand
    may have several. ``max_side`` and ``max_features`` bound the work on a picture. ``drawn`` says that the pictures
    are plain drawings in one colour, which resemble lettering sooner. The same picture and references give the same
    matches on every run.
    """

    def __init__(
        self,
        references: Sequence[tuple[str, Image]],
        *,
        max_side: int = 800,
        max_features: int = 2500,
        drawn: bool = False,
    ) -> None:
        self._references = [Reference.prepared(brand, picture) for brand, picture in references]
        self._max_side, self._max_features = max_side, max_features
        self._doubt = _DOUBT_OF_DRAWN if drawn else 0.0
        self.digest = _digest(references, max_side, max_features, self._doubt)

    @cached_property
    def weak(self) -> tuple[str, ...]:
        """Brands with a reference picture so poor in detail that it is not even found in itself."""
        return tuple(dict.fromkeys(item.brand for item in self._references if not _finds_itself(item)))

    def find(self, image: Image, regions: Sequence[Box] | None = None) -> list[LogoMatch]:
        """Logos in a ``(height, width, 3)`` BGR picture, surest first, each place once.

        With ``regions`` only there and closely around; None looks everywhere. Large pictures are shrunk so that what
        is searched has at most as many pixels as a 16:9 picture of ``max_side``.
        """
        if not self._references or min(image.shape[:2]) < 12:
            return []
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image, np.uint8)
        features = self._features(grey, regions)
        found = []
        for index, reference in enumerate(self._references):
            for sighting in sightings(reference, features, grey):
                match = _to_match(reference.brand, index, sighting, grey.shape, self._doubt)
                if match.confidence >= _LEAST_CONFIDENCE and match.box.area:
                    found.append(match)
        return _best_of_each_place(found)

    def _features(self, grey: Image, regions: Sequence[Box] | None) -> Features:
        height, width = grey.shape
        areas = [Box(0, 0, width, height)] if regions is None else _separate(regions, width, height)
        total = sum(area.area for area in areas)
        scale = min(1.0, math.sqrt(self._max_side**2 * 9 / 16 / max(total, 1)))
        parts = []
        for area in areas:
            part = grey[area.y1 : area.y2, area.x1 : area.x2]
            if scale < 1:
                size = (max(1, round(area.width * scale)), max(1, round(area.height * scale)))
                part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
            seen = extract(part, math.ceil(self._max_features * area.area / total))
            factor = np.array([1 / scale, 1 / scale, 1 / scale, 1], np.float32)
            shift = np.array([area.x1, area.y1, 0, 0], np.float32)
            parts.append(Features(seen.points * factor + shift, seen.descriptors))
        return Features.joined(parts)


def confidence_of(places: int, correlation: float, doubt: float = 0.0) -> float:
    """Probability that a sighting is right; see the module's docstring for what it was fitted to."""
    score = _CONSTANT - doubt + _PER_PLACE * math.log(max(places, 1)) + _PER_CORRELATION * correlation
    return 1 / (1 + math.exp(-score))


def _finds_itself(reference: Reference) -> bool:
    """Whether the picture, made smaller and given room, is recognised."""
    scale = min(1.0, 160 / max(reference.size))
    size = (max(1, round(reference.size[0] * scale)), max(1, round(reference.size[1] * scale)))
    small = cv2.resize(reference.grey, size, interpolation=cv2.INTER_AREA)
    room = np.asarray(cv2.copyMakeBorder(small, 40, 40, 40, 40, cv2.BORDER_REPLICATE), np.uint8)
    seen = sightings(reference, extract(room, 500), room)
    return any(confidence_of(one.places, one.correlation) >= 0.5 for one in seen)


def _to_match(brand: str, index: int, sighting: Sighting, shape: tuple[int, ...], doubt: float) -> LogoMatch:
    corners = [(round(x), round(y)) for x, y in sighting.quad.tolist()]
    return LogoMatch(
        brand=brand,
        quad=tuple(corners),
        box=quad_box(corners, shape[1], shape[0]),
        confidence=round(confidence_of(sighting.places, sighting.correlation, doubt), 4),
        inliers=sighting.places,
        correlation=round(sighting.correlation, 4),
        reference=index,
    )


def _best_of_each_place(found: Iterable[LogoMatch]) -> list[LogoMatch]:
    kept: list[LogoMatch] = []
    for match in sorted(found, key=lambda match: (-match.confidence, match.reference, match.quad)):
        if all(iou(match.box, better.box) < 0.3 for better in kept):
            kept.append(match)
    return kept


def _separate(regions: Sequence[Box], width: int, height: int) -> list[Box]:
    """Boxes with some room around, those that overlap joined, so that no pixel is searched twice."""
    areas: list[Box] = []
    for region in regions:
        area = expand_box(region, 0.25, width, height)
        if not area.area:
            continue
        while touching := [other for other in areas if intersection(area, other)]:
            areas = [other for other in areas if other not in touching]
            area = enclosing([area, *touching])
        areas.append(area)
    return sorted(areas, key=lambda area: (area.y1, area.x1))


def _digest(references: Sequence[tuple[str, Image]], max_side: int, max_features: int, doubt: float) -> str:
    digest = hashlib.sha256(f"logos {_VERSION} {max_side} {max_features} {doubt}".encode())
    for brand, picture in references:
        digest.update(f"\0{brand}\0{picture.shape}{picture.dtype}\0".encode())
        digest.update(np.ascontiguousarray(picture).tobytes())
    return digest.hexdigest()

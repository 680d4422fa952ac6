"""From matched features to a sighting of a logo: where several agree on a place, and whether it then looks alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from detect.engines.logo_features import EdgeField, Features, Floats, Reference
from detect.stages.base import Image

Points = npt.NDArray[np.float64]

_FEWEST = 4  # places of a logo that must agree
_MOST_SIGHTINGS = 12  # of one reference in one picture
_NEAREST = 0.55  # distance of two descriptors above which they do not match
_RATIO = 0.85  # of the distance to the second best place of the logo
_MOST_MATCHES = 800
_LEAST_SPREAD = 0.04  # of the logo's area that the agreeing places span: a shared letter agrees on a spot only


@dataclass(frozen=True)
class Sighting:
    """A reference found: ``quad`` ``(4, 2)`` are its corners in the picture, clockwise from its own top-left.

    ``places`` is how many places of the logo agree on it, ``correlation`` how alike edges are there, -1 to 1.
    """

    quad: Points
    places: int
    correlation: float


@dataclass(frozen=True)
class _Matches:
    """Matched places, ``(n, 4)`` each as in :class:`Features`; ``spots`` ``(n,)`` number places of the logo."""

    reference: Floats
    picture: Floats
    spots: npt.NDArray[np.intp]


def sightings(reference: Reference, picture: Features, grey: Image) -> Iterator[Sighting]:
    """Every place where ``reference`` may be in a picture with these features and ``grey`` levels.

    Each match says by position, size and angle where the middle of the logo would be. Matches that say the same are
    fitted; the sighting's neighbourhood is then taken out and the next place is looked for.
    """
    matches = _match(reference, picture)
    if matches is None:
        return
    scale, angle, middle = _votes(matches, reference.size)
    agree = _agreement(scale, angle, middle, np.hypot(*reference.size))
    free = np.ones(len(scale), bool)
    for _ in range(3 * _MOST_SIGHTINGS):
        group = _largest_group(agree, free, matches.spots)
        if group is None:
            return
        fitted = _fit(matches, group, reference.size)
        if fitted is None:
            free[group] = False
            continue
        quad, inliers, places = fitted
        free[inliers] = False
        extent = np.sqrt(_area(quad))
        free &= np.hypot(*(middle - quad.mean(axis=0)).T) > 0.35 * extent
        yield Sighting(quad, places, _correlation(reference, quad, grey))


def _match(reference: Reference, picture: Features) -> _Matches | None:
    """Features of the picture that resemble one place of the logo, and no other place of it nearly as much.

    The second best is sought in the logo, not in the picture: boards show the same logo many times over.
    """
    known = reference.features
    if len(picture) < _FEWEST or len(known) < _FEWEST:
        return None
    alike = picture.descriptors @ known.descriptors.T
    best = alike.argmax(axis=1)
    near = np.flatnonzero(_distance(alike[np.arange(len(best)), best]) < _NEAREST)
    if len(near) < _FEWEST:
        return None
    alike, best = alike[near], best[near]
    first = _distance(alike[np.arange(len(best)), best])
    second = _distance(np.where(reference.same_place[best], -1, alike).max(axis=1))
    kept = np.flatnonzero(first < _RATIO * second)
    kept = kept[np.argsort(first[kept], kind="stable")][:_MOST_MATCHES]
    if len(kept) < _FEWEST:
        return None
    chosen = best[kept]
    return _Matches(known.points[chosen], picture.points[near[kept]], reference.spots[chosen])


def _distance(alike: Floats) -> Floats:
    distance: Floats = np.sqrt(np.maximum(2 - 2 * alike, 0))
    return distance


def _votes(matches: _Matches, size: tuple[int, int]) -> tuple[Floats, Floats, Floats]:
    """Scale and turn ``(n,)`` of the logo and its middle ``(n, 2)`` in the picture, as each match has it."""
    scale = matches.picture[:, 2] / matches.reference[:, 2]
    angle = matches.picture[:, 3] - matches.reference[:, 3]
    across, down = (np.array(size, np.float32) / 2 - matches.reference[:, :2]).T
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    middle = matches.picture[:, :2] + np.stack([cos * across - sin * down, sin * across + cos * down], axis=1)
    return scale, angle, middle


def _agreement(scale: Floats, angle: Floats, middle: Floats, diagonal: float) -> npt.NDArray[np.bool_]:
    """``(n, n)``: whether two matches say nearly the same; loosely, for slanted views change sizes and angles."""
    octaves = np.abs(np.log2(scale[:, None] / scale[None]))
    turn = np.abs((angle[:, None] - angle[None] + np.pi) % (2 * np.pi) - np.pi)
    apart = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1))
    return np.asarray(
        (octaves < 0.8) & (turn < 0.6) & (apart < 0.3 * diagonal * np.maximum(scale[:, None], scale[None]))
    )


def _largest_group(
    agree: npt.NDArray[np.bool_], free: npt.NDArray[np.bool_], spots: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp] | None:
    """The matches that agree with one of them, of all such groups one with most places of the logo, if enough."""
    groups = agree & free[None] & free[:, None]
    counts = groups.sum(axis=1)
    best: npt.NDArray[np.intp] | None = None
    most = _FEWEST - 1
    for row in np.argsort(-counts, kind="stable")[:12]:
        if counts[row] <= most:
            break
        members = np.flatnonzero(groups[row])
        places = len(np.unique(spots[members]))
        if places > most:
            best, most = members, places
    return best


def _fit(
    matches: _Matches, group: npt.NDArray[np.intp], size: tuple[int, int]
) -> tuple[Points, npt.NDArray[np.intp], int] | None:
    """Corners of the logo, the matches that support them and their places; None for no possible view of it."""
    source, target = matches.reference[group, :2], matches.picture[group, :2]
    tolerance = max(3.0, 0.03 * float(np.hypot(*np.ptp(target, axis=0))))
    # OpenCV's stubs do not tell that there may be no solution.
    fitted: Any = cv2.estimateAffine2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=tolerance, maxIters=500, confidence=0.995
    )
    affine, mask = fitted
    if np.ndim(affine) != 2:  # None when no three of them fit, whatever the stubs say
        return None
    transform = np.vstack([affine, [0, 0, 1]])
    inliers = group[mask.ravel() > 0]
    places = len(np.unique(matches.spots[inliers]))
    if places >= 10:  # enough to tell perspective from noise
        general, mask = cv2.findHomography(source, target, cv2.RANSAC, tolerance)
        if np.ndim(general) == 2 and len(np.unique(matches.spots[group[mask.ravel() > 0]])) > places:
            transform, inliers = general, group[mask.ravel() > 0]
            places = len(np.unique(matches.spots[inliers]))
    width, height = size
    corners = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float64)
    quad: Points = np.asarray(cv2.perspectiveTransform(corners, transform)[0], np.float64)
    spread = float(cv2.contourArea(cv2.convexHull(matches.reference[inliers, :2]))) / (width * height)
    sound = places >= _FEWEST and spread >= _LEAST_SPREAD and _is_possible(quad, size)
    return (quad, inliers, places) if sound else None


def _is_possible(quad: Points, size: tuple[int, int]) -> bool:
    """Whether a flat logo of this size can look like that: not mirrored, folded, tiny or stretched out of shape."""
    if not np.isfinite(quad).all() or not cv2.isContourConvex(quad.astype(np.float32)):
        return False
    (ax, ay), (bx, by) = quad[1] - quad[0], quad[3] - quad[0]
    if ax * by - ay * bx <= 0 or np.ptp(quad, axis=0).min() < 8:
        return False
    scale = np.sqrt(_area(quad) / (size[0] * size[1]))
    if not 0.05 < scale < 8:
        return False
    top, right, bottom, left = (float(np.linalg.norm(quad[(i + 1) % 4] - quad[i])) for i in range(4))
    if max(top, bottom) > 2.5 * min(top, bottom) or max(left, right) > 2.5 * min(left, right):
        return False
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 2 / size[0]
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 2 / size[1]
    stretch = np.linalg.svd(np.stack([across, down], axis=1))[1]
    return bool(stretch[1] > 0.3 * stretch[0])


def _area(quad: Points) -> float:
    return float(cv2.contourArea(quad.astype(np.float32)))


def _correlation(reference: Reference, quad: Points, grey: Image) -> float:
    """How alike the edges of the logo and of what lies in ``quad`` are, at a size that both have."""
    sides = [float(np.linalg.norm(quad[(i + 1) % 4] - quad[i])) for i in range(4)]
    field, mask = reference.template(max(sides))
    height, width = field.vectors.shape[:2]
    shrink = max(sides) / max(height, width)
    low = np.maximum(np.floor(quad.min(axis=0)) - 4, 0).astype(int)
    high = np.minimum(np.ceil(quad.max(axis=0)) + 5, [grey.shape[1], grey.shape[0]]).astype(int)
    if (high - low).min() < 4:
        return 0.0
    part = grey[low[1] : high[1], low[0] : high[0]]
    if shrink > 1.6:  # a warp that shrinks skips pixels
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), 0.45 * shrink), np.uint8)
    upright = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    transform = cv2.getPerspectiveTransform((quad - low).astype(np.float32), upright)
    seen = cv2.warpPerspective(
        part, transform, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return field.correlation(EdgeField.of(np.asarray(seen, np.uint8)), mask)

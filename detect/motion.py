"""How the camera moved between two frames of a shot, and finding a patch again after it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

# OpenCV's stubs do not tell what its arrays hold.
Gray = npt.NDArray[Any]
Matrix = npt.NDArray[Any]
Quad = npt.NDArray[Any]
Patch = npt.NDArray[Any]
Features = tuple[npt.NDArray[Any], npt.NDArray[Any] | None]

PATCH_HEIGHT = 24
_MAX_PATCH_WIDTH = 216
_STROKE_SIGMA = 4.0
_WORK_WIDTH = 480
_MIN_INLIERS = 14


class CameraMotion:
    """Estimates the homography between frames from background features.

    ORB features on a small picture, matched both ways and fitted with RANSAC: robust to players who move on their
    own and to pans of a large part of the picture. Features of a frame are computed once.
    """

    def __init__(self) -> None:
        self._orb = cv2.ORB.create(nfeatures=600, fastThreshold=8)
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)

    def features(self, gray: Gray) -> Features:
        """Points of shape ``(n, 2)`` in pixels of ``gray`` and their descriptors."""
        scale = min(1.0, _WORK_WIDTH / gray.shape[1])
        small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        points, descriptors = self._orb.detectAndCompute(small, None)
        return np.array([point.pt for point in points], np.float32).reshape(-1, 2) / scale, descriptors

    def between(
        self,
        before: Features,
        after: Features,
    ) -> Matrix | None:
        """``3x3`` homography from the first frame's pixels to the second's, or None when there is no common view."""
        if before[1] is None or after[1] is None:
            return None
        matches = self._matcher.match(before[1], after[1])
        if len(matches) < _MIN_INLIERS:
            return None
        source = before[0][[match.queryIdx for match in matches]]
        target = after[0][[match.trainIdx for match in matches]]
        cv2.setRNGSeed(1)
        matrix, inliers = cv2.findHomography(source, target, cv2.RANSAC, 4.0, maxIters=500)
        if matrix is None or int(inliers.sum()) < _MIN_INLIERS or not _plausible(matrix):
            return None
        return matrix


def _plausible(matrix: Matrix) -> bool:
    """Whether a homography is a camera's: no mirror, no zoom beyond 2, hardly any projective part."""
    scale = float(np.linalg.det(matrix[:2, :2]))
    return 0.25 < scale < 4.0 and float(np.abs(matrix[2, :2]).max()) < 2e-3


def move_quad(quad: Quad, matrix: Matrix | None) -> Quad:
    """A quad after the camera moved; unchanged when the motion is unknown."""
    if matrix is None:
        return quad
    return cv2.perspectiveTransform(quad.reshape(1, 4, 2), matrix).reshape(4, 2).astype(np.float32)


def patch_width(quad: Quad) -> int:
    """Width of a patch of :data:`PATCH_HEIGHT` rows that keeps the quad's proportions."""
    top, right, bottom, left = (float(np.linalg.norm(quad[i] - quad[(i + 1) % 4])) for i in range(4))
    width, height = max(top, bottom), max(left, right, 1.0)
    return int(np.clip(round(PATCH_HEIGHT * width / height), 8, _MAX_PATCH_WIDTH))


def cut_patch(gray: Gray, quad: Quad, width: int, *, margin_x: float = 0.0, margin_y: float = 0.0) -> Patch:
    """The quad, rectified to ``PATCH_HEIGHT x width``, with margins added as shares of the patch's height.

    Returns float32 of shape ``(height + 2 * margin, width + 2 * margin)``: grey levels less their surroundings' mean,
    so that strokes count and what shines through between them (a crowd behind a graphic, a shadow on a board) does not.
    """
    pad_x, pad_y = round(margin_x * PATCH_HEIGHT), round(margin_y * PATCH_HEIGHT)
    right, bottom = pad_x + width, pad_y + PATCH_HEIGHT
    target = np.array([[pad_x, pad_y], [right, pad_y], [right, bottom], [pad_x, bottom]], np.float32)
    transform = cv2.getPerspectiveTransform(np.ascontiguousarray(quad, np.float32), target)
    size = (width + 2 * pad_x, PATCH_HEIGHT + 2 * pad_y)
    cut = cv2.warpPerspective(gray, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    levels = cut.astype(np.float32)
    return levels - cv2.GaussianBlur(levels, (0, 0), _STROKE_SIGMA)


def similarity(patch: Patch, other: Patch) -> float:
    """Normalised cross-correlation of two patches, -1 to 1, at the best of small shifts; widths are made equal."""
    if patch.shape != other.shape:
        other = cv2.resize(other, (patch.shape[1], patch.shape[0]), interpolation=cv2.INTER_AREA)
    inner = other[2:-2, 3:-3]
    return float(cv2.matchTemplate(patch, inner, cv2.TM_CCOEFF_NORMED).max())


def find_patch(gray: Gray, patch: Patch, quad: Quad, *, reach_x: float, reach_y: float) -> tuple[Quad, float]:
    """Look for ``patch`` around ``quad``, up to ``reach`` patch heights away.

    Returns the quad where it fits best and the normalised cross-correlation there.
    """
    width = patch.shape[1]
    window = cut_patch(gray, quad, width, margin_x=reach_x, margin_y=reach_y)
    scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (left, top) = cv2.minMaxLoc(scores)
    pad_x, pad_y = round(reach_x * PATCH_HEIGHT), round(reach_y * PATCH_HEIGHT)
    right, bottom = pad_x + width, pad_y + PATCH_HEIGHT
    rectified = np.array([[pad_x, pad_y], [right, pad_y], [right, bottom], [pad_x, bottom]], np.float32)
    back = cv2.getPerspectiveTransform(rectified, np.ascontiguousarray(quad, np.float32))
    shifted = rectified + np.array([left - pad_x, top - pad_y], np.float32)
    return cv2.perspectiveTransform(shifted.reshape(1, 4, 2), back).reshape(4, 2).astype(np.float32), float(best)


@dataclass(frozen=True)
class Part:
    """What lies between two shares of a text's width, from its left."""

    first: float
    last: float

    @property
    def is_less(self) -> bool:
        """Whether it is not all of the text."""
        return self.first > 0 or self.last < 1

    def of_quad(self, quad: Quad) -> Quad:
        """The part of a quad."""
        top, bottom = quad[1] - quad[0], quad[2] - quad[3]
        corners = (
            quad[0] + self.first * top,
            quad[0] + self.last * top,
            quad[3] + self.last * bottom,
            quad[3] + self.first * bottom,
        )
        return np.array(corners, np.float32)

    def of_patch(self, patch: Patch) -> Patch:
        """The part of a patch, whatever its width."""
        columns = patch.shape[1]
        return patch[:, round(self.first * columns) : max(round(self.last * columns), 1)]


def inside_columns(quad: Quad, gray: Gray, columns: int) -> tuple[float, int, int]:
    """Which share of a quad lies in the picture, and from which to which of its ``columns``."""
    height, width = gray.shape[:2]
    x, y = quad[:, 0], quad[:, 1]
    if x.min() >= 0 and y.min() >= 0 and x.max() <= width and y.max() <= height:
        return 1.0, 0, columns
    across = (np.arange(columns, dtype=np.float32) + 0.5) / columns
    rows = np.array([0.125, 0.375, 0.625, 0.875], np.float32)[:, None, None]
    left, right = quad[0] + rows * (quad[3] - quad[0]), quad[1] + rows * (quad[2] - quad[1])
    points = left + across[:, None] * (right - left)
    shown = ((points >= 0) & (points < (width, height))).all(axis=2)
    usable = np.flatnonzero(shown.mean(axis=0) >= 0.75)
    first, last = (int(usable[0]), int(usable[-1]) + 1) if usable.size else (0, 0)
    return float(shown.mean()), first, last

"""A text found again by its own appearance: where the camera's motion takes it, or where it was, as graphics are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detect.line_pairs import box_of
from detect.motion import Part, Patch, Quad, cut_patch, find_patch, inside_columns, similarity
from detect.text_tracks import SAME_LOOK, Frame, Sight, Track

_MOVED = 4.0  # pixels of the camera's motion from which a text may as well have stayed where it was
# Correlation does not see contrast: a graphic that fades out still has its pattern in the noise.
_LEAST_CONTRAST = 0.4
# A text that leaves the picture is followed while so much of it is inside, and by that; it must be so many pixels high.
_LEAST_INSIDE, _LEAST_HEIGHT = 0.6, 5
#: A text that was only followed is weaker evidence than one that was found.
FOLLOWED_CONFIDENCE = 0.8


@dataclass(frozen=True)
class Follow:
    """How far and how surely a lost text is searched for. Similarities are normalised cross-correlations.

    Every ``detect_every``-th frame of a shot is searched for lines, and of those between the ones where less than
    ``share`` of the texts of the frame before are found.
    """

    min_similarity: float
    min_anchor_similarity: float
    max_misses: int
    reach: float
    share: float = 1.0
    detect_every: int = 1

    def always_searched(self, index: int, frames: int) -> bool:
        """Whether the frame of this index in a shot of so many is searched whatever is found again on it.

        What came since the frame before is found on the next one and followed back; behind the last there is none.
        """
        return index % self.detect_every == 0 or index == frames - 1


def find_again(
    track: Track, frame: Frame, place: Quad, stayed: Quad, patch: Patch | None, follow: Follow
) -> tuple[Sight, Patch] | None:
    """The track's sight in a frame, and its looks there, or None.

    ``place`` is where the camera takes it, ``stayed`` where it was in the frame before: there it must look the same.
    ``patch`` is how it looked then.
    """
    if patch is None or not track.votes:
        return None
    needed = follow.min_similarity if track.sights else SAME_LOOK
    sight = _find_at(track, frame, place, patch, needed, follow)
    if sight is None and _distance(stayed, place) > _MOVED:
        sight = _find_at(track, frame, stayed, patch, SAME_LOOK, follow)
    return sight


def _find_at(
    track: Track, frame: Frame, place: Quad, patch: Patch, needed: float, follow: Follow
) -> tuple[Sight, Patch] | None:
    """The track's sight around a place, if it is similar enough to its last and to an anchor."""
    if box_of(place).height < _LEAST_HEIGHT:
        return None
    share, first, last = inside_columns(place, frame.gray, patch.shape[1])
    if share < _LEAST_INSIDE:
        return None
    part = Part(first / patch.shape[1], last / patch.shape[1])
    shown = part.of_quad(place)
    found, score = find_patch(frame.gray, part.of_patch(patch), shown, reach_x=follow.reach, reach_y=follow.reach)
    quad = place + (found - shown).mean(axis=0) if part.is_less else found
    if score < needed or inside_columns(quad, frame.gray, patch.shape[1])[0] < _LEAST_INSIDE:
        return None
    seen = cut_patch(frame.gray, quad, patch.shape[1])
    known, there = [part.of_patch(anchor) for anchor in track.anchors], part.of_patch(seen)
    if max(similarity(anchor, there) for anchor in known) < follow.min_anchor_similarity:
        return None
    if is_faint(there, known, _LEAST_CONTRAST):
        return None
    return Sight(frame.sequence, quad, FOLLOWED_CONFIDENCE * score, found=False), seen


def is_faint(patch: Patch, anchors: Sequence[Patch], least: float) -> bool:
    """Whether a sight's contrast is less than this share of that of each anchor, as where a text fades."""
    return bool(patch.std() < least * min((anchor.std() for anchor in anchors), default=0.0))


def has_stayed(before: Quad, place: Quad, seen: Quad) -> bool:
    """Whether a text was seen where it had been before, and not where the camera would have taken it."""
    return _distance(before, place) > _MOVED and _distance(seen, before) < _distance(seen, place)


def _distance(quad: Quad, other: Quad) -> float:
    """The largest distance of two corners along an axis, pixels."""
    return float(np.abs(quad - other).max())

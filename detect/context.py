"""What a text lies on: a board, a person, or a graphic that is fixed to the screen."""

from __future__ import annotations

import numpy as np

from detect.motion import Matrix, Quad, move_quad
from detect.text_tracks import Sight, Track
from detect.types import Box, Observation, Placement, Region

_PLACEMENTS: dict[str, Placement] = {"overlay": "overlay", "person": "jersey", "board": "board"}
PEOPLE = frozenset({"person", "player", "goalkeeper", "referee", "driver", "rider"})
_MIN_CAMERA_SHIFT = 4.0
_MAX_OVERLAY_SHIFT = 2.0
_MIN_SHARE = 0.5


def is_overlay(track: Track, motions: dict[tuple[int, int], Matrix | None]) -> bool:
    """Whether the track stayed on its place on the screen while the camera moved under it.

    ``motions`` maps consecutive sequences to the homography between them, in the track's pixels.
    """
    moved = stayed = 0
    for before, after in zip(track.sights, track.sights[1:], strict=False):
        matrix = motions.get((before.sequence, after.sequence))
        if matrix is None:
            continue
        camera = _shift(before.quad, move_quad(before.quad, matrix))
        if camera >= _MIN_CAMERA_SHIFT:
            moved += 1
            stayed += _centre_shift(before, after) <= _MAX_OVERLAY_SHIFT
    return moved > 0 and stayed / moved > 0.5


def lies_on(observations: list[Observation], people: dict[int, list[Region]], boards: dict[int, list[Region]]) -> str:
    """``person``, ``board`` or empty: what most sights of a text lie on."""
    on_person = sum(
        any(_on_body(seen.box, region.box) for region in people.get(seen.sequence, ())) for seen in observations
    )
    on_board = sum(
        any(_inside(seen.box, region.box) for region in boards.get(seen.sequence, ())) for seen in observations
    )
    if on_person >= _MIN_SHARE * len(observations):
        return "person"
    return "board" if on_board >= _MIN_SHARE * len(observations) else ""


def placement_of(context: str) -> Placement:
    """The report's word for what a text or logo lies on."""
    return _PLACEMENTS.get(context, "other")


def people_only(regions: dict[int, list[Region]]) -> dict[int, list[Region]]:
    """The regions whose class is a kind of person."""
    return {sequence: [region for region in found if region.label in PEOPLE] for sequence, found in regions.items()}


def _on_body(text: Box, person: Box) -> bool:
    """Text worn by a person: inside, and small enough not to be a board that the person stands in front of."""
    return _inside(text, person) and text.width <= 0.95 * person.width and text.height <= 0.4 * person.height


def _inside(text: Box, other: Box) -> bool:
    x, y = (text.x1 + text.x2) / 2, (text.y1 + text.y2) / 2
    return other.x1 <= x <= other.x2 and other.y1 <= y <= other.y2


def _shift(quad: Quad, moved: Quad) -> float:
    return float(np.linalg.norm(quad.mean(axis=0) - moved.mean(axis=0)))


def _centre_shift(before: Sight, after: Sight) -> float:
    return _shift(before.quad, after.quad)

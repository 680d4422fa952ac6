"""What a text lies on: a board, painted or of LEDs, a person, or a graphic that is fixed to the screen.

A text that moves on its own, against boards and screen alike, is not taken for a worn one: where nothing is known of
people, a car, a banner in the crowd and a wrong estimate of the camera's motion look the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detect.led_boards import Motions, led_tracks
from detect.motion import Gray, Quad, move_quad
from detect.text_tracks import Track
from detect.types import Box, Observation, Placement, Region

_PLACEMENTS: dict[str, Placement] = {"overlay": "overlay", "person": "jersey", "board": "board", "led": "led"}
PEOPLE = frozenset({"person", "player", "goalkeeper", "referee", "driver", "rider"})
_MIN_CAMERA_SHIFT = 4.0
_MAX_OVERLAY_SHIFT = 2.0
_MIN_SHARE = 0.5
# A region hardly longer than the text in it is that text with the folds or lines around it, not a board.
_MAX_LENGTH_SHARE = 0.95


@dataclass(frozen=True)
class ShotView:
    """What is known of one shot: its frames' grey levels by sequence and the camera's motions, in the tracks' pixels,
    and regions of people and boards in those of the picture, which are ``1 / scale`` times as many."""

    grays: Mapping[int, Gray]
    motions: Motions
    people: Mapping[int, list[Region]]
    boards: Mapping[int, list[Region]]
    scale: float


def contexts_of(tracks: Sequence[Track], shot: ShotView) -> list[str]:
    """What each text of a shot lies on: ``overlay``, ``person``, ``led``, ``board``, or empty where it is unknown."""
    contexts = ["overlay" if is_overlay(track, shot.motions) else _lying_on(track, shot) for track in tracks]
    beside = [number for number, context in enumerate(contexts) if context in ("board", "")]
    for index in led_tracks([tracks[number] for number in beside], shot.grays, shot.motions):
        contexts[beside[index]] = "led"
    return contexts


def _lying_on(track: Track, shot: ShotView) -> str:
    observations = [
        Observation(sight.sequence, Box.from_points((sight.quad / shot.scale).tolist()), sight.confidence)
        for sight in track.sights
    ]
    return lies_on(observations, shot.people, shot.boards)


def is_overlay(track: Track, motions: Motions) -> bool:
    """Whether the track stayed on its place on the screen while the camera moved under it.

    ``motions`` maps consecutive sequences to the homography between them, in the track's pixels.
    """
    moved = stayed = 0
    came = place = track.sights[0].quad
    for before, after in pairwise(track.sights):
        matrix = motions.get((before.sequence, after.sequence))
        if matrix is None:
            came = place = after.quad
            continue
        place = move_quad(place, matrix)
        # a slow camera is waited for: what it moves by from one frame to the next is less than boxes tremble
        if _shift(came, place) >= _MIN_CAMERA_SHIFT:
            moved += 1
            stayed += _shift(came, after.quad) <= _MAX_OVERLAY_SHIFT
            came = place = after.quad
    return moved > 0 and stayed / moved > 0.5


def lies_on(
    observations: list[Observation], people: Mapping[int, list[Region]], boards: Mapping[int, list[Region]]
) -> str:
    """``person``, ``board`` or empty: what most sights of a text lie on."""
    on_person = sum(
        any(_on_body(seen.box, region.box) for region in people.get(seen.sequence, ())) for seen in observations
    )
    on_board = sum(
        any(_on_board(seen.box, region.box) for region in boards.get(seen.sequence, ())) for seen in observations
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


def _on_board(text: Box, board: Box) -> bool:
    return _inside(text, board) and text.width <= _MAX_LENGTH_SHARE * board.width


def _inside(text: Box, other: Box) -> bool:
    x, y = (text.x1 + text.x2) / 2, (text.y1 + text.y2) / 2
    return other.x1 <= x <= other.x2 and other.y1 <= y <= other.y2


def _shift(quad: Quad, moved: Quad) -> float:
    return float(np.linalg.norm(quad.mean(axis=0) - moved.mean(axis=0)))

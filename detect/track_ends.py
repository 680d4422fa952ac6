"""The ends of a text's track: its first and its last sight, with what is needed to go on looking for it from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from detect.edge_looks import State, look_for
from detect.line_pairs import box_of, is_taken
from detect.motion import Matrix, Patch, Quad, cut_patch, move_quad
from detect.text_tracks import Frame, Sight, Track
from detect.types import Box

Side = Literal["appears", "vanishes"]

_TREMBLING = 0.25  # of a line's height, by which boxes of a text that moves with the scene are apart


@dataclass(frozen=True)
class TrackEnd:
    """A text on the first or last kept frame that shows it, and where the neighbouring kept frame would have it.

    ``fixed`` says that it has its place on the screen, ``steady`` that it has moved with the scene, whose motion is
    known: either way it is known where it would be. ``anchors`` are its looks where it was detected, by which it is
    told on the neighbouring frame; none where that is not asked.
    """

    track_id: int
    side: Side
    sequence: int
    quad: Quad
    patch: Patch
    beyond: Quad
    fixed: bool = False
    steady: bool = False
    anchors: tuple[Patch, ...] = ()


def track_ends(
    track_id: int,
    track: Track,
    frames: Sequence[Frame],
    motions: Sequence[Matrix | None],
    places: Mapping[int, Sequence[Box]],
    *,
    fixed: bool,
) -> list[TrackEnd]:
    """Those ends of a track behind which no other track goes on with its text.

    ``places`` are the boxes of the shot's tracks by sequence: where the neighbouring frame shows the text in one of
    them, that is no edge. ``fixed`` says that the camera does not move the text.
    """
    index_of = {frame.sequence: index for index, frame in enumerate(frames)}
    width = max(anchor.shape[1] for anchor in track.anchors)
    ends = []
    sides: tuple[tuple[Side, list[Sight], int], ...] = (
        ("appears", track.sights[:2], -1),
        ("vanishes", track.sights[:-3:-1], 1),
    )
    for side, (sight, *inner), step in sides:
        index = index_of[sight.sequence]
        motion = _motion(motions, index, step)
        if fixed:
            beyond = sight.quad
        elif motion is not None:
            beyond = move_quad(sight.quad, motion)
        else:
            beyond = 2 * sight.quad - inner[0].quad if inner else sight.quad
        patch = cut_patch(frames[index].gray, sight.quad, width)
        if 0 <= index + step < len(frames):
            neighbour = frames[index + step]
            look = look_for(neighbour.gray, beyond, patch, patch)
            place = box_of(beyond if look.quad is None else look.quad)
            if look.state is State.THERE and is_taken(place, places.get(neighbour.sequence, ())):
                continue
        steady = motion is not None and _moved_with_scene(sight, inner, _motion(motions, index, -step))
        anchors = tuple(track.anchors)
        ends.append(TrackEnd(track_id, side, sight.sequence, sight.quad, patch, beyond, fixed, steady, anchors))
    return ends


def _moved_with_scene(sight: Sight, inner: Sequence[Sight], inwards: Matrix | None) -> bool:
    """Whether the camera's motion alone took a text from its last sight but one to its last."""
    if not inner or inwards is None:
        return False
    height = float(np.ptp(sight.quad[:, 1]))
    moved = move_quad(sight.quad, inwards).mean(axis=0) - inner[0].quad.mean(axis=0)
    return float(np.abs(moved).max()) <= _TREMBLING * height


def _motion(motions: Sequence[Matrix | None], index: int, step: int) -> Matrix | None:
    """How the camera moved from a shot's frame to the one before or after it, None where that is not known."""
    place = index if step > 0 else index - 1
    if not 0 <= place < len(motions):
        return None
    matrix = motions[place]
    return matrix if matrix is None or step > 0 else np.linalg.inv(matrix)

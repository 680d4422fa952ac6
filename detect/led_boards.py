"""Which boards are LED boards: what is written on them changes while everything around them stays.

A painted board may be covered, blurred or left behind by the camera, but it never shows other lettering. So where a
text begins or ends, its place is looked at one frame before or after, as the camera's motion moved it: other lettering
there, as strong as its own, between bands above and below that are what they were, is a page that changed. A person
walking by changes the bands too, blur takes the lettering's strength, and a wrong motion changes everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from detect.matching import fold
from detect.motion import PATCH_HEIGHT, Gray, Matrix, Patch, Quad, cut_patch, find_patch, move_quad, patch_width
from detect.text_tracks import Track

Motions = Mapping[tuple[int, int], Matrix | None]
"""Homographies between consecutive kept frames of a shot, by their two sequences, in the tracks' pixels."""

_OTHER_LOOK = 0.45
_LEAST_STRENGTH = 0.3
# What a camera must move by, in pixels, to tell the scene from the screen, and the share of it a text may be off.
_LEAST_SHIFT, _MOST_OFF = 4.0, 0.4
# Texts with so few sights need not have been seen to move with the scene.
_TOO_BRIEF = 2
# Smaller lettering, or what a zoom has made much larger or smaller, looks other without being other.
_LEAST_HEIGHT, _SAME_SIZE = 14.0, 1.2
# Bands begin so far beyond the lettering, and are so high, in heights of the lettering: boards leave it a margin.
_BAND_GAP, _BAND_HEIGHT = 0.8, 0.7
_SAME_LEVEL, _MOST_CHANGED = 18.0, 0.25
# Texts in a row lie on one line, in heights of the lettering; neighbours are so many lengths apart at most.
_IN_ROW, _NEIGHBOUR = 0.8, 2.0
# Texts at one place have centres this near, in parts of their lengths together.
_SAME_PLACE = 0.45
# Pages follow one another; errors of motion add up.
_MOST_STEPS = 6
_LEAST_LETTERS, _ALIKE_TEXT = 3, 0.7


def led_tracks(tracks: Sequence[Track], grays: Mapping[int, Gray], motions: Motions) -> set[int]:
    """Indices of the texts of one shot that were shown by LED boards.

    ``grays`` are the shot's frames by sequence, in the order of time; graphics on the screen are not to be among
    ``tracks``.
    """
    sequences = list(grays)
    changed = {
        number
        for number, track in enumerate(tracks)
        if _may_be_changed(track) and _was_changed(track, sequences, grays, motions)
    }
    return _on_the_same_boards(tracks, changed, motions)


def _may_be_changed(track: Track) -> bool:
    """Whether it is lettering: figures on graphics change all the time."""
    return sum(char.isalpha() for char in track.best_text()) >= _LEAST_LETTERS


def moves_with_scene(track: Track, motions: Motions) -> bool:
    """Whether the text once went where the camera's motion takes what stands still in the scene."""
    place = came = track.sights[0].quad
    for before, after in pairwise(track.sights):
        motion = motions.get((before.sequence, after.sequence))
        if motion is None:
            place = came = after.quad
            continue
        place = move_quad(place, motion)
        shift, off = _distance(came, place), _distance(after.quad, place)
        if shift >= _LEAST_SHIFT and off <= _MOST_OFF * shift:
            return True
    return False


def _was_changed(track: Track, sequences: list[int], grays: Mapping[int, Gray], motions: Motions) -> bool:
    """Whether other lettering was at the text's place right before it came, or right after it went."""
    of_the_scene = moves_with_scene(track, motions)
    if not of_the_scene and len(track.sights) > _TOO_BRIEF:
        return False
    for sight, step in ((track.sights[0], -1), (track.sights[-1], 1)):
        index = sequences.index(sight.sequence) + step
        if not 0 <= index < len(sequences):
            continue
        beside = sequences[index]
        motion = motions.get((beside, sight.sequence) if step < 0 else (sight.sequence, beside))
        if motion is None:
            continue
        page = _Place(sight.quad, grays[sight.sequence], grays[beside], np.linalg.inv(motion) if step < 0 else motion)
        if page.is_changed() and (of_the_scene or not page.is_fixed()):
            return True
    return False


class _Place:
    """A text's place in the frame that shows it and in the one beside, where the camera's ``motion`` takes it."""

    def __init__(self, quad: Quad, here: Gray, there: Gray, motion: Matrix) -> None:
        self._quad, self._here, self._there = quad, here, there
        self._moved = move_quad(quad, motion)
        self._width = patch_width(quad)
        self._own = cut_patch(here, quad, self._width)

    def is_changed(self) -> bool:
        """Whether other lettering is at the moved place, and all around it is what it was."""
        if not (_is_inside(_with_bands(self._quad), self._here) and _is_inside(_with_bands(self._moved), self._there)):
            return False
        height, moved = _height(self._quad), _height(self._moved)
        if height < _LEAST_HEIGHT or not 1 / _SAME_SIZE <= moved / height <= _SAME_SIZE:
            return False
        other = cut_patch(self._there, self._moved, self._width)
        if other.std() < _LEAST_STRENGTH * self._own.std():
            return False
        return self._look(self._moved) < _OTHER_LOOK and self._surroundings_stay()

    def is_fixed(self) -> bool:
        """Whether the text may be a graphic: the camera stood still, or the text is where it was on the screen."""
        return _distance(self._quad, self._moved) < _LEAST_SHIFT or self._look(self._quad) >= _OTHER_LOOK

    def _look(self, quad: Quad) -> float:
        return find_patch(self._there, self._own, quad, reach_x=0.5, reach_y=0.3)[1]

    def _surroundings_stay(self) -> bool:
        for side in (-1, 1):
            levels = _band(self._here, self._quad, self._width, side)
            other = _band(self._there, self._moved, self._width, side)
            brighter = other.mean() - levels.mean()
            changed = np.abs(other - levels - brighter) > _SAME_LEVEL
            if changed.mean() > _MOST_CHANGED or abs(brighter) > _SAME_LEVEL:
                return False
        return True


def _with_bands(quad: Quad) -> Quad:
    """The quad grown by the bands above and below it."""
    down = quad[[3, 2, 2, 3]] - quad[[0, 1, 1, 0]]
    return quad + down * np.array([[-1], [-1], [1], [1]], np.float32) * (_BAND_GAP + _BAND_HEIGHT)


def _band(gray: Gray, quad: Quad, width: int, side: int) -> Patch:
    """Grey levels of the band above (-1) or below (1) a quad, straightened and smoothed; float32."""
    down = quad[[3, 2]] - quad[[0, 1]]
    near = quad[[3, 2]] + down * _BAND_GAP if side > 0 else quad[[0, 1]] - down * (_BAND_GAP + _BAND_HEIGHT)
    corners = np.concatenate([near, near[::-1] + down[::-1] * _BAND_HEIGHT])
    height = round(PATCH_HEIGHT * _BAND_HEIGHT)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    transform = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), target)
    cut = cv2.warpPerspective(gray, transform, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.GaussianBlur(cut.astype(np.float32), (0, 0), 3.0)


def _is_inside(quad: Quad, gray: Gray) -> bool:
    height, width = gray.shape[:2]
    return bool((quad >= 0).all() and (quad[:, 0] < width).all() and (quad[:, 1] < height).all())


@dataclass(frozen=True)
class _Text:
    """A track, its quads by sequence, and its text folded."""

    track: Track
    quads: dict[int, Quad]
    said: str


Steps = Mapping[int, tuple[int, Matrix | None]]
"""To each sequence the next one of the shot, and the camera's motion between them."""


def _on_the_same_boards(tracks: Sequence[Track], changed: set[int], motions: Motions) -> set[int]:
    """``changed``, and what stood at the same place of a board, or beside it saying the same."""
    if not changed:
        return set()
    texts = [_Text(track, {sight.sequence: sight.quad for sight in track.sights}, _said(track)) for track in tracks]
    steps = {before: (after, motion) for (before, after), motion in motions.items()}
    found, waiting = set(changed), list(changed)
    while waiting:
        known = texts[waiting.pop()]
        for number, text in enumerate(texts):
            if number not in found and _shares_board(known, text, steps):
                found.add(number)
                waiting.append(number)
    return found


def _shares_board(text: _Text, other: _Text, steps: Steps) -> bool:
    """Whether two texts are on one LED board: one after the other at one place, or at once, in a row and alike."""
    at_once = next((sequence for sequence in text.quads if sequence in other.quads), None)
    if at_once is not None:
        if not _says_the_same(text.said, other.said):
            return False
        apart = _apart_in_row(text.quads[at_once], other.quads[at_once])
        return apart is not None and apart <= _NEIGHBOUR * _length(text.quads[at_once])
    first, second = sorted((text, other), key=lambda one: one.track.sights[0].sequence)
    began = second.track.sights[0]
    before = [sight for sight in first.track.sights if sight.sequence < began.sequence][-1]
    place = _carried(before.quad, before.sequence, began.sequence, steps)
    apart = None if place is None else _apart_in_row(place, began.quad)
    return apart is not None and apart <= _SAME_PLACE * (_length(before.quad) + _length(began.quad))


def _apart_in_row(quad: Quad, other: Quad) -> float | None:
    """How far two texts' middles are apart along their row, in pixels; None where they are not in one."""
    height, other_height = _height(quad), _height(other)
    along, between = (quad[1] + quad[2] - quad[0] - quad[3]) / 2, other.mean(axis=0) - quad.mean(axis=0)
    length = max(float(np.linalg.norm(along)), 1.0)
    across = abs(float(along[0] * between[1] - along[1] * between[0])) / length
    if across > _IN_ROW * height or not 0.5 <= height / max(other_height, 1.0) <= 2:
        return None
    return abs(float(along @ between)) / length


def _carried(quad: Quad, at: int, until: int, steps: Steps) -> Quad | None:
    """A quad where the camera's motion takes it, None where that is unknown or long after."""
    for _ in range(_MOST_STEPS):
        following, motion = steps.get(at, (-1, None))
        if motion is None:
            return None
        quad, at = move_quad(quad, motion), following
        if at == until:
            return quad
    return None


def _said(track: Track) -> str:
    return fold(track.best_text())


def _says_the_same(text: str, other: str) -> bool:
    if min(len(text), len(other)) < _LEAST_LETTERS:
        return False
    return text in other or other in text or Levenshtein.normalized_similarity(text, other) >= _ALIKE_TEXT


def _length(quad: Quad) -> float:
    return float(np.linalg.norm(quad[0] - quad[1]))


def _distance(quad: Quad, other: Quad) -> float:
    return float(np.linalg.norm(quad.mean(axis=0) - other.mean(axis=0)))


def _height(quad: Quad) -> float:
    return float(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))

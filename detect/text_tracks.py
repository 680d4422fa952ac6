"""A text in the making: where it was seen, what was read on it, and how it looked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from detect.line_pairs import box_of
from detect.motion import Gray, Patch, Quad
from detect.types import Box, LatticeStep

#: Normalised cross-correlation from which two looks are the same, and from which they may well be.
SAME_LOOK, ALIKE_LOOK = 0.85, 0.6


@dataclass(frozen=True)
class Frame:
    """One kept frame as the tracker sees it: grey levels, and lines found by detection (quads, scores)."""

    sequence: int
    gray: Gray
    lines: list[tuple[Quad, float]]


@dataclass
class Sight:
    """A track in one frame. ``found`` tells a detected line from one that was only followed."""

    sequence: int
    quad: Quad
    confidence: float
    found: bool


@dataclass
class Vote:
    """How often, how surely and where best a text was read."""

    votes: int = 0
    confidence: float = 0.0
    sequence: int = 0
    quad: Quad = field(default_factory=lambda: np.zeros((4, 2), np.float32))
    lattice: tuple[LatticeStep, ...] = ()


@dataclass
class Track:
    """A line of text in the making. ``anchors`` are patches from frames where it was detected.

    ``place`` is where it was seen last; a track carried over from the shot before has a place but no sight yet.
    """

    place: Quad
    sights: list[Sight] = field(default_factory=list)
    votes: dict[str, Vote] = field(default_factory=dict)
    anchors: list[Patch] = field(default_factory=list)
    last_patch: Patch | None = None
    misses: int = 0

    def see(self, sight: Sight) -> None:
        """Add the latest sight."""
        self.sights.append(sight)
        self.place = sight.quad

    def best_text(self) -> str:
        return max(
            self.votes, key=lambda text: (self.votes[text].votes * self.votes[text].confidence, text), default=""
        )

    def carried(self) -> Track:
        """The same text, looked for at the same place on the screen in the next shot: graphics outlive cuts."""
        return Track(self.place, votes=dict(self.votes), anchors=list(self.anchors), last_patch=self.last_patch)

    def knows(self, look: float) -> bool:
        """Whether a line that looks so much like the track shows its text, and reading it would tell nothing new."""
        return bool(self.votes) and (look >= SAME_LOOK or (look >= ALIKE_LOOK and self.is_settled()))

    def is_settled(self) -> bool:
        """Two readings agree, or one is almost certain: reading again would tell nothing new."""
        best = self.votes.get(self.best_text())
        return best is not None and ((best.votes >= 2 and best.confidence >= 0.8) or best.confidence >= 0.97)


def places_of(tracks: Iterable[Track]) -> dict[int, list[Box]]:
    """The boxes of all sights of some tracks, by sequence."""
    places: defaultdict[int, list[Box]] = defaultdict(list)
    for track in tracks:
        for sight in track.sights:
            places[sight.sequence].append(box_of(sight.quad))
    return places

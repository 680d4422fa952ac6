"""Which faces of pictures that follow each other are one: by where they are, how large, and how they moved."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detect.object_columns import Floats

Reals = npt.NDArray[np.float64]

# Of two sights of one face the larger is at most this many times the smaller, both ways taken together.
_MOST_GROWTH = 1.7
# Motion is measured between sights at most this far apart, seconds: what moved earlier says nothing about now.
_MOTION_SECONDS = 0.5


@dataclass
class _Followed:
    """A face that is followed: its last sight, and how it moved before it, pixels a second."""

    number: int
    at: float
    centre: Reals
    length: float
    velocity: Reals = field(default_factory=lambda: np.zeros(2))

    def distance(self, at: float, centre: Reals, length: float) -> float:
        """How far a face is from being this one, in lengths of a face; infinity where it cannot be."""
        if max(length, self.length) > _MOST_GROWTH * min(length, self.length):
            return float("inf")
        moved = centre - self.centre
        # Faces stop and turn between two pictures: to have stayed is as good as to have gone on.
        off = min(float(np.hypot(*moved)), float(np.hypot(*(moved - (at - self.at) * self.velocity))))
        return off / ((length + self.length) / 2)

    def see(self, at: float, centre: Reals, length: float) -> None:
        gap = at - self.at
        self.velocity = (centre - self.centre) / gap if gap <= _MOTION_SECONDS else np.zeros(2)
        self.at, self.centre, self.length = at, centre, length


class FaceLinker:
    """Follows the faces of one video; give it the pictures in order. The same pictures give the same numbers.

    A face is the one that was within ``reach`` of its place, or of where its motion led, in lengths of a face (the
    square root of its area); the nearest pairs are matched first. It is given up when it was out of sight for more than
    ``lost_seconds``, and at a cut.
    """

    def __init__(self, *, reach: float, lost_seconds: float) -> None:
        self._reach, self._lost_seconds = reach, lost_seconds
        self._followed: list[_Followed] = []
        self._given = 0

    def cut(self) -> None:
        """Another shot begins: no face goes on."""
        self._followed.clear()

    def link(self, at: float, boxes: Floats) -> list[int]:
        """The number of the track of each box of the picture at ``at`` seconds; ``boxes`` ``(n, 4)`` ``xyxy``."""
        self._followed = [one for one in self._followed if at - one.at <= self._lost_seconds]
        corners = boxes.astype(np.float64)
        centres = (corners[:, :2] + corners[:, 2:]) / 2
        lengths = np.sqrt(np.prod(corners[:, 2:] - corners[:, :2], axis=1)).tolist()
        pairs = sorted(
            (distance, known, position)
            for known, one in enumerate(self._followed)
            for position, length in enumerate(lengths)
            if (distance := one.distance(at, centres[position], length)) < self._reach
        )
        chosen: dict[int, _Followed] = {}
        taken: set[int] = set()
        for _, known, position in pairs:
            if known not in taken and position not in chosen:
                taken.add(known)
                chosen[position] = self._followed[known]
        for position, length in enumerate(lengths):
            if position in chosen:
                chosen[position].see(at, centres[position], length)
            else:
                self._given += 1
                chosen[position] = _Followed(self._given, at, centres[position], length)
                self._followed.append(chosen[position])
        return [chosen[position].number for position in range(len(lengths))]

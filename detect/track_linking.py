"""Tracks put together afterwards, when the whole video is known: broken ones joined, gaps filled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detect.object_columns import Floats, Integers

Seconds = npt.NDArray[np.float64]

# Over how long before a break the motion is taken, seconds.
_MOTION_SECONDS = 0.5
# Of what is joined, the greater's sides are at most this many times the lesser's.
_MOST_GROWTH = 1.6

# Seconds are rounded: a gap of just as much as is allowed counts as allowed.
_HAIR = 1e-6


@dataclass(frozen=True)
class Tracklet:
    """One object over some frames.

    ``frames`` are positions of frames in the video, rising; ``boxes`` ``(n, 4)`` ``xyxy`` pixels; ``scores`` 0-1, 0
    where a box was filled in; ``kinds`` positions in the list of class names.
    """

    frames: Integers
    boxes: Floats
    scores: Floats
    kinds: Integers

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def kind(self) -> int:
        """Its class by vote, each sight weighted by its confidence; the first in the list where two have as many."""
        return int(np.bincount(self.kinds, self.scores).argmax())


def join_broken(
    tracklets: Sequence[Tracklet], seconds: Seconds, *, most_seconds: float, reach: float
) -> list[Tracklet]:
    """Join tracks that break off with those that begin shortly after where the first would have got to.

    ``seconds`` is when each frame of the video was. Joined are two of one class, at most ``most_seconds`` apart, of
    about one size, where the motion before the break leads to within ``reach`` of the second's first place and the
    motion after it back to within ``reach`` of the first's last, in lengths of the object (the square root of its
    area). Each is joined with one at most on either side, the best pairs first. The order is by first sights.
    """
    order = sorted(range(len(tracklets)), key=lambda index: int(tracklets[index].frames[0]))
    ordered = [tracklets[index] for index in order]
    begins = [seconds[one.frames[0]] for one in ordered]
    pairs: list[tuple[float, int, int]] = []
    for first, one in enumerate(ordered):
        ended = seconds[one.frames[-1]]
        last = bisect_right(begins, ended + most_seconds + _HAIR)
        for second in range(bisect_right(begins, ended), last):
            distance = _distance(one, ordered[second], seconds)
            if distance < reach:
                pairs.append((distance, first, second))
    following: dict[int, int] = {}
    taken: set[int] = set()
    for _, first, second in sorted(pairs):
        if first not in following and second not in taken:
            following[first] = second
            taken.add(second)
    return [_chain(ordered, index, following) for index in range(len(ordered)) if index not in taken]


def fill_gaps(track: Tracklet, seconds: Seconds, *, most_seconds: float) -> Tracklet:
    """The track with a box in each frame of its gaps of at most ``most_seconds``, on straight lines over time.

    What is filled in has the score 0 and the class of the sight before it.
    """
    narrow = np.diff(seconds[track.frames]) <= most_seconds + _HAIR
    gaps = np.flatnonzero((np.diff(track.frames) > 1) & narrow)
    missing = [np.arange(track.frames[at] + 1, track.frames[at + 1], dtype=np.int32) for at in gaps]
    if not missing:
        return track
    added = np.concatenate(missing)
    known = seconds[track.frames]
    sides = [np.interp(seconds[added], known, track.boxes[:, side]) for side in range(4)]
    frames = np.concatenate([track.frames, added])
    kinds = np.concatenate([track.kinds, track.kinds[np.searchsorted(track.frames, added) - 1]])
    scores = np.concatenate([track.scores, np.zeros(len(added), np.float32)])
    boxes = np.concatenate([track.boxes, np.stack(sides, axis=1).astype(np.float32)])
    by_frame = np.argsort(frames)
    return Tracklet(frames[by_frame], boxes[by_frame], scores[by_frame], kinds[by_frame])


def _chain(ordered: Sequence[Tracklet], index: int, following: dict[int, int]) -> Tracklet:
    parts = [ordered[index]]
    while (later := following.get(index)) is not None:
        parts.append(ordered[later])
        index = later
    if len(parts) == 1:
        return parts[0]
    return Tracklet(
        np.concatenate([part.frames for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.kinds for part in parts]),
    )


def _distance(one: Tracklet, other: Tracklet, seconds: Seconds) -> float:
    """How far the two are from being one object's, in its lengths; infinity where they cannot be."""
    if one.kind != other.kind:
        return float("inf")
    last, first = one.boxes[-1].astype(np.float64), other.boxes[0].astype(np.float64)
    sides = np.array([last[2:] - last[:2], first[2:] - first[:2]])
    if sides.min() <= 0 or (sides.max(axis=0) > _MOST_GROWTH * sides.min(axis=0)).any():
        return float("inf")
    gap = seconds[other.frames[0]] - seconds[one.frames[-1]]
    between = (first[:2] + first[2:] - last[:2] - last[2:]) / 2
    onward = between - gap * _velocity(one, seconds, at_end=True)
    back = between - gap * _velocity(other, seconds, at_end=False)
    length = float(np.sqrt(sides.prod(axis=1).mean()))
    return max(float(np.hypot(*onward)), float(np.hypot(*back))) / length


def _velocity(track: Tracklet, seconds: Seconds, *, at_end: bool) -> npt.NDArray[np.float64]:
    """Pixels a second ``(x, y)`` of the centre over the last or first moments, by least squares; 0 for one sight."""
    times = seconds[track.frames]
    near = times >= times[-1] - _MOTION_SECONDS if at_end else times <= times[0] + _MOTION_SECONDS
    times, boxes = times[near], track.boxes[near].astype(np.float64)
    times = times - times.mean()
    spread = float(times @ times)
    if spread == 0:
        return np.zeros(2)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    result: npt.NDArray[np.float64] = times @ (centres - centres.mean(axis=0)) / spread
    return result

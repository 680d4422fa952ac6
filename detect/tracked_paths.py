"""The ways that followed objects took: times and boxes of one track as arrays, and how much its boxes tremble."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from detect.stages.track_objects import TrackObjectsOutput
from detect.zones import Anchor

Reals = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
#: Turns the median of absolute values of a normal distribution around 0 into its standard deviation.
_MAD_TO_SIGMA = 1.4826
#: Over how much time around a moment the trembling of its box is looked at, to either side, seconds.
_NEARBY_SECONDS = 1.0
#: Neighbours that a box is compared with lie this far apart, seconds: trembling of frames closer than that is alike.
_NEIGHBOUR_SECONDS = 0.1


@dataclass(frozen=True)
class FrameTimes:
    """When each frame of the video came on screen, seconds after its first timestamp, and when the last one left."""

    at: Reals
    ended: float

    def appeared(self, frame: int) -> tuple[float, float]:
        """When what is first seen in ``frame`` came, and ± by how much that may be off: after the frame before."""
        if frame == 0:
            return float(self.at[0]), 0.0
        before, now = float(self.at[frame - 1]), float(self.at[frame])
        return (before + now) / 2, (now - before) / 2

    def vanished(self, frame: int) -> tuple[float, float]:
        """The same for what is last seen in ``frame``. The video's own ends are exact."""
        if frame == len(self.at) - 1:
            return self.ended, 0.0
        now, after = float(self.at[frame]), float(self.at[frame + 1])
        return (now + after) / 2, (after - now) / 2


@dataclass(frozen=True)
class TrackedPath:
    """Where one object was seen: ``frames`` are positions of frames in the video, ``at`` their seconds, ``boxes``
    ``(n, 4)`` ``xyxy`` pixels. Positions that were only interpolated are not among them.
    """

    track_id: int
    label: str
    frames: Whole
    at: Reals
    boxes: Reals

    @property
    def interval(self) -> float:
        """Usual time between two sights, seconds."""
        return float(np.median(np.diff(self.at))) if len(self.at) > 1 else 0.0

    @cached_property
    def residuals(self) -> Reals:
        """``(n, 4)`` how far each edge lies off the smooth path through its neighbours, in standard deviations' scale.

        The path is the cubic through two neighbours to either side, so that steady braking is no trembling. NaN where
        there are none.
        """
        found = np.full_like(self.boxes, np.nan)
        count = len(self.at)
        step = max(1, round(_NEIGHBOUR_SECONDS / self.interval)) if self.interval else 1
        step = min(step, (count - 1) // 4)
        if step < 1:
            return found
        middle = slice(2 * step, count - 2 * step)
        offsets = (-2 * step, -step, step, 2 * step)
        nodes = [np.arange(middle.start, middle.stop) + offset for offset in offsets]
        here = self.at[middle]
        residual, spread = self.boxes[middle].copy(), np.ones(len(here))
        for own in range(4):
            weight = np.ones(len(here))
            for other in range(4):
                if other != own:
                    weight *= (here - self.at[nodes[other]]) / (self.at[nodes[own]] - self.at[nodes[other]])
            residual -= weight[:, None] * self.boxes[nodes[own]]
            spread += weight**2
        found[middle] = residual / np.sqrt(spread)[:, None]
        return found

    def jitter(self, anchor: Anchor, around: float | None = None) -> float:
        """Standard deviation of the anchor's trembling in pixels, on the whole path or more where it was more nearby.

        For ``any`` it is that of the edge which trembles most.
        """
        whole = self._sigma(anchor, slice(None))
        if around is None:
            return whole
        near = slice(*np.searchsorted(self.at, [around - _NEARBY_SECONDS, around + _NEARBY_SECONDS]))
        return max(whole, self._sigma(anchor, near))

    def _sigma(self, anchor: Anchor, rows: slice) -> float:
        edges = self.residuals[rows]
        edges = edges[np.isfinite(edges[:, 0])]
        if len(edges) == 0:
            return 0.0
        middles = np.abs(edges[:, :2] + edges[:, 2:]) / 2
        values = {"any": np.abs(edges), "centre": middles, "bottom": np.stack([middles[:, 0], np.abs(edges[:, 3])], 1)}
        return float(np.median(values[anchor], axis=0).max()) * _MAD_TO_SIGMA


def frame_times(tracked: TrackObjectsOutput) -> FrameTimes:
    base = Fraction(tracked.time_base)
    ticks = tracked.objects.times - tracked.origin
    return FrameTimes(ticks * base.numerator / base.denominator, float((tracked.ended - tracked.origin) * base))


def tracked_paths(tracked: TrackObjectsOutput, times: FrameTimes) -> Iterator[TrackedPath]:
    """One path after the other, in the order of ids; what is in memory at once is one path and an index of all."""
    columns = tracked.objects
    scores, ids = np.frombuffer(columns.scores, "<f4"), np.frombuffer(columns.ids, "<i4")
    boxes = np.frombuffer(columns.boxes, "<f4").reshape(-1, 4)
    frames = np.repeat(np.arange(len(times.at)), np.frombuffer(columns.counts, "<i4"))
    seen = np.flatnonzero(scores > 0)
    rows = seen[np.argsort(ids[seen], kind="stable")]
    known, starts = np.unique(ids[rows], return_index=True)
    labels = {track.id: track.label for track in tracked.tracks}
    ends = np.append(starts, len(rows))[1:]
    for track_id, begin, end in zip(known.tolist(), starts.tolist(), ends.tolist(), strict=True):
        own = rows[begin:end]
        if track_id in labels:
            yield TrackedPath(
                track_id, labels[track_id], frames[own], times.at[frames[own]], boxes[own].astype(np.float64)
            )

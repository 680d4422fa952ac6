"""Following objects from frame to frame with ByteTrack, the tracker of ultralytics.

ByteTrack counts frames; here times count. Where frames are missing (a variable frame rate, damaged data), the motion of
what is followed is carried on by as many frames as would have fitted in, and an object is given up once it has been out
of sight for too long, however many frames that had.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detect.engines.quiet_ultralytics import load_quietly
from detect.errors import MediaprocError
from detect.object_columns import Floats, FrameObjects, Integers

# What a found and a predicted box must share at least is 1 minus this (IoU).
_FARTHEST = 0.8


class TrackerError(MediaprocError):
    """The tracker cannot be loaded; the message says what is missing."""


@dataclass(frozen=True)
class Followed:
    """An object of a frame that is followed: its position among them, and the number of its track.

    ``confirmed`` tells whether the track was seen before; one that never is was a flash.
    """

    position: int
    track: int
    confirmed: bool


@dataclass(frozen=True)
class _Found:
    """Objects of one frame as the tracker wants them: ``xywh`` ``(n, 4)`` in pixels, ``x`` and ``y`` of the centre."""

    xywh: Floats
    conf: Floats
    cls: Integers

    def __len__(self) -> int:
        return len(self.conf)

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> _Found:
        return _Found(self.xywh[chosen], self.conf[chosen], self.cls[chosen])


class Follower:
    """Follows the objects of one video; give it every frame, in order.

    An object begins to be followed where it is at least ``begin`` sure, goes on with less, and is given up when it was
    out of sight for more than ``lost_ticks``. Classes are not looked at: a car that is taken for
    a bus now and then stays one. The same frames give the same tracks.

    Raises:
        TrackerError: ultralytics, PyTorch or lap cannot be loaded.
    """

    def __init__(self, *, begin: float, lost_ticks: int) -> None:
        self._lost_ticks = lost_ticks
        self._tracker = _byte_tracker(begin)
        self._last_seen: dict[int, int] = {}
        self._latest: int | None = None

    def follow(self, frame: FrameObjects, *, frame_ticks: float) -> list[Followed]:
        """The objects of the next frame that are followed; ``frame_ticks`` is how far apart frames usually are."""
        if self._latest is not None:
            # Frames that follow each other as usual are no gap, however short an absence is borne.
            self._give_up(frame.pts - max(self._lost_ticks, 1.5 * frame_ticks))
            self._carry_on(round((frame.pts - self._latest) / frame_ticks) - 1)
        self._latest = frame.pts
        sizes = frame.boxes[:, 2:] - frame.boxes[:, :2]
        self._tracker.update(_Found(np.hstack([frame.boxes[:, :2] + sizes / 2, sizes]), frame.scores, frame.kinds))
        # Not what update() returns: that leaves out the first sight of a track, when it is not confirmed.
        seen = [
            Followed(int(track.idx), int(track.track_id), bool(track.is_activated))
            for track in self._tracker.tracked_stracks
            if track.frame_id == self._tracker.frame_id
        ]
        self._last_seen.update((one.track, frame.pts) for one in seen)
        return sorted(seen, key=lambda one: one.position)

    def _give_up(self, oldest: float) -> None:
        """Forget what was last seen before ``oldest``, in ticks."""
        last_seen, tracker = self._last_seen, self._tracker
        self._last_seen = {track: seen for track, seen in last_seen.items() if seen >= oldest}
        tracker.tracked_stracks = [track for track in tracker.tracked_stracks if track.track_id in self._last_seen]
        tracker.lost_stracks = [track for track in tracker.lost_stracks if track.track_id in self._last_seen]

    def _carry_on(self, missing: int) -> None:
        """Move what is followed on by the frames that are missing; ``update`` itself moves it by one."""
        moving = [track for track in self._tracker.tracked_stracks if track.is_activated] + self._tracker.lost_stracks
        if moving:
            for _ in range(missing):
                self._tracker.multi_predict(moving)


def _byte_tracker(begin: float) -> Any:
    try:
        load_quietly()
        from ultralytics.trackers.byte_tracker import BYTETracker
    except (ImportError, OSError) as error:
        raise TrackerError(
            f"following objects needs ultralytics, PyTorch and lap, but importing fails: {error}"
        ) from error
    make: Any = BYTETracker
    return make(
        Namespace(
            track_high_thresh=begin,
            track_low_thresh=0.0,
            new_track_thresh=begin,
            # In frames: here times decide.
            track_buffer=sys.maxsize,
            match_thresh=_FARTHEST,
            fuse_score=False,
        )
    )

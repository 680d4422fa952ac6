"""Follows objects from frame to frame: which boxes are the same car, the same person."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from detect.geometry import nms
from detect.object_columns import FrameObjects, ObjectColumns
from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.detect_each_frame import DetectEachFrameOutput
from detect.track_linking import Tracklet, fill_gaps, join_broken
from detect.tracking import Follower
from detect.types import SourceInfo, Value

if TYPE_CHECKING:
    from detect.resources import Resources

# What is never as sure as options.confidence is left out in the end; its track may begin with this share of it.
_BEGIN_SHARE = 0.5


class TrackObjectsOptions(Options, frozen=True):
    """Options of :class:`TrackObjects`."""

    confidence: Annotated[
        float, Meta(ge=0.01, le=1, description="An object must be this sure once to be followed; then weaker will do.")
    ] = 0.5
    lost_seconds: Annotated[
        float, Meta(ge=0, le=30, description="How long an object may be out of sight and still be the same, seconds.")
    ] = 1.0
    min_seconds: Annotated[
        float, Meta(ge=0, le=10, description="What is followed for less than this is left out, seconds.")
    ] = 0.2
    fill_seconds: Annotated[
        float,
        Meta(ge=0, le=30, description="Gaps of at most this in a track are filled with boxes in between, seconds."),
    ] = 1.0
    join_within: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            description="A broken track goes on in one that begins this near to where it would have got to, in lengths"
            " of the object; 0 joins none.",
        ),
    ] = 0.5
    same_above: Annotated[
        float,
        Meta(
            ge=0.3,
            le=1,
            description="Boxes of one frame that overlap more than this (IoU) are one object, of whatever classes; the"
            " surest stays. 1 keeps all.",
        ),
    ] = 0.85


class TrackObjectsInput(msgspec.Struct, frozen=True):
    detect_each_frame: Sequence[DetectEachFrameOutput]


class Track(Value, frozen=True):
    """One object followed: ``id`` 1, 2, 3 … in the order of first sights; ``label`` its class by vote.

    ``start`` and ``end`` are the ticks of its first and last sight, ``sightings`` in how many frames it was seen.
    """

    id: int
    label: str
    start: int
    end: int
    sightings: int
    confidence: float


class TrackObjectsOutput(StageOutput, frozen=True):
    """Objects that were followed, frame by frame and as a list.

    Ticks are those of the file, of ``time_base`` seconds; ``origin`` is the stream's first timestamp, ``ended`` when
    the last frame left the screen. ``objects`` has an entry for every frame of the video and ``ids`` for every object;
    ``kinds`` are positions in ``class_names``.
    """

    time_base: str
    origin: int
    ended: int
    class_names: tuple[str, ...]
    tracks: list[Track]
    objects: ObjectColumns
    problems: list[str] = msgspec.field(default_factory=list)


class TrackObjects:
    """Follow objects from frame to frame."""

    name: ClassVar[str] = "track_objects"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[TrackObjectsOptions]] = TrackObjectsOptions
    Input: ClassVar[type[TrackObjectsInput]] = TrackObjectsInput
    Output: ClassVar[type[TrackObjectsOutput]] = TrackObjectsOutput

    def model_digests(self, options: TrackObjectsOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: TrackObjectsInput) -> TrackObjectsOutput:
        """Raises ``TrackerError`` where the tracker cannot be loaded."""
        options: TrackObjectsOptions = ctx.options
        sights = _Sights(options)
        expected = _expected_frames(ctx.source)
        for chunk in data.detect_each_frame:
            for frame in sights.of_chunk(chunk):
                ctx.checkpoint()
                sights.add(frame)
                ctx.progress(len(sights), max(expected, len(sights)))
        if 0 < len(sights) < expected:
            ctx.progress(len(sights), len(sights))
        return sights.output()


class _Sights:
    """What was followed so far, in columns: position of the frame, box, score, class and number of the track."""

    def __init__(self, options: TrackObjectsOptions) -> None:
        self._options = options
        self._follower: Follower | None = None
        self._frame_ticks = 1.0
        self._time_base = Fraction(1)
        self._origin = self._ended = 0
        self._names: tuple[str, ...] = ()
        self._problems: list[str] = []
        self._pts, self._frames, self._tracks = array("q"), array("i"), array("i")
        self._boxes, self._scores, self._kinds = array("f"), array("f"), array("i")
        self._confirmed: set[int] = set()

    def __len__(self) -> int:
        """How many frames were looked at."""
        return len(self._pts)

    def of_chunk(self, chunk: DetectEachFrameOutput) -> ObjectColumns:
        """The frames of the next chunk, once what holds for all of them is noted."""
        if self._follower is None:
            self._time_base, self._origin, self._names = Fraction(chunk.time_base), chunk.origin, chunk.class_names
            lost_ticks = Fraction(str(self._options.lost_seconds)) / self._time_base
            self._follower = Follower(begin=self._options.confidence * _BEGIN_SHARE, lost_ticks=int(lost_ticks))
        self._problems += chunk.problems
        times = chunk.objects.times
        if len(times):
            self._ended = chunk.ended
        if len(times) > 1:
            self._frame_ticks = float(np.median(np.diff(times)))
        return chunk.objects

    def add(self, frame: FrameObjects) -> None:
        """Follow the objects of the next frame."""
        assert self._follower is not None
        stays = sorted(nms(frame.boxes, frame.scores, self._options.same_above))
        frame = FrameObjects(frame.pts, frame.boxes[stays], frame.scores[stays], frame.kinds[stays], frame.ids)
        for one in self._follower.follow(frame, frame_ticks=self._frame_ticks):
            self._frames.append(len(self._pts))
            self._tracks.append(one.track)
            self._boxes.extend(frame.boxes[one.position].tolist())
            self._scores.append(float(frame.scores[one.position]))
            self._kinds.append(int(frame.kinds[one.position]))
            if one.confirmed:
                self._confirmed.add(one.track)
        self._pts.append(frame.pts)

    def output(self) -> TrackObjectsOutput:
        """What comes out when all frames were looked at."""
        options, seconds = self._options, self._seconds()
        found = self._tracklets()
        joined = join_broken(found, seconds, most_seconds=options.lost_seconds, reach=options.join_within)
        kept = [one for one in joined if self._counts(one)]
        tracks = [self._track(number, one) for number, one in enumerate(kept, 1)]
        filled = [fill_gaps(one, seconds, most_seconds=options.fill_seconds) for one in kept]
        return TrackObjectsOutput(
            time_base=str(self._time_base),
            origin=self._origin,
            ended=self._ended,
            class_names=self._names,
            tracks=tracks,
            objects=_columns(np.array(self._pts, np.int64), filled, [one.kind for one in kept]),
            problems=self._problems,
            stats={
                "frames": len(self),
                "tracks": len(tracks),
                "joined": len(found) - len(joined),
                "left_out": len(joined) - len(kept),
                "filled": sum(map(len, filled)) - sum(map(len, kept)),
                **{f"tracks_{name}": count for name, count in sorted(Counter(one.label for one in tracks).items())},
            },
        )

    def _seconds(self) -> npt.NDArray[np.float64]:
        ticks = np.array(self._pts, np.int64) - self._origin
        return np.asarray(ticks * float(self._time_base), np.float64)

    def _tracklets(self) -> list[Tracklet]:
        """What was followed, but for what flashed up in one frame alone."""
        tracks = np.array(self._tracks, np.int32)
        order = np.argsort(tracks, kind="stable")
        numbers, starts = np.unique(tracks[order], return_index=True)
        frames, kinds = np.array(self._frames, np.int32), np.array(self._kinds, np.int32)
        boxes, scores = np.array(self._boxes, np.float32).reshape(-1, 4), np.array(self._scores, np.float32)
        return [
            Tracklet(frames[own], boxes[own], scores[own], kinds[own])
            for number, own in zip(numbers.tolist(), np.split(order, starts[1:]), strict=False)
            if number in self._confirmed
        ]

    def _counts(self, one: Tracklet) -> bool:
        """Whether it was once seen surely enough, and for long enough: until the frame after its last sight."""
        after = int(one.frames[-1]) + 1
        until = self._pts[after] if after < len(self._pts) else self._ended
        lasted = (until - self._pts[one.frames[0]]) * self._time_base
        sure = bool(one.scores.max() >= np.float32(self._options.confidence))
        return sure and lasted >= Fraction(str(self._options.min_seconds))

    def _track(self, number: int, one: Tracklet) -> Track:
        return Track(
            id=number,
            label=self._names[one.kind],
            start=self._pts[one.frames[0]],
            end=self._pts[one.frames[-1]],
            sightings=len(one),
            confidence=round(float(one.scores.mean(dtype=np.float64)), 4),
        )


def _columns(times: npt.NDArray[np.int64], tracks: Sequence[Tracklet], kinds: Sequence[int]) -> ObjectColumns:
    """Frame by frame what the tracks, numbered from 1, hold; each object with its track's class."""
    if not tracks:
        return ObjectColumns(pts=times.astype("<i8").tobytes(), counts=bytes(4 * len(times)))
    sizes = [len(one) for one in tracks]
    frames = np.concatenate([one.frames for one in tracks])
    order = np.argsort(frames, kind="stable")
    return ObjectColumns(
        pts=times.astype("<i8").tobytes(),
        counts=np.bincount(frames, minlength=len(times)).astype("<i4").tobytes(),
        boxes=np.concatenate([one.boxes for one in tracks])[order].astype("<f4").tobytes(),
        scores=np.concatenate([one.scores for one in tracks])[order].astype("<f4").tobytes(),
        kinds=np.repeat(kinds, sizes)[order].astype("<i4").tobytes(),
        ids=np.repeat(np.arange(1, len(tracks) + 1), sizes)[order].astype("<i4").tobytes(),
    )


def _expected_frames(source: SourceInfo) -> int:
    """About how many frames there are."""
    return round(source.duration * float(Fraction(source.frame_rate)))

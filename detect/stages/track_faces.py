"""Follows faces through each shot: one number for one face, from a cut to the next."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from detect.face_linking import FaceLinker
from detect.object_columns import ColumnsBuilder, Floats, FrameObjects, Integers, ObjectColumns
from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.detect_faces import DetectFacesOutput
from detect.stages.filter_scenes import find_cuts
from detect.types import FrameSignals, Value

if TYPE_CHECKING:
    from detect.resources import Resources


class TrackFacesOptions(Options, frozen=True):
    """Options of :class:`TrackFaces`."""

    reach: Annotated[
        float,
        Meta(ge=0.1, le=5, description="A face moves less than this from one picture to the next, in its own lengths."),
    ] = 0.8
    lost_seconds: Annotated[
        float, Meta(ge=0, le=10, description="How long a face may be out of sight and still be the same, seconds.")
    ] = 1.0
    min_sightings: Annotated[
        int, Meta(ge=1, le=100, description="Faces that were found in fewer pictures than this are left out.")
    ] = 2
    cut_change: Annotated[
        float, Meta(ge=1, le=255, description="Mean luma change between two frames that may be a cut, grey levels.")
    ] = 14.0
    cut_ratio: Annotated[
        float, Meta(ge=1, le=50, description="How many times larger than around it a change must be to be a cut.")
    ] = 3.0
    max_thumbnails: Annotated[
        int, Meta(ge=0, le=5000, description="At most this many faces get a picture of their own, the longest seen.")
    ] = 200


class TrackFacesInput(msgspec.Struct, frozen=True):
    detect_faces: Sequence[DetectFacesOutput]


class FaceTrack(Value, frozen=True):
    """One face followed through a shot: ``id`` 1, 2, 3 … in the order of first sights.

    ``start`` and ``end`` are the ticks of its first and last sight, ``sightings`` in how many pictures it was found,
    ``score`` how sure the model was of the best of them, whose ticks are ``best`` and box (``xyxy``) ``best_box``.
    """

    id: int
    start: int
    end: int
    sightings: int
    score: float
    best: int
    best_box: tuple[float, float, float, float]


class TrackFacesOutput(StageOutput, frozen=True):
    """Faces that were followed, picture by picture and as a list.

    Ticks are those of the file, of ``time_base`` seconds; ``origin`` is the stream's first timestamp. ``objects`` has
    an entry for every picture that was looked at and ``ids`` for every face; ``landmarks`` are as the faces lie there
    (little-endian float32, ten a face). ``cuts`` are the ticks at which another shot begins.
    """

    time_base: str
    origin: int
    tracks: list[FaceTrack]
    objects: ObjectColumns
    landmarks: bytes
    cuts: list[int]
    problems: list[str] = msgspec.field(default_factory=list)

    def pictures(self) -> Iterator[tuple[FrameObjects, Floats]]:
        """Every picture that was looked at, with its faces' landmarks ``(n, 5, 2)``."""
        points = np.frombuffer(self.landmarks, "<f4").reshape(-1, 5, 2)
        done = 0
        for frame in self.objects:
            yield frame, points[done : done + len(frame)]
            done += len(frame)


class TrackFaces:
    """Follow faces from picture to picture, up to the next cut."""

    name: ClassVar[str] = "track_faces"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[TrackFacesOptions]] = TrackFacesOptions
    Input: ClassVar[type[TrackFacesInput]] = TrackFacesInput
    Output: ClassVar[type[TrackFacesOutput]] = TrackFacesOutput

    def model_digests(self, options: TrackFacesOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: TrackFacesInput) -> TrackFacesOutput:
        options: TrackFacesOptions = ctx.options
        cuts = _cuts(data.detect_faces, options)
        linker = FaceLinker(reach=options.reach, lost_seconds=options.lost_seconds)
        numbers, time_base, origin = array("i"), Fraction(1), 0
        problems: list[str] = []
        passed = 0
        for done, chunk in enumerate(ctx.each(data.detect_faces)):
            if not done:
                time_base, origin = Fraction(chunk.time_base), chunk.origin
            problems += chunk.problems
            for picture in chunk.objects:
                at = float((picture.pts - origin) * time_base)
                while passed < len(cuts) and cuts[passed] <= at:
                    passed += 1
                    linker.cut()
                numbers.extend(linker.link(at, picture.boxes))
        return _output(data.detect_faces, np.array(numbers, np.int32), options, cuts, problems)


def _cuts(chunks: Sequence[DetectFacesOutput], options: TrackFacesOptions) -> list[float]:
    """Seconds at which another shot begins; a cut is told by what lies on both sides of it, chunks or not."""
    timestamps, change = array("d"), array("d")
    for chunk in chunks:
        timestamps.extend(chunk.change.timestamps)
        change.extend(chunk.change.change)
    signals = FrameSignals(timestamps=timestamps.tolist(), change=change.tolist(), histogram=[], luma=[])
    return find_cuts(signals, options.cut_change, options.cut_ratio)


def _output(
    chunks: Sequence[DetectFacesOutput],
    numbers: Integers,
    options: TrackFacesOptions,
    cuts: list[float],
    problems: list[str],
) -> TrackFacesOutput:
    """Number the tracks that count anew, and leave out what belongs to none of them."""
    known, sightings = np.unique(numbers, return_counts=True)
    kept = known[sightings >= options.min_sightings]
    ids = np.searchsorted(kept, numbers) + 1
    stays = np.isin(numbers, kept)
    tracks = _Tracks()
    columns, landmarks = ColumnsBuilder(), array("f")
    time_base, origin, done = "1", 0, 0
    for position, chunk in enumerate(chunks):
        if not position:
            time_base, origin = chunk.time_base, chunk.origin
        points = np.frombuffer(chunk.landmarks, "<f4").reshape(-1, 10)
        first = done
        for picture in chunk.objects:
            own = np.flatnonzero(stays[done : done + len(picture)])
            mine = ids[done + own].astype(np.int32)
            columns.add(picture.pts, picture.boxes[own], picture.scores[own], picture.kinds[own], mine)
            landmarks.frombytes(points[done - first + own].tobytes())
            tracks.add(picture.pts, picture.boxes[own], picture.scores[own], mine)
            done += len(picture)
    ticks = [origin + round(Fraction(cut) / Fraction(time_base)) for cut in cuts]
    return TrackFacesOutput(
        time_base=time_base,
        origin=origin,
        tracks=tracks.built(),
        objects=columns.build(),
        landmarks=landmarks.tobytes(),
        cuts=ticks,
        problems=problems,
        stats={
            "pictures": len(columns),
            "tracks": len(kept),
            "left_out": len(known) - len(kept),
            "faces": int(stays.sum()),
            "cuts": len(cuts),
        },
    )


class _Tracks:
    """Tracks as their sights come in."""

    def __init__(self) -> None:
        self._tracks: dict[int, FaceTrack] = {}

    def add(self, pts: int, boxes: Floats, scores: Floats, ids: Integers) -> None:
        for box, score, number in zip(boxes.tolist(), scores.tolist(), ids.tolist(), strict=True):
            before = self._tracks.get(number)
            if before is None:
                self._tracks[number] = FaceTrack(number, pts, pts, 1, score, pts, tuple(box))
                continue
            changes: dict[str, object] = {"end": pts, "sightings": before.sightings + 1}
            if _worth(box, score) > _worth(before.best_box, before.score):
                changes |= {"score": score, "best": pts, "best_box": tuple(box)}
            self._tracks[number] = msgspec.structs.replace(before, **changes)

    def built(self) -> list[FaceTrack]:
        tracks = (self._tracks[number] for number in sorted(self._tracks))
        return [msgspec.structs.replace(one, score=round(one.score, 4)) for one in tracks]


def _worth(box: Sequence[float], score: float) -> float:
    """How well a sight shows its face: surely, and large."""
    return score**2 * float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))

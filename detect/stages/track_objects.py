"""Follows objects from frame to frame: which boxes are the same car, the same person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.object_columns import ObjectColumns
from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.detect_each_frame import DetectEachFrameOutput
from detect.types import Value

if TYPE_CHECKING:
    from detect.resources import Resources


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
        raise NotImplementedError

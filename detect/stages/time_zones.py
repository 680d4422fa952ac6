"""Times zones and stops: when who was inside, when the car stood, all from presentation timestamps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.track_objects import TrackObjectsOutput
from detect.zones import Stop, Zone, ZoneTime

if TYPE_CHECKING:
    from detect.resources import Resources


class TimeZonesOptions(Options, frozen=True):
    """Options of :class:`TimeZones`."""

    zones: Annotated[tuple[Zone, ...], Meta(max_length=50, description="Polygons in which time is taken.")] = ()
    enter_seconds: Annotated[
        float, Meta(ge=0, le=10, description="Inside for less than this does not count as a visit, seconds.")
    ] = 0.2
    leave_seconds: Annotated[
        float, Meta(ge=0, le=10, description="Outside, or out of sight, for less than this does not end one, seconds.")
    ] = 0.5
    car_classes: Annotated[
        tuple[str, ...], Meta(description="Classes whose standing still is a stop, as the weights name them.")
    ] = ("car", "truck", "bus")
    stopped_speed: Annotated[
        float, Meta(ge=0.001, le=5, description="Slower than this a car stands: its own lengths a second.")
    ] = 0.1
    min_stop_seconds: Annotated[float, Meta(ge=0, le=60, description="Standing for less is no stop, seconds.")] = 0.5


class TimeZonesInput(msgspec.Struct, frozen=True):
    track_objects: TrackObjectsOutput


class TimeZonesOutput(StageOutput, frozen=True):
    """``zones`` in the order in which they were given; ``stops`` in the order of time.

    ``stop`` is the position in ``stops`` of the one that the metrics speak of, the longest; None without any.
    ``shapes`` are the zones as they were given, one for each of ``zones``: what is drawn into the video.
    """

    zones: list[ZoneTime]
    stops: list[Stop]
    stop: int | None = None
    shapes: tuple[Zone, ...] = ()


class TimeZones:
    """Take the time in zones and of stops."""

    name: ClassVar[str] = "time_zones"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[TimeZonesOptions]] = TimeZonesOptions
    Input: ClassVar[type[TimeZonesInput]] = TimeZonesInput
    Output: ClassVar[type[TimeZonesOutput]] = TimeZonesOutput

    def model_digests(self, options: TimeZonesOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: TimeZonesInput) -> TimeZonesOutput:
        raise NotImplementedError

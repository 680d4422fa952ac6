"""Times zones and stops: when who was inside, when the car stood, all from presentation timestamps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.track_objects import TrackObjectsOutput
from detect.stops import Standing, find_standing, longest, stops_of
from detect.tracked_paths import frame_times, tracked_paths
from detect.zone_polygons import Polygon
from detect.zone_timing import find_visits, zone_time
from detect.zones import Stop, Visit, Zone, ZoneTime, check_zones

if TYPE_CHECKING:
    from detect.resources import Resources


class TimeZonesOptions(Options, frozen=True):
    """Options of :class:`TimeZones`."""

    zones: Annotated[
        tuple[Zone, ...],
        Meta(
            max_length=50,
            description="Polygons in which time is taken, their points in fractions of the picture's width and height: "
            "0 to 1.",
        ),
    ] = ()
    enter_seconds: Annotated[
        float, Meta(ge=0, le=10, description="Inside for less than this does not count as a visit, seconds.")
    ] = 0.2
    leave_seconds: Annotated[
        float, Meta(ge=0, le=10, description="Outside, or out of sight, for less than this does not end one, seconds.")
    ] = 0.5
    car_classes: Annotated[
        tuple[str, ...],
        Meta(description="Classes whose standing still is a stop, as the weights name them; empty times none."),
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
    ``problems`` say what of the video was broken, and what could not be timed and why.
    """

    zones: list[ZoneTime]
    stops: list[Stop]
    stop: int | None = None
    shapes: tuple[Zone, ...] = ()
    problems: list[str] = msgspec.field(default_factory=list)


class TimeZones:
    """Take the time in zones and of stops."""

    name: ClassVar[str] = "time_zones"
    version: ClassVar[int] = 2
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[TimeZonesOptions]] = TimeZonesOptions
    Input: ClassVar[type[TimeZonesInput]] = TimeZonesInput
    Output: ClassVar[type[TimeZonesOutput]] = TimeZonesOutput

    def model_digests(self, options: TimeZonesOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: TimeZonesInput) -> TimeZonesOutput:
        options: TimeZonesOptions = ctx.options
        tracked = data.track_objects
        check_zones(options.zones, tracked.class_names)
        times = frame_times(tracked)
        size = ctx.source.width, ctx.source.height
        polygons = [Polygon.of(zone, *size) for zone in options.zones]
        visits: list[list[Visit]] = [[] for _ in options.zones]
        standing: list[Standing] = []
        for done, path in enumerate(tracked_paths(tracked, times), 1):
            ctx.checkpoint()
            for zone, polygon, own in zip(options.zones, polygons, visits, strict=True):
                if not zone.classes or path.label in zone.classes:
                    own.extend(
                        find_visits(
                            path,
                            polygon,
                            times,
                            enter_seconds=options.enter_seconds,
                            leave_seconds=options.leave_seconds,
                        )
                    )
            if path.label in options.car_classes:
                standing += find_standing(path, times, size, stopped_speed=options.stopped_speed)
            ctx.progress(done, max(done, len(tracked.tracks)))
        stops = stops_of(standing, min_stop_seconds=options.min_stop_seconds)
        return TimeZonesOutput(
            zones=[zone_time(zone, own) for zone, own in zip(options.zones, visits, strict=True)],
            stops=stops,
            stop=longest(stops),
            shapes=options.zones,
            problems=[*tracked.problems, *_problems(options, tracked)],
            stats={
                "zones": len(options.zones),
                "visits": sum(len(own) for own in visits),
                "stops": len(stops),
                "tracks": len(tracked.tracks),
            },
        )


def _problems(options: TimeZonesOptions, tracked: TrackObjectsOutput) -> list[str]:
    if not options.car_classes or set(options.car_classes) & set(tracked.class_names):
        return []
    wanted, known = ", ".join(options.car_classes), ", ".join(tracked.class_names) or "none"
    return [
        f"no stop can be timed: the weights know none of the classes that count as cars ({wanted}). They know {known}; "
        "set time_zones.car_classes to what they call a car"
    ]

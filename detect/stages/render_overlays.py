"""Draws boxes, zones and running times into every frame, and writes each chunk as H.264."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from detect.drawing.overlays import Overlay
from detect.media import VideoReader
from detect.media.picture_format import PictureFormat, picture_format
from detect.media.planes import PlaneCopier
from detect.media.windows import Window
from detect.media.writing import SegmentWriter
from detect.object_columns import FrameObjects, ObjectColumns
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.time_zones import TimeZonesOutput
from detect.stages.track_objects import TrackObjectsOutput
from detect.types import StoredFile

if TYPE_CHECKING:
    from detect.resources import Resources


class RenderOverlaysOptions(Options, frozen=True):
    """Options of :class:`RenderOverlays`."""

    boxes: Annotated[bool, Meta(description="Draw a box with class, id and confidence around each object.")] = True
    zones: Annotated[bool, Meta(description="Draw the zones with their running times.")] = True
    quality: Annotated[
        int, Meta(ge=10, le=40, description="Constant rate factor of H.264: lower is better and larger.")
    ] = 23


class RenderOverlaysInput(msgspec.Struct, frozen=True):
    video: Video
    track_objects: TrackObjectsOutput
    time_zones: TimeZonesOutput


class RenderOverlaysOutput(StageOutput, frozen=True):
    """``files`` holds the chunk's segment, whose packets need only be put one behind another; none without frames.

    ``first`` are the ticks, of ``time_base`` seconds as in the source, at which its first frame is shown.
    """

    files: list[StoredFile]
    frames: int
    first: int | None = None
    time_base: str = ""
    problems: list[str] = msgspec.field(default_factory=list)


class RenderOverlays:
    """Draw what was found into the video."""

    name: ClassVar[str] = "render_overlays"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[RenderOverlaysOptions]] = RenderOverlaysOptions
    Input: ClassVar[type[RenderOverlaysInput]] = RenderOverlaysInput
    Output: ClassVar[type[RenderOverlaysOutput]] = RenderOverlaysOutput

    def model_digests(self, options: RenderOverlaysOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: RenderOverlaysInput) -> RenderOverlaysOutput:
        assert ctx.files is not None
        path = Path(data.video.path)
        start, end = Fraction(data.video.start), Fraction(data.video.end) if data.video.end is not None else None
        picture = picture_format(path)
        overlay = _overlay(ctx.options, picture, data)
        frames, first = 0, None
        with VideoReader(path) as reader, ctx.files.draft(".mp4") as draft:
            copier = PlaneCopier(picture, reader.turn)
            window = Window(Fraction(1), start, end, reader.time_base)
            objects = _Objects(data.track_objects.objects, reader.origin, window)
            with SegmentWriter(draft, picture, quality=ctx.options.quality) as writer:
                for shown in reader.frames(start, end):
                    ctx.checkpoint()
                    frame, planes = copier.copy(shown.frame)
                    found = objects.at(shown.pts) if ctx.options.boxes else None
                    overlay.draw(planes, found, float(shown.at * reader.time_base))
                    writer.write(frame, shown.pts, shown.until - shown.at)
                    first = shown.pts if first is None else first
                    frames += 1
                    ctx.progress(frames, max(frames, objects.frames))
            files = [ctx.files.keep(draft)] if frames else []
            return RenderOverlaysOutput(
                files=files,
                frames=frames,
                first=first,
                time_base=str(reader.time_base),
                problems=reader.problems,
                stats={"frames": frames, "megabytes": round(sum(file.size_bytes for file in files) / 1e6, 2)},
            )


def _overlay(options: RenderOverlaysOptions, picture: PictureFormat, data: RenderOverlaysInput) -> Overlay:
    times = data.time_zones
    zones = list(zip(times.shapes, times.zones, strict=True)) if options.zones else []
    stop = times.stops[times.stop] if options.zones and times.stop is not None else None
    return Overlay(picture, data.track_objects.class_names, zones=zones, stop=stop)


class _Objects:
    """Objects of a chunk's frames, asked for in the order of time; ``frames`` is how many frames are expected."""

    def __init__(self, objects: ObjectColumns, origin: int, window: Window) -> None:
        start = origin + window.first_tick
        end = None if window.over_tick is None else origin + window.over_tick
        times = objects.times
        until = len(times) if end is None else int(np.searchsorted(times, end))
        self.frames = until - int(np.searchsorted(times, start))
        self._left = objects.frames(start, end)
        self._next = next(self._left, None)

    def at(self, pts: int) -> FrameObjects | None:
        """What is in the frame shown at ``pts`` ticks; None where nobody looked."""
        while self._next is not None and self._next.pts < pts:
            self._next = next(self._left, None)
        return self._next if self._next is not None and self._next.pts == pts else None

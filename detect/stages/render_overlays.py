"""Draws boxes, zones and running times into every frame, and writes each chunk as H.264."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

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
    """``files`` holds the chunk's segment, whose packets need only be put one behind another; none without frames."""

    files: list[StoredFile]
    frames: int
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
        raise NotImplementedError

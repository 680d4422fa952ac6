"""Finds objects in every frame of the video, for what has to be followed and timed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.object_columns import ObjectColumns
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video

if TYPE_CHECKING:
    from detect.resources import Resources


class DetectEachFrameOptions(Options, frozen=True):
    """Options of :class:`DetectEachFrame`."""

    keep_above: Annotated[
        float,
        Meta(ge=0.01, le=1, description="Objects the model is no surer of are left out; weak ones help to follow."),
    ] = 0.1
    iou: Annotated[
        float, Meta(ge=0.1, le=1, description="Of two boxes of one class that overlap more than this (IoU) one stays.")
    ] = 0.6
    classes: Annotated[
        tuple[str, ...], Meta(description="Class names to keep, as the weights name them; empty keeps all.")
    ] = ()
    max_per_frame: Annotated[
        int, Meta(ge=1, le=1000, description="At most this many objects of a frame are kept, the surest first.")
    ] = 100


class DetectEachFrameInput(msgspec.Struct, frozen=True):
    video: Video


class DetectEachFrameOutput(StageOutput, frozen=True):
    """Every frame of the chunk with what was found in it.

    ``origin`` is the stream's first timestamp and ``ended`` the tick at which the last frame of the chunk left the
    screen, both in ticks of ``time_base`` (``num/den`` seconds) as in the file. ``problems`` tell where it was broken.
    """

    time_base: str
    origin: int
    ended: int
    class_names: tuple[str, ...]
    objects: ObjectColumns
    problems: list[str] = msgspec.field(default_factory=list)


class DetectEachFrame:
    """Find objects in every frame with a YOLO model."""

    name: ClassVar[str] = "detect_each_frame"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "gpu"
    Options: ClassVar[type[DetectEachFrameOptions]] = DetectEachFrameOptions
    Input: ClassVar[type[DetectEachFrameInput]] = DetectEachFrameInput
    Output: ClassVar[type[DetectEachFrameOutput]] = DetectEachFrameOutput

    def model_digests(self, options: DetectEachFrameOptions, resources: Resources) -> tuple[str, ...]:
        """Raises ``WeightsError`` where there are no weights, saying where to put them."""
        return (resources.tracking_model().digest,)

    def run(self, ctx: StageContext, data: DetectEachFrameInput) -> DetectEachFrameOutput:
        raise NotImplementedError

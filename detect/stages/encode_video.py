"""Puts the segments of the annotated video together with the sound: one MP4 that plays while it loads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.render_overlays import RenderOverlaysOutput
from detect.types import StoredFile

if TYPE_CHECKING:
    from detect.resources import Resources


class EncodeVideoOptions(Options, frozen=True):
    """Options of :class:`EncodeVideo`."""

    sound: Annotated[bool, Meta(description="Keep the sound; what MP4 cannot hold is converted to AAC.")] = True


class EncodeVideoInput(msgspec.Struct, frozen=True):
    video: Video
    render_overlays: Sequence[RenderOverlaysOutput]


class EncodeVideoOutput(StageOutput, frozen=True):
    """``files`` holds the annotated video; ``sound`` says what became of the source's."""

    files: list[StoredFile]
    frames: int
    sound: Literal["none", "copied", "converted", "left out"] = "none"
    problems: list[str] = msgspec.field(default_factory=list)


class EncodeVideo:
    """Put the annotated video together."""

    name: ClassVar[str] = "encode_video"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[EncodeVideoOptions]] = EncodeVideoOptions
    Input: ClassVar[type[EncodeVideoInput]] = EncodeVideoInput
    Output: ClassVar[type[EncodeVideoOutput]] = EncodeVideoOutput

    def model_digests(self, options: EncodeVideoOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: EncodeVideoInput) -> EncodeVideoOutput:
        raise NotImplementedError

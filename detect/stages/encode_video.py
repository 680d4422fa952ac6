"""Puts the segments of the annotated video together with the sound: one MP4 that plays while it loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.errors import MediaError
from detect.media.sound import Sound
from detect.media.writing import Joined, Segment, join_segments
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
    """``files`` holds the annotated video, none without frames; ``sound`` says what became of the source's.

    ``start`` is when the first frame is shown, seconds of the annotated video as an exact fraction: as in the source,
    but 0 where the source starts before 0 or more than two seconds after it. A time of the video, which counts from the
    first frame, is that much later in the file.
    """

    files: list[StoredFile]
    frames: int
    start: str = "0"
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
        assert ctx.files is not None
        expected = sum(part.frames for part in data.render_overlays)
        problems = [problem for part in data.render_overlays for problem in part.problems]
        if not expected:
            return EncodeVideoOutput(files=[], frames=0, problems=[*problems, "there is no frame to make a video of"])

        def on_frame(done: int) -> None:
            ctx.checkpoint()
            ctx.progress(done, expected)

        with Sound(Path(data.video.path)) as sound, ctx.files.draft(".mp4") as draft:
            joined = join_segments(
                draft,
                _segments(ctx, data.render_overlays),
                time_base=next(Fraction(part.time_base) for part in data.render_overlays if part.frames),
                sound=sound if ctx.options.sound and sound.is_kept else None,
                on_frame=on_frame,
            )
            if joined.frames != expected:
                raise MediaError(f"{joined.frames} frames were joined where {expected} were drawn")
            kept = ctx.files.keep(draft)
            fate = sound.fate if ctx.options.sound or sound.fate == "none" else "left out"
            if ctx.options.sound and fate == "left out":
                problems.append("the sound cannot be decoded here; the annotated video has none")
            return _output(kept, joined, fate, problems)


def _output(
    kept: StoredFile, joined: Joined, fate: Literal["none", "copied", "converted", "left out"], problems: list[str]
) -> EncodeVideoOutput:
    return EncodeVideoOutput(
        files=[kept],
        frames=joined.frames,
        start=str(joined.start),
        sound=fate,
        problems=problems,
        stats={"frames": joined.frames, "sound": fate, "megabytes": round(kept.size_bytes / 1e6, 2)},
    )


def _segments(ctx: StageContext, parts: Sequence[RenderOverlaysOutput]) -> Iterator[Segment]:
    files = ctx.files
    assert files is not None
    for part in parts:
        if part.first is not None:
            yield Segment(partial(files.local, part.files[0]), part.first)

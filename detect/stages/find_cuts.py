"""Finds the first frame of every new shot with PySceneDetect, and how bright each frame is, for fades."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import partial
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from detect.media.ahead import read_ahead
from detect.media.pictures import Converter
from detect.media.reader import Shown, VideoReader
from detect.stages.base import Image, Needs, Options, StageContext, StageOutput, Video
from detect.types import SourceInfo

if TYPE_CHECKING:
    from detect.resources import Resources

# What cuts look like does not need more; a picture this long is compared in well under a millisecond.
_LONGEST_SIDE = 256
# How far before a window its last frames are looked for, seconds; further where frames are rare.
_BACK = (1, 8, 64, 512, 4096)
# The detectors only tell frames apart by their order here; a rate has to be named.
_ANY_RATE = 25.0


class FindCutsOptions(Options, frozen=True):
    """Options of :class:`FindCuts`."""

    detector: Annotated[
        Literal["adaptive", "content"],
        Meta(
            description="adaptive: a frame must differ from the one before by far more than its neighbours do, which"
            " fast camera moves do not; content: by more than a threshold."
        ),
    ] = "adaptive"
    adaptive_threshold: Annotated[
        float,
        Meta(ge=1, le=50, description="adaptive: how many times more than its neighbours the first frame differs."),
    ] = 3.0
    adaptive_window: Annotated[
        int, Meta(ge=1, le=30, description="adaptive: how many frames to either side count as neighbours.")
    ] = 2
    min_content: Annotated[
        float,
        Meta(ge=1, le=255, description="adaptive: by how much the first frame must differ all the same, 0-255."),
    ] = 25.0
    content_threshold: Annotated[
        float, Meta(ge=1, le=255, description="content: by how much the first frame must differ, 0-255.")
    ] = 27.0
    chunk_seconds: Annotated[
        int, Meta(ge=5, le=600, description="Length of the windows that are worked on one by one, seconds.")
    ] = 60


class FindCutsInput(msgspec.Struct, frozen=True):
    video: Video


class FindCutsOutput(StageOutput, frozen=True):
    """Every frame of the chunk, and which of them begin another shot.

    Ticks are those of the file, of ``time_base`` seconds; ``origin`` is the stream's first timestamp and ``ended`` the
    tick at which the chunk's last frame left the screen, ``origin`` where it has none. ``pts`` (little-endian int64)
    and ``brightness`` (float32, mean of all colours, 0-255) have an entry a frame; ``cuts`` are ticks.
    """

    time_base: str
    origin: int
    ended: int
    pts: bytes
    brightness: bytes
    cuts: list[int]
    problems: list[str] = msgspec.field(default_factory=list)


class FindCuts:
    """Find the first frames of new shots."""

    name: ClassVar[str] = "find_cuts"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[FindCutsOptions]] = FindCutsOptions
    Input: ClassVar[type[FindCutsInput]] = FindCutsInput
    Output: ClassVar[type[FindCutsOutput]] = FindCutsOutput

    def model_digests(self, options: FindCutsOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: FindCutsInput) -> FindCutsOutput:
        """Raises ``MediaError`` for a video that cannot be read."""
        start, end = Fraction(data.video.start), None if data.video.end is None else Fraction(data.video.end)
        expected = _expected_frames(ctx.source, start, end)
        around = ctx.options.adaptive_window if ctx.options.detector == "adaptive" else 0
        compared, pts, brightness = _Compared(ctx.options), array("q"), array("f")
        with VideoReader(data.video.path) as reader:
            small = _Small(ctx.source)
            for shown_pts, picture in _pictures_before(reader, start, around + 1, small):
                compared.add(shown_pts, picture)
            ended = reader.origin
            with read_ahead(_copies(reader.frames(start, end), small), 8) as pictures:
                for shown_pts, until, picture in pictures:
                    ctx.checkpoint()
                    compared.add(shown_pts, picture)
                    pts.append(shown_pts)
                    brightness.append(float(picture.mean()))
                    ended = reader.origin + until
                    ctx.progress(len(pts), max(expected, len(pts)))
            if 0 < len(pts) < expected:
                ctx.progress(len(pts), len(pts))
            problems = reader.problems
            if end is not None and pts:
                for shown in islice(reader.frames(end), around):
                    compared.add(*small.copy(shown))
            cuts = [tick for tick in compared.cuts if pts and pts[0] <= tick <= pts[-1]]
            return FindCutsOutput(
                time_base=str(reader.time_base),
                origin=reader.origin,
                ended=ended,
                pts=np.array(pts, "<i8").tobytes(),
                brightness=np.array(brightness, "<f4").tobytes(),
                cuts=cuts,
                problems=problems,
                stats={"frames": len(pts), "cuts": len(cuts)},
            )


class _Compared:
    """Frames given to the detector in their order; ``cuts`` are the ticks of those that begin another shot.

    The detector is told of positions, not of times: whether the rate varies is nothing to it, and what it finds is a
    frame that was given to it, exactly.
    """

    def __init__(self, options: FindCutsOptions) -> None:
        from scenedetect import FrameTimecode

        self._position = partial(FrameTimecode, fps=_ANY_RATE)
        self._detector = _detector(options)
        self._pts: list[int] = []
        self.cuts: list[int] = []

    def add(self, pts: int, picture: Image) -> None:
        position = self._position(len(self._pts))
        self._pts.append(pts)
        self.cuts += [self._pts[cut.frame_num] for cut in self._detector.process_frame(position, picture)]


def _detector(options: FindCutsOptions) -> Any:
    """PySceneDetect's detector. Scenes that are too short are seen to later, where all cuts are known."""
    from scenedetect import AdaptiveDetector, ContentDetector

    if options.detector == "content":
        return ContentDetector(threshold=options.content_threshold, min_scene_len=0)
    return AdaptiveDetector(
        adaptive_threshold=options.adaptive_threshold,
        min_scene_len=0,
        window_width=options.adaptive_window,
        min_content_val=options.min_content,
    )


class _Small:
    """Makes small pictures of frames, of one size for the whole video even where that of its frames changes."""

    def __init__(self, source: SourceInfo) -> None:
        scale = min(1.0, _LONGEST_SIDE / max(source.width, source.height))
        self._size = max(16, round(source.width * scale)), max(16, round(source.height * scale))
        self._converter = Converter()

    def copy(self, shown: Shown) -> tuple[int, Image]:
        """The frame's ticks, and a ``(height, width, 3)`` BGR picture of it, not turned upright."""
        return shown.pts, self._converter.convert(shown.frame, *self._size, "bgr24").to_ndarray()


def _copies(frames: Iterable[Shown], small: _Small) -> Iterator[tuple[int, int, Image]]:
    for shown in frames:
        pts, picture = small.copy(shown)
        yield pts, shown.until, picture


def _pictures_before(reader: VideoReader, start: Fraction, count: int, small: _Small) -> Iterable[tuple[int, Image]]:
    """The last ``count`` frames before ``start``, or as many as there are."""
    found: deque[tuple[int, Image]] = deque()
    for back in _BACK if start > 0 else ():
        found = deque(map(small.copy, reader.frames(max(Fraction(0), start - back), start)), maxlen=count)
        if len(found) == count or start <= back:
            break
    return found


def _expected_frames(source: SourceInfo, start: Fraction, end: Fraction | None) -> int:
    """About how many frames a window has; videos do not have to keep to their rate."""
    until = Fraction(str(source.duration)) if end is None else end
    return max(1, ceil((until - start) * Fraction(source.frame_rate)))

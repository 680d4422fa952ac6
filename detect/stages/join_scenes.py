"""Puts cuts and fades together into scenes: from which frame to which, and what each looks like in its middle."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.find_cuts import FindCutsOutput
from detect.types import Value

if TYPE_CHECKING:
    from detect.resources import Resources

Boundary = Literal["start", "cut", "fade"]
Brightness = npt.NDArray[np.float32]

# The detector only tells frames apart by their order here; a rate has to be named.
_ANY_RATE = 25.0
# Near black, colours jump although nothing is to be seen: what looks like a cut there is a step of a fade if over so
# many frames it goes on getting darker, or brighter, by this much. Black is near below so many times its limit.
_RAMP_FRAMES, _RAMP, _NEAR_BLACK = 6, 0.75, 3


class JoinScenesOptions(Options, frozen=True):
    """Options of :class:`JoinScenes`."""

    min_scene_seconds: Annotated[
        float,
        Meta(ge=0, le=60, description="A scene shorter than this goes on in the one before it, seconds."),
    ] = 0.3
    fades: Annotated[bool, Meta(description="Also part scenes in the middle of a fade to black and back.")] = True
    fade_below: Annotated[
        int, Meta(ge=1, le=254, description="A frame whose mean brightness is less than this is black, 0-255.")
    ] = 8
    max_thumbnails: Annotated[
        int, Meta(ge=0, le=5000, description="At most this many scenes get a picture, the longest.")
    ] = 300


class JoinScenesInput(msgspec.Struct, frozen=True):
    find_cuts: Sequence[FindCutsOutput]


class Scene(Value, frozen=True):
    """One scene: ``[start, end)`` ticks, and what parts it from the one before: a ``cut`` or a ``fade``.

    ``start`` is when its first frame appears; ``first_frame`` is that frame's position in the video, from 0, and
    ``frames`` how many it has. ``middle`` are the ticks of the frame on screen halfway through.
    """

    number: int
    start: int
    end: int
    first_frame: int
    frames: int
    middle: int
    boundary: Boundary


class JoinScenesOutput(StageOutput, frozen=True):
    """The scenes of the video, without gaps, in order; none where no frame of it could be read.

    Ticks are those of the file, of ``time_base`` seconds; ``origin`` is the stream's first timestamp.
    """

    time_base: str
    origin: int
    scenes: list[Scene]
    problems: list[str] = msgspec.field(default_factory=list)


class JoinScenes:
    """Make scenes of cuts and fades."""

    name: ClassVar[str] = "join_scenes"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[JoinScenesOptions]] = JoinScenesOptions
    Input: ClassVar[type[JoinScenesInput]] = JoinScenesInput
    Output: ClassVar[type[JoinScenesOutput]] = JoinScenesOutput

    def model_digests(self, options: JoinScenesOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: JoinScenesInput) -> JoinScenesOutput:
        options: JoinScenesOptions = ctx.options
        video = _Video.of(ctx.each(data.find_cuts))
        cuts = [cut for cut in video.cuts if not _is_step_of_fade(cut, video.brightness, options.fade_below)]
        found: dict[int, Boundary] = {}
        if options.fades:
            found.update((position, "fade") for position in _fades(video.brightness, options.fade_below, cuts))
        found.update((position, "cut") for position in cuts)
        kept = _long_enough(sorted(found), video, Fraction(str(options.min_scene_seconds)))
        scenes = list(_scenes(kept, found, video))
        kinds = [scene.boundary for scene in scenes]
        return JoinScenesOutput(
            time_base=str(video.time_base),
            origin=video.origin,
            scenes=scenes,
            problems=video.problems,
            stats={
                "frames": len(video.pts),
                "scenes": len(scenes),
                "cuts": kinds.count("cut"),
                "fades": kinds.count("fade"),
                "too_short": len(found) - len(kept),
            },
        )


@dataclass(frozen=True)
class _Video:
    """The frames of the video: ``pts`` ticks and ``brightness`` of each; ``cuts`` are positions among them."""

    time_base: Fraction
    origin: int
    ended: int
    pts: npt.NDArray[np.int64]
    brightness: Brightness
    cuts: list[int]
    problems: list[str]

    @classmethod
    def of(cls, chunks: Iterator[FindCutsOutput]) -> _Video:
        time_base, origin, ended = Fraction(1), 0, 0
        pts, brightness = array("q"), array("f")
        cuts: list[int] = []
        problems: list[str] = []
        for chunk in chunks:
            time_base, origin = Fraction(chunk.time_base), chunk.origin
            pts.frombytes(chunk.pts)
            brightness.frombytes(chunk.brightness)
            cuts += chunk.cuts
            problems += chunk.problems
            if chunk.pts:
                ended = chunk.ended
        times = np.array(pts, np.int64)
        positions = np.searchsorted(times, np.array(cuts, np.int64)).tolist()
        return cls(time_base, origin, ended, times, np.array(brightness, np.float32), positions, problems)

    def lasts(self, start: int, end: int) -> Fraction:
        """Seconds from one frame to another; a position behind the last frame is where that one ends."""
        return Fraction(self.tick(end) - self.tick(start)) * self.time_base

    def tick(self, position: int) -> int:
        return int(self.pts[position]) if position < len(self.pts) else self.ended


def _is_step_of_fade(cut: int, brightness: Brightness, below: int) -> bool:
    """Whether a cut lies within black, or on the way there or back from there."""
    before, after = brightness[max(0, cut - _RAMP_FRAMES) : cut], brightness[cut : cut + _RAMP_FRAMES]
    last, first = before[-1], after[0]
    if max(last, first) < below:
        return True
    if min(last, first) >= _NEAR_BLACK * below:
        return False
    return bool(last < _RAMP * before.max() if first < last else first < _RAMP * after.max())


def _fades(brightness: Brightness, below: int, cuts: Sequence[int]) -> Iterator[int]:
    """Positions of the frames in the middle of black, between two scenes that no cut parts already.

    PySceneDetect's detector wants pictures, but only to know how bright they are.
    """
    from scenedetect import FrameTimecode, ThresholdDetector

    detector = ThresholdDetector(threshold=below, min_scene_len=0)
    lit = np.flatnonzero(brightness >= below)
    for position, level in enumerate(brightness):
        for fade in detector.process_frame(FrameTimecode(position, fps=_ANY_RATE), np.full((1, 1), level)):
            middle = fade.frame_num
            after = int(np.searchsorted(lit, middle))
            if after and not any(lit[after - 1] < cut <= lit[after] for cut in cuts):
                yield middle


def _long_enough(positions: Sequence[int], video: _Video, least: Fraction) -> list[int]:
    """Those of the positions at which a scene begins that lasts for ``least`` seconds; the first of two stays."""
    kept: list[int] = []
    for position in positions:
        if position and video.lasts(kept[-1] if kept else 0, position) >= least:
            kept.append(position)
    while kept and video.lasts(kept[-1], len(video.pts)) < least:
        kept.pop()
    return kept


def _scenes(starts: Sequence[int], kinds: dict[int, Boundary], video: _Video) -> Iterator[Scene]:
    """The scenes between the start of the video, the positions given and its end."""
    if not len(video.pts):
        return
    firsts = [0, *starts]
    for number, (first, after) in enumerate(zip(firsts, [*starts, len(video.pts)], strict=True), 1):
        start, end = video.tick(first), video.tick(after)
        middle = max(first, int(np.searchsorted(video.pts, (start + end) // 2, side="right")) - 1)
        yield Scene(
            number=number,
            start=start,
            end=end,
            first_frame=first,
            frames=after - first,
            middle=video.tick(middle),
            boundary=kinds[first] if first else "start",
        )

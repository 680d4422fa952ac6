"""Videos made of scenes: each a texture of its own that moves slowly, as a camera does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detect.media.probe import probe
from detect.stages.base import Image, StageContext, Video
from detect.stages.find_cuts import FindCuts, FindCutsInput, FindCutsOptions, FindCutsOutput
from detect.stages.join_scenes import JoinScenes, JoinScenesInput, JoinScenesOptions, JoinScenesOutput
from tests.media.clips import write_clip
from tests.stages.pictures import context

WIDTH, HEIGHT = 160, 90


@dataclass(frozen=True)
class Take:
    """``frames`` of the texture ``seed``, moving ``step`` pixels a frame; ``gains`` dim the first ones of them."""

    seed: int
    frames: int
    step: int = 1
    gains: tuple[float, ...] = ()


def pictures(takes: Sequence[Take]) -> Iterator[Image]:
    for take in takes:
        texture = _texture(take.seed)
        for number in range(take.frames):
            picture = np.roll(texture, number * take.step, axis=1)[:, :WIDTH]
            gain = take.gains[number] if number < len(take.gains) else 1.0
            yield (picture * gain).astype(np.uint8)


def write_takes(path: Path, takes: Sequence[Take], **settings: Any) -> Path:
    return write_clip(path, pictures(takes), size=(WIDTH, HEIGHT), **settings)


def first_frames(takes: Sequence[Take]) -> list[int]:
    """Positions of the first frames of all takes but the first."""
    return np.cumsum([take.frames for take in takes])[:-1].tolist()


def find_scenes(
    video: Path, windows: Sequence[str | Fraction] = ("0",), *, join: JoinScenesOptions | None = None, **options: Any
) -> JoinScenesOutput:
    """Scenes of the video, cut into windows that begin at these seconds."""
    starts = [str(start) for start in windows]
    parts = [find_cuts(video, start, end, **options) for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return join_scenes(parts, join)


def find_cuts(video: Path, start: str = "0", end: str | None = None, **options: Any) -> FindCutsOutput:
    extra = {name: options.pop(name) for name in ("progress", "checkpoint") if name in options}
    ctx = context(FindCutsOptions(**options), {}, **extra)
    ctx = StageContext(**{**ctx.__dict__, "source": probe(video).source_info()})
    return FindCuts().run(ctx, FindCutsInput(Video(str(video), start, end)))


def join_scenes(parts: Sequence[FindCutsOutput], options: JoinScenesOptions | None = None) -> JoinScenesOutput:
    return JoinScenes().run(context(options or JoinScenesOptions(), {}), JoinScenesInput(parts))


@cache
def _texture(seed: int) -> Image:
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 256, (6, 20, 3)).astype(np.uint8)
    return cv2.resize(coarse, (WIDTH * 2, HEIGHT), interpolation=cv2.INTER_CUBIC)

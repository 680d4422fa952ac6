"""A stage's surroundings made of pictures in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detect.resources import Resources
from detect.stages.base import Image, StageContext
from detect.stages.filter_scenes import FilterScenesOutput
from detect.types import KnownBrands, SourceInfo


@dataclass
class Pictures:
    """A :class:`~detect.stages.base.FrameSource` that only reads, and notes what was asked for."""

    by_sequence: dict[int, Image]

    def __post_init__(self) -> None:
        self.loaded: list[int] = []

    def load(self, sequence: int) -> Image:
        self.loaded.append(sequence)
        return self.by_sequence[sequence].copy()

    def load_jpeg(self, sequence: int) -> bytes:
        raise NotImplementedError

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        raise NotImplementedError


def context(options: Any, pictures: dict[int, Image], resources: Resources | None = None, **extra: Any) -> StageContext:
    """What a stage gets for these pictures; ``extra`` may set ``progress`` and ``checkpoint``."""
    height, width = next(iter(pictures.values()), np.zeros((72, 128, 3), np.uint8)).shape[:2]
    source = SourceInfo(
        path="clip.mp4",
        sha256="0" * 64,
        duration=10.0,
        width=width,
        height=height,
        frame_rate="25",
        variable_frame_rate=False,
        start_time=0.0,
    )
    return StageContext(
        source=source,
        options=options,
        frames=Pictures(pictures),
        known_brands=KnownBrands(),
        resources=resources or Resources(),
        **extra,
    )


def kept(*sequences: int) -> FilterScenesOutput:
    return FilterScenesOutput(kept=list(sequences), stands_for={}, cuts=[])

"""Small videos on which a text comes and goes as it is told to, and the ends of its track."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from detect.motion import cut_patch
from detect.stages.base import Image
from detect.stages.extract_frames import ExtractFramesOutput
from detect.track_ends import Side, TrackEnd
from detect.types import Box, Edge, FrameSignals, Sample
from tests.media.clips import write_clip

RATE, SIZE = 25, (640, 360)
SAMPLED = 12  # frames from one sample to the next
TEXT_AT = (300, 200)
PLATE = 168, 38
#: Around the lettering.
PLACE = Box(TEXT_AT[0], TEXT_AT[1], TEXT_AT[0] + 160, TEXT_AT[1] + 30)

Draw = Callable[[int], Image]


class Stage:
    """A textured background seen by a camera that may pan, and a plate with lettering in front of it."""

    def __init__(self) -> None:
        noise = np.random.default_rng(3).integers(40, 200, (90, 400), np.uint8)
        self._world = cv2.resize(noise, (1600, 360), interpolation=cv2.INTER_CUBIC)

    def picture(
        self, *, opacity: float = 1.0, pan: int = 0, at: tuple[int, int] = TEXT_AT, text: str = "MORVASTO"
    ) -> Image:
        world = self._world.copy()
        x, y = at
        plain = world.copy()
        cv2.rectangle(world, (x - 4, y - 4), (x - 4 + PLATE[0], y - 4 + PLATE[1]), 235, -1)
        cv2.putText(world, text, (x, y + 25), cv2.FONT_HERSHEY_DUPLEX, 0.95, 20, 2, cv2.LINE_AA)
        world = cv2.addWeighted(world, opacity, plain, 1 - opacity, 0)
        seen = np.ascontiguousarray(world[:, pan : pan + SIZE[0]])
        return cv2.cvtColor(seen, cv2.COLOR_GRAY2BGR)


STAGE = Stage()


def quad(left: float = TEXT_AT[0], top: float = TEXT_AT[1]) -> np.ndarray:
    return np.array([[left, top], [left + 160, top], [left + 160, top + 30], [left, top + 30]], np.float32)


def end_of(side: Side, sample: int, picture: Image, *, place: np.ndarray, beyond: np.ndarray) -> TrackEnd:
    patch = cut_patch(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), place, 128)
    return TrackEnd(7, side, sample, place, patch, beyond, fixed=bool((place == beyond).all()))


def video(folder: Path, draw: Draw, frames: int = 3 * SAMPLED + 1, **how: object) -> Path:
    pictures = (draw(number) for number in range(frames))
    return write_clip(folder / "clip.mp4", pictures, rate=RATE, size=SIZE, b_frames=1, **how)  # type: ignore[arg-type]


def extracted(frames: int = 3 * SAMPLED + 1) -> ExtractFramesOutput:
    samples = [
        Sample(number // SAMPLED, number / RATE, "0", "", (number + 1) / RATE) for number in range(0, frames, SAMPLED)
    ]
    return ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []))


def covers(edge: Edge, frame: float) -> bool:
    """Whether what is stated covers a change that ``frame`` is the first to show; one frame is always allowed."""
    return abs(edge.time - frame / RATE) <= max(edge.uncertainty, 1 / RATE) + 1e-6


def still(side: Side, sample: int) -> TrackEnd:
    return end_of(side, sample, STAGE.picture(), place=quad(), beyond=quad())

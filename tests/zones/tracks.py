"""Followed objects made of exact ways, as the tracking stage hands them on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from detect.object_columns import ColumnsBuilder
from detect.resources import Resources
from detect.stages.base import StageContext
from detect.stages.time_zones import TimeZones, TimeZonesInput, TimeZonesOptions, TimeZonesOutput
from detect.stages.track_objects import Track, TrackObjectsOutput
from detect.types import KnownBrands
from detect.zones import Zone
from tests.stages.memory_frames import SOURCE, MemoryFrames

WIDTH, HEIGHT = 1280, 720
TICKS = 90_000
CLASSES = ("person", "car", "truck")

Way = Callable[[float], tuple[float, float] | None]


@dataclass(frozen=True)
class Seen:
    """One object: ``way`` gives the middle of its lower edge at a time, None where it is not seen there.

    Each edge of its box trembles by ``jitter`` pixels, anew in each frame or drifting over ``drift`` seconds.
    """

    way: Way
    label: str = "car"
    size: tuple[float, float] = (300, 120)
    jitter: float = 0.0
    drift: float = 0.0
    interpolated: tuple[float, float] = (0.0, 0.0)


def ticks(rate: Fraction | float, seconds: float) -> list[int]:
    """Timestamps of a constant rate, in ticks."""
    return [round(number * TICKS / Fraction(rate)) for number in range(int(seconds * rate))]


def uneven_ticks(rng: np.random.Generator, seconds: float) -> list[int]:
    """Timestamps of frames that follow each other after 15 to 60 ms."""
    steps = rng.integers(TICKS * 15 // 1000, TICKS * 60 // 1000, int(seconds * 60))
    times = np.concatenate([[0], np.cumsum(steps)])
    return [int(one) for one in times[times < seconds * TICKS]]


def tracked(
    times: Sequence[int], *objects: Seen, origin: int = 0, rng: np.random.Generator | None = None
) -> TrackObjectsOutput:
    """What the tracking stage would say of ``objects`` in frames at ``times`` ticks after ``origin``."""
    rng = rng or np.random.default_rng(0)
    builder = ColumnsBuilder()
    sightings: dict[int, list[int]] = {}
    trembling: dict[int, tuple[npt.NDArray[np.float64], float]] = {}
    for tick in times:
        boxes: list[npt.NDArray[np.float64]] = []
        scores: list[float] = []
        ids: list[int] = []
        for number, one in enumerate(objects, 1):
            at = tick / TICKS
            place = one.way(at)
            if place is None:
                continue
            (x, y), (width, height) = place, one.size
            off = rng.normal(0, 1, 4)
            if one.drift and number in trembling:
                before, sight = trembling[number]
                alike = math.exp((sight - at) / one.drift)
                off = alike * before + math.sqrt(1 - alike**2) * off
            trembling[number] = off, at
            boxes.append(np.array([x - width / 2, y - height, x + width / 2, y]) + off * one.jitter)
            scores.append(0.0 if one.interpolated[0] <= at < one.interpolated[1] else 0.9)
            ids.append(number)
            sightings.setdefault(number, []).append(tick + origin)
        kinds = [CLASSES.index(objects[number - 1].label) for number in ids]
        builder.add(tick + origin, np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), kinds, ids)
    last = times[-1] - times[-2] if len(times) > 1 else TICKS // 25
    return TrackObjectsOutput(
        time_base=f"1/{TICKS}",
        origin=origin,
        ended=times[-1] + last + origin,
        class_names=CLASSES,
        tracks=[
            Track(number, objects[number - 1].label, seen[0], seen[-1], len(seen), 0.9)
            for number, seen in sightings.items()
        ],
        objects=builder.build(),
    )


def zone(*points: tuple[float, float], name: str = "box", **fields: Any) -> Zone:
    """A zone by its corners in pixels."""
    return Zone(name=name, points=tuple((x / WIDTH, y / HEIGHT) for x, y in points), **fields)


def square(left: float, top: float, right: float, bottom: float, **fields: Any) -> Zone:
    return zone((left, top), (right, top), (right, bottom), (left, bottom), **fields)


def timed(found: TrackObjectsOutput, *zones: Zone, **options: Any) -> TimeZonesOutput:
    """What the stage makes of it."""
    source = msgspec.structs.replace(SOURCE, width=WIDTH, height=HEIGHT)
    chosen = TimeZonesOptions(zones=zones, **options)
    context = StageContext(source, chosen, MemoryFrames(), KnownBrands(), Resources())
    return TimeZones().run(context, TimeZonesInput(found))

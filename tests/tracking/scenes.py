"""Frames with objects in them, as :class:`~detect.stages.detect_each_frame.DetectEachFrame` gives them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from detect.object_columns import ColumnsBuilder
from detect.resources import Resources
from detect.stages.detect_each_frame import DetectEachFrameOutput
from detect.stages.track_objects import TrackObjects, TrackObjectsInput, TrackObjectsOptions, TrackObjectsOutput
from tests.stages.pictures import context

NAMES = ("person", "car", "bus")
#: A class, a score and ``xyxy``.
Thing = tuple[str, float, tuple[float, float, float, float]]
#: A time in thousandths of a second and what was seen then.
Frame = tuple[int, Sequence[Thing]]


def box_at(x: float, y: float, width: float = 60, height: float = 120) -> tuple[float, float, float, float]:
    """A box around a centre."""
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def chunks(frames: Sequence[Frame], *, size: int = 10, names: tuple[str, ...] = NAMES, last: int = 40):
    """The frames in chunks of ``size``; the last one stays for ``last`` thousandths of a second."""
    outputs = []
    for start in range(0, max(1, len(frames)), size):
        columns = ColumnsBuilder()
        for pts, things in frames[start : start + size]:
            columns.add(
                pts,
                np.array([box for _, _, box in things], np.float32).reshape(-1, 4),
                np.array([score for _, score, _ in things], np.float32),
                [names.index(name) for name, _, _ in things],
            )
        after = frames[start + size : start + size + 1]
        outputs.append(
            DetectEachFrameOutput(
                time_base=str(Fraction(1, 1000)),
                origin=frames[0][0] if frames else 0,
                ended=after[0][0] if after else (frames[-1][0] + last if frames else 0),
                class_names=names,
                objects=columns.build(),
            )
        )
    return outputs


def track(outputs: Sequence[DetectEachFrameOutput], *, progress=None, checkpoint=None, **options) -> TrackObjectsOutput:
    """Run the stage on chunk outputs."""
    calls = {name: call for name, call in (("progress", progress), ("checkpoint", checkpoint)) if call}
    ctx = context(TrackObjectsOptions(**options), {}, Resources(), **calls)
    return TrackObjects().run(ctx, TrackObjectsInput(detect_each_frame=outputs))


def ids_by_frame(output: TrackObjectsOutput) -> list[list[int]]:
    return [frame.ids.tolist() for frame in output.objects]

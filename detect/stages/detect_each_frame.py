"""Finds objects in every frame of the video, for what has to be followed and timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from detect.engines.objects import Detections, check_classes
from detect.media.ahead import read_ahead
from detect.media.reader import VideoReader
from detect.object_columns import ColumnsBuilder, ObjectColumns
from detect.stages.base import Image, Needs, Options, StageContext, StageOutput, Stats, Video
from detect.types import SourceInfo

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
    model: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9_]*$",
            description="The weights to use: pitstop, those of pit stops, or a model that the pipeline declares.",
        ),
    ] = "pitstop"


class DetectEachFrameInput(msgspec.Struct, frozen=True):
    video: Video


class DetectEachFrameOutput(StageOutput, frozen=True):
    """Every frame of the chunk with what was found in it.

    ``origin`` is the stream's first timestamp and ``ended`` the tick at which the last frame of the chunk left the
    screen, both in ticks of ``time_base`` (``num/den`` seconds) as in the file; where the chunk has no frame, ``ended``
    is ``origin``. ``problems`` tell where it was broken.
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
        return (resources.tracking_model(options.model).digest,)

    def run(self, ctx: StageContext, data: DetectEachFrameInput) -> DetectEachFrameOutput:
        """Raises ``WeightsError`` for weights that cannot be used or that lack a class asked for, ``StorageError``
        while they cannot be fetched, ``MediaError`` for a video that cannot be read.
        """
        options: DetectEachFrameOptions = ctx.options
        model = ctx.resources.tracking_model(options.model)
        detector = model.open()
        check_classes("detect_each_frame.classes", options.classes, detector, model.name)
        start, end = Fraction(data.video.start), None if data.video.end is None else Fraction(data.video.end)
        expected = _expected_frames(ctx.source, start, end)
        found, size = _Found(options, detector.class_names), detector.batch_size
        with VideoReader(data.video.path) as reader:
            with read_ahead(_pictures(reader, start, end), 2 * size) as pictures:
                while batch := list(_checked(islice(pictures, size), ctx)):
                    images = [picture.image for picture in batch]
                    answers = detector.detect_many(images, confidence=options.keep_above, iou=options.iou)
                    for picture, answer in zip(batch, answers, strict=True):
                        found.add(picture, answer)
                        ctx.progress(len(found), max(expected, len(found)))
            if 0 < len(found) < expected:
                ctx.progress(len(found), len(found))
            return DetectEachFrameOutput(
                time_base=str(reader.time_base),
                origin=reader.origin,
                ended=reader.origin + found.until,
                class_names=detector.class_names,
                objects=found.columns.build(),
                problems=reader.problems,
                stats={"weights": model.name, **found.stats(), "device": detector.device},
            )


@dataclass(frozen=True)
class _Picture:
    """A frame ready for the detector; ``until`` is when it left the screen, in ticks after the first."""

    pts: int
    until: int
    image: Image


class _Found:
    """What was found so far."""

    def __init__(self, options: DetectEachFrameOptions, names: tuple[str, ...]) -> None:
        self.columns = ColumnsBuilder()
        self.until = 0
        self._most, self._names = options.max_per_frame, names
        self._wanted = [index for index, name in enumerate(names) if not options.classes or name in options.classes]
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self.columns)

    def add(self, picture: _Picture, found: Detections) -> None:
        chosen = np.flatnonzero(np.isin(found.kinds, self._wanted))[: self._most]
        kinds = found.kinds[chosen]
        self.columns.add(picture.pts, found.boxes[chosen].astype(np.float32), found.scores[chosen], kinds)
        self._counts.update(self._names[kind] for kind in kinds.tolist())
        self.until = picture.until

    def stats(self) -> Stats:
        labels = {f"objects_{label.replace(' ', '_')}": count for label, count in sorted(self._counts.items())}
        return {"frames": len(self), "objects": self._counts.total(), **labels}


def _pictures(reader: VideoReader, start: Fraction, end: Fraction | None) -> Iterator[_Picture]:
    for shown in reader.frames(start, end):
        yield _Picture(shown.pts, shown.until, reader.upright(shown.frame))


def _checked(pictures: Iterator[_Picture], ctx: StageContext) -> Iterator[_Picture]:
    for picture in pictures:
        ctx.checkpoint()
        yield picture


def _expected_frames(source: SourceInfo, start: Fraction, end: Fraction | None) -> int:
    """About how many frames a window has; videos do not have to keep to their rate."""
    until = Fraction(str(source.duration)) if end is None else end
    return max(1, ceil((until - start) * Fraction(source.frame_rate)))

"""Finds faces in pictures of the video, several a second: near enough to each other to follow every face."""

from __future__ import annotations

from array import array
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from detect.engines.faces import FaceDetector, Faces
from detect.media.ahead import read_ahead
from detect.media.reader import VideoReader
from detect.object_columns import ColumnsBuilder, ObjectColumns
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.types import FrameSignals

if TYPE_CHECKING:
    from detect.resources import Resources

MODEL = "faces"


class DetectFacesOptions(Options, frozen=True):
    """Options of :class:`DetectFaces`."""

    fps: Annotated[
        float, Meta(ge=0.2, le=60, description="How many pictures a second are looked at; below 3 tracks break.")
    ] = 10.0
    min_score: Annotated[
        float, Meta(ge=0.1, le=1, description="Faces the model is less sure of are left out; dim footage needs 0.6.")
    ] = 0.6
    min_size: Annotated[
        int, Meta(ge=4, le=2000, description="Faces smaller than this both ways are left out, pixels of the video.")
    ] = 16
    longest_side: Annotated[
        int,
        Meta(ge=160, le=3840, description="Pictures with a longer side are made this small to be looked at, pixels."),
    ] = 960
    chunk_seconds: Annotated[
        int, Meta(ge=5, le=600, description="Length of the windows that are worked on one by one, seconds.")
    ] = 30


class DetectFacesInput(msgspec.Struct, frozen=True):
    video: Video


class DetectFacesOutput(StageOutput, frozen=True):
    """The pictures of the chunk that were looked at, with the faces found in each.

    ``origin`` is the stream's first timestamp, in ticks of ``time_base`` seconds as in the file. ``landmarks``
    (little-endian float32, ten a face) are ``x, y`` of what ``detect.engines.faces.LANDMARKS`` names. ``change`` tells
    how much the picture changed at each frame of the chunk, looked at or not: cuts break tracks. ``problems`` tell
    where the video was broken.
    """

    time_base: str
    origin: int
    objects: ObjectColumns
    landmarks: bytes
    change: FrameSignals
    problems: list[str] = msgspec.field(default_factory=list)


class DetectFaces:
    """Find faces with their eyes, nose and corners of the mouth."""

    name: ClassVar[str] = "detect_faces"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[DetectFacesOptions]] = DetectFacesOptions
    Input: ClassVar[type[DetectFacesInput]] = DetectFacesInput
    Output: ClassVar[type[DetectFacesOutput]] = DetectFacesOutput

    def model_digests(self, options: DetectFacesOptions, resources: Resources) -> tuple[str, ...]:
        """Raises ``WeightsError`` where there is no model, saying where to put it."""
        return (resources.model(MODEL).digest,)

    def run(self, ctx: StageContext, data: DetectFacesInput) -> DetectFacesOutput:
        """Raises ``WeightsError`` for a model that cannot be used, ``MediaError`` for a video that cannot be read."""
        options: DetectFacesOptions = ctx.options
        detector = ctx.resources.opened(MODEL, FaceDetector)
        fps, start = Fraction(str(options.fps)), Fraction(data.video.start)
        end = None if data.video.end is None else Fraction(data.video.end)
        expected = max(1, int(((end or Fraction(str(ctx.source.duration))) - start) * fps))
        found = _Found()
        with VideoReader(data.video.path) as reader:
            with read_ahead(reader.sample_window(fps, start, end), 2) as pictures:
                for picture in pictures:
                    ctx.checkpoint()
                    faces = detector.detect(
                        picture.image,
                        min_score=options.min_score,
                        min_size=options.min_size,
                        longest_side=options.longest_side,
                    )
                    found.add(picture.pts, faces)
                    ctx.progress(len(found.columns), max(expected, len(found.columns)))
            if 0 < len(found.columns) < expected:
                ctx.progress(len(found.columns), len(found.columns))
            signals = reader.signals
            return DetectFacesOutput(
                time_base=str(reader.time_base),
                origin=reader.origin,
                objects=found.columns.build(),
                landmarks=found.landmarks.tobytes(),
                change=FrameSignals(timestamps=signals.timestamps, change=signals.change, histogram=[], luma=[]),
                problems=reader.problems,
                stats={"pictures": len(found.columns), "faces": found.faces},
            )


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.columns = ColumnsBuilder()
        self.landmarks = array("f")
        self.faces = 0

    def add(self, pts: int, faces: Faces) -> None:
        self.columns.add(pts, faces.boxes, faces.scores, np.zeros(len(faces), np.int32))
        self.landmarks.frombytes(np.ascontiguousarray(faces.landmarks, "<f4").tobytes())
        self.faces += len(faces)

"""Stage 0: decode once, sample the timeline with real timestamps, keep the frames."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import cv2
import imagehash
import msgspec
from msgspec import Meta
from PIL import Image as PillowImage

from detect.in_order import in_order
from detect.media.reader import Sampled, VideoReader
from detect.stages.base import Image, Needs, Options, StageContext, StageOutput, Video
from detect.types import FrameSignals, Sample

if TYPE_CHECKING:
    from detect.resources import Resources


class ExtractFramesOptions(Options, frozen=True, kw_only=True):
    """How densely the video is sampled and how its frames are kept."""

    fps: Annotated[float, Meta(ge=0.05, le=30, description="frames sampled per second of video")] = 2.0
    chunk_seconds: Annotated[
        int, Meta(ge=5, le=600, description="length of the windows that are worked on one by one, seconds")
    ] = 30
    jpeg_quality: Annotated[int, Meta(ge=50, le=100, description="quality of the stored frames")] = 92


class ExtractFramesInput(msgspec.Struct, frozen=True):
    video: Video


class ExtractFramesOutput(StageOutput, frozen=True, kw_only=True):
    """The samples of one chunk and what changed between all of its decoded frames.

    ``ended_at`` is the second at which the last decoded frame ended; ``problems`` tell where the file was broken.
    """

    samples: list[Sample]
    signals: FrameSignals
    ended_at: float | None = None
    problems: list[str] = msgspec.field(default_factory=list)


class ExtractFrames:
    """Sample frames at a steady rate, by presentation timestamps."""

    name, version = "extract_frames", 1
    scope: Literal["chunk"] = "chunk"
    uses_known_brands = False
    needs: Needs = "cpu"
    Options, Input, Output = ExtractFramesOptions, ExtractFramesInput, ExtractFramesOutput

    def model_digests(self, options: ExtractFramesOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: ExtractFramesInput) -> ExtractFramesOutput:
        fps = Fraction(str(ctx.options.fps))
        start = Fraction(data.video.start)
        end = None if data.video.end is None else Fraction(data.video.end)
        expected = max(1, int(((end or Fraction(str(ctx.source.duration))) - start) * fps))
        samples: list[Sample] = []
        with VideoReader(data.video.path) as reader:
            sampled = reader.sample_window(fps, start, end)
            for sample in in_order(partial(self._store, ctx), sampled, ctx.resources.threads):
                ctx.checkpoint()
                samples.append(sample)
                ctx.progress(min(len(samples), expected), expected)
            signals, problems, ended_at = reader.signals, list(reader.problems), reader.ended_at
        return ExtractFramesOutput(
            samples=samples,
            signals=signals,
            ended_at=None if ended_at is None else round(float(ended_at), 6),
            problems=problems,
            stats={"frames": len(samples), "decoded_frames": len(signals.timestamps)},
        )

    @staticmethod
    def _store(ctx: StageContext, sampled: Sampled) -> Sample:
        jpeg = encode_jpeg(sampled.image, ctx.options.jpeg_quality)
        ctx.frames.save_jpeg(sampled.sequence, jpeg)
        return Sample(
            sequence=sampled.sequence,
            timestamp=round(float(sampled.timestamp), 6),
            perceptual_hash=perceptual_hash(sampled.image),
            digest=hashlib.sha256(jpeg).hexdigest(),
            until=round(float(sampled.until), 6),
        )


def encode_jpeg(image: Image, quality: int) -> bytes:
    """JPEG bytes of a BGR image."""
    ok, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError(f"cannot encode an image of shape {image.shape} as JPEG")
    return buffer.tobytes()


def perceptual_hash(image: Image) -> str:
    """256-bit difference hash of a BGR image, as hexadecimal text."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (68, 64), interpolation=cv2.INTER_AREA)
    return str(imagehash.dhash(PillowImage.fromarray(small), hash_size=16))

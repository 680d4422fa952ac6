"""Finds where in the sound of a video somebody speaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from detect.engines.voice_activity import FRAME, VoiceActivity, voice_activity_digest
from detect.media.listening import SAMPLE_RATE, SoundReader
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video

if TYPE_CHECKING:
    from detect.resources import Resources

# What the model has heard weighs on for long. So that it is told the same however the video is cut into windows, it
# begins anew with each block of a minute, counted from 0, and listens to what is before the block first.
_BLOCK = 60 * SAMPLE_RATE // FRAME
_WARM_UP = 10 * SAMPLE_RATE // FRAME
# Speech goes on until its probability falls this far below that at which it begins.
_HOLD = 0.15

Span = tuple[float, float]


class FindSpeechOptions(Options, frozen=True):
    """Options of :class:`FindSpeech`."""

    chunk_seconds: Annotated[
        int, Meta(ge=10, le=3600, description="Length of the windows that are worked on by themselves, seconds.")
    ] = 300
    threshold: Annotated[
        float,
        Meta(
            ge=0.05,
            le=0.95,
            description="How sure the model must be that somebody speaks; lower it for faint or noisy speech.",
        ),
    ] = 0.5


class FindSpeechInput(msgspec.Struct, frozen=True):
    video: Video


class FindSpeechOutput(StageOutput, frozen=True):
    """Where somebody speaks in the chunk, ``(start, end)`` seconds in order.

    A span that goes on in the next chunk ends exactly where that one's first begins. ``problems`` tell where the sound
    was broken.
    """

    spans: list[Span]
    problems: list[str] = msgspec.field(default_factory=list)


class FindSpeech:
    """Find where somebody speaks, with the Silero voice activity model."""

    name: ClassVar[str] = "find_speech"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[FindSpeechOptions]] = FindSpeechOptions
    Input: ClassVar[type[FindSpeechInput]] = FindSpeechInput
    Output: ClassVar[type[FindSpeechOutput]] = FindSpeechOutput

    def model_digests(self, options: FindSpeechOptions, resources: Resources) -> tuple[str, ...]:
        """Raises ``WeightsError`` where the voice activity model is not installed."""
        return (voice_activity_digest(),)

    def run(self, ctx: StageContext, data: FindSpeechInput) -> FindSpeechOutput:
        """Raises ``MediaError`` for a file that cannot be read."""
        start, end = Fraction(data.video.start), None if data.video.end is None else Fraction(data.video.end)
        with SoundReader(data.video.path) as reader:
            if reader.silent_because:
                return FindSpeechOutput(spans=[], skipped=f"no speech: {reader.silent_because}")
            first, last = _frame_at(start), None if end is None else _frame_at(end)
            expected = max(1, (_frame_at(Fraction(str(ctx.source.duration))) if last is None else last) - first)
            spans: list[Span] = []
            for at, until, heard in _heard(reader, first, last):
                ctx.checkpoint()
                spans += _spans(heard, until - len(heard), max(at, first), ctx.options.threshold)
                ctx.progress(min(until - first, expected), expected)
            ctx.progress(expected, expected)
            if end is None and reader.ended_at is not None:
                ended = reader.ended_at / SAMPLE_RATE
                spans = [(begin, min(stop, ended)) for begin, stop in spans if begin < ended]
            spans = _touching_joined(spans)
            return FindSpeechOutput(
                spans=spans,
                problems=reader.problems(start, end),
                stats={"speech_seconds": round(sum(stop - begin for begin, stop in spans), 3)},
            )


def _heard(reader: SoundReader, first: int, last: int | None) -> Iterator[tuple[int, int, npt.NDArray[np.float32]]]:
    """Blocks from frame ``at`` to ``until``, with the probabilities of as many frames as were listened to until then.

    They cover the frames from ``first`` to ``last``, or to the end of the sound.
    """
    at = first - first % _BLOCK
    while last is None or at < last:
        until = at + _BLOCK if last is None else min(at + _BLOCK, last)
        begin = max(0, at - _WARM_UP)
        samples = reader.read(begin * FRAME, until * FRAME)
        if last is None and reader.ended_at is not None:
            until = min(until, ceil(reader.ended_at / FRAME))
            if until <= max(at, first):
                return
        yield at, until, VoiceActivity().listen(samples[: (until - begin) * FRAME])
        at += _BLOCK


def _spans(heard: npt.NDArray[np.float32], begin: int, first: int, threshold: float) -> list[Span]:
    """Seconds of the spans of speech from frame ``first`` on; ``heard`` are probabilities from frame ``begin`` on."""
    holds = max(threshold - _HOLD, 0.01)
    found: list[tuple[int, int]] = []
    for frame, likely in enumerate(heard.tolist(), begin):
        speaking = bool(found) and found[-1][1] == frame
        if speaking and likely >= holds:
            found[-1] = (found[-1][0], frame + 1)
        elif likely >= threshold:
            found.append((frame, frame + 1))
    return [(max(start, first) * FRAME / SAMPLE_RATE, end * FRAME / SAMPLE_RATE) for start, end in found if end > first]


def _touching_joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _frame_at(seconds: Fraction) -> int:
    """The first frame that begins at or after a second."""
    return ceil(seconds * SAMPLE_RATE / FRAME)

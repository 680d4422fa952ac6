"""Finds where in the sound of a video somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
import numpy.typing as npt
from msgspec import Meta

from detect.engines.voice_activity import FRAME, VoiceActivity, voice_activity_digest
from detect.media.listening import SAMPLE_RATE, SoundReader
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video

if TYPE_CHECKING:
    from detect.resources import Resources

# Frames listened to before a window, so that at its border the model has heard what it would have heard without one.
_WARM_UP = 5 * SAMPLE_RATE // FRAME
# Frames read at a time, about half a minute.
_BLOCK = 30 * SAMPLE_RATE // FRAME
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
    """Where somebody speaks in the chunk, ``(start, end)`` seconds in order, pauses of a tenth of a second left out.

    A span that goes on in the next chunk ends exactly where that one's first begins. ``heard`` is how many seconds of
    the window have sound. ``problems`` tell where the sound was broken.
    """

    spans: list[Span]
    heard: float = 0.0
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
            first = _frame_at(start)
            last = None if end is None else _frame_at(end)
            follower = _Follower(ctx.options.threshold)
            expected = max(1, (last or _frame_at(Fraction(str(ctx.source.duration)))) - first)
            done = 0
            for at, heard in _heard(reader, first, last):
                ctx.checkpoint()
                follower.add(at, heard)
                done = max(0, min(at + len(heard) - first, expected))
                ctx.progress(done, expected)
            if done < expected:
                ctx.progress(expected, expected)
            until = reader.ended_at if end is None else None
            spans = follower.spans(first, until=None if until is None else until / SAMPLE_RATE)
            seconds = max(Fraction(0), (end if end is not None else Fraction(until or 0, SAMPLE_RATE)) - start)
            return FindSpeechOutput(
                spans=spans,
                heard=float(seconds),
                problems=reader.problems(start, end),
                stats={"speech_seconds": round(sum(stop - begin for begin, stop in spans), 3)},
            )


class _Follower:
    """Makes spans of probabilities, frame by frame."""

    def __init__(self, threshold: float) -> None:
        self._begins, self._holds = threshold, max(threshold - _HOLD, 0.01)
        self._spans: list[tuple[int, int]] = []
        self._speaking = False

    def add(self, at: int, heard: npt.NDArray[Any]) -> None:
        """Probabilities of the frames from ``at`` on, which follow those added before."""
        for frame, likely in enumerate(heard.tolist(), at):
            if self._speaking and likely >= self._holds:
                self._spans[-1] = (self._spans[-1][0], frame + 1)
            elif likely >= self._begins:
                self._spans.append((frame, frame + 1))
            self._speaking = bool(self._spans) and self._spans[-1][1] == frame + 1

    def spans(self, first: int, *, until: float | None) -> list[Span]:
        """Seconds of the spans behind frame ``first``, cut there and at ``until``."""
        found = []
        for begin, stop in self._spans:
            start, end = (max(begin, first) * FRAME / SAMPLE_RATE, stop * FRAME / SAMPLE_RATE)
            end = end if until is None else min(end, until)
            if end > start:
                found.append((start, end))
        return found


def _heard(reader: SoundReader, first: int, last: int | None) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Frame numbers and the probabilities from there on, a block at a time, to frame ``last`` or the sound's end."""
    listener = VoiceActivity()
    at = max(0, first - _WARM_UP)
    while last is None or at < last:
        until = at + _BLOCK if last is None else min(at + _BLOCK, last)
        samples = reader.read(at * FRAME, until * FRAME)
        if last is None and reader.ended_at is not None:
            until = min(until, -(-reader.ended_at // FRAME))
            if until <= at:
                return
        yield at, listener.listen(samples[: (until - at) * FRAME])
        at = until


def _frame_at(seconds: Fraction) -> int:
    """The first frame that begins at or after a second."""
    return ceil(seconds * SAMPLE_RATE / FRAME)

"""Writes down what is said, word by word, with times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, cast

import msgspec
from msgspec import Meta

from detect.engines.transcription import (
    Language,
    Precision,
    Segment,
    Word,
    speech_loader,
    trim_to_speech,
)
from detect.media.listening import SAMPLE_RATE, Samples, SoundReader
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.gather_speech import GatherSpeechOutput, Passage

if TYPE_CHECKING:
    from detect.resources import Resources


# Speech of this many seconds without a word was passed over.
_MISSED = 1.0
# It is listened to with this much around it, seconds.
_PAD = 0.2


class TranscribeOptions(Options, frozen=True):
    """Options of :class:`Transcribe`."""

    beam_size: Annotated[
        int,
        Meta(ge=1, le=20, description="How many wordings are followed at once; more is slower and a little better."),
    ] = 5
    precision: Annotated[
        Precision,
        Meta(
            description="How the speech model keeps numbers; default is int8 on processors, float16 on graphics cards."
        ),
    ] = "default"


class TranscribeInput(msgspec.Struct, frozen=True):
    video: Video
    gather_speech: GatherSpeechOutput


class TranscribeOutput(StageOutput, frozen=True):
    """What is said in the passages that begin in the chunk, in order; seconds of the video."""

    segments: list[Segment]


class Transcribe:
    """Write down what is said, with a Whisper model."""

    name: ClassVar[str] = "transcribe"
    version: ClassVar[int] = 3
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    # By far the most work of the pipeline, and of a kind that a graphics card does many times faster.
    needs: ClassVar[Needs] = "gpu"
    Options: ClassVar[type[TranscribeOptions]] = TranscribeOptions
    Input: ClassVar[type[TranscribeInput]] = TranscribeInput
    Output: ClassVar[type[TranscribeOutput]] = TranscribeOutput

    def model_digests(self, options: TranscribeOptions, resources: Resources) -> tuple[str, ...]:
        """Raises ``WeightsError`` where there is no speech model, saying where to put one."""
        return (resources.model("speech").digest,)

    def run(self, ctx: StageContext, data: TranscribeInput) -> TranscribeOutput:
        """Raises ``WeightsError`` for a model that cannot be used or does not know the language, ``MediaError`` for a
        file that cannot be read.
        """
        options: TranscribeOptions = ctx.options
        speech = data.gather_speech
        passages = passages_of(speech, data.video)
        if speech.skipped or not passages:
            return TranscribeOutput(segments=[], skipped=speech.skipped, stats={"words": 0, "segments": 0})
        model = ctx.resources.opened("speech", speech_loader(ctx.resources.threads, options.precision))
        language = cast("Language", speech.language)
        segments: list[Segment] = []
        with SoundReader(data.video.path) as reader:
            for passage in ctx.each(passages):
                samples = reader.read(round(passage.start * SAMPLE_RATE), round(passage.end * SAMPLE_RATE))

                def write_down(part: Passage, heard: Samples = samples, begin: float = passage.start) -> list[Segment]:
                    first, last = (round((at - begin) * SAMPLE_RATE) for at in (part.start, part.end))
                    said = model.transcribe(heard[first:last], language=language, beam_size=options.beam_size)
                    return trim_to_speech([_moved(segment, part) for segment in said], part.spans)

                segments += _all_said(passage, write_down)
        return TranscribeOutput(
            segments=segments,
            stats={"words": sum(len(segment.words) for segment in segments), "segments": len(segments)},
        )


def passages_of(speech: GatherSpeechOutput, video: Video) -> list[Passage]:
    """The passages that begin in a window; they may reach beyond its end."""
    start, end = Fraction(video.start), None if video.end is None else Fraction(video.end)
    return [p for p in speech.passages if start <= p.start and (end is None or p.start < end)]


def _all_said(passage: Passage, write_down: Callable[[Passage], list[Segment]]) -> list[Segment]:
    """What is said in a passage. Whisper may stop at a pause or a change of speaker: it is asked again for the rest."""
    said = write_down(passage)
    missed = _missed(passage, said)
    if not missed:
        return said
    starts = [part.start for part in missed]
    pieces = [
        Segment(words[0].start, words[-1].end, words)
        for segment in said
        for words in (list(run) for _, run in groupby(segment.words, lambda word: bisect_right(starts, word.start)))
    ]
    return sorted([*pieces, *(segment for part in missed for segment in write_down(part))], key=lambda one: one.start)


def _missed(passage: Passage, said: list[Segment]) -> list[Passage]:
    """Parts of a passage with speech of which no word was written down, in order, between the words that were."""
    words = [word for segment in said for word in segment.words]
    if not words:
        return []
    missed = []
    bounds = [passage.start, *(edge for word in words for edge in (word.start, word.end)), passage.end]
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        spans = [(max(start, low), min(end, high)) for low, high in passage.spans if low < end and high > start]
        if sum(high - low for low, high in spans) >= _MISSED:
            missed.append(Passage(max(start, spans[0][0] - _PAD), min(end, spans[-1][1] + _PAD), spans))
    return missed


def _moved(segment: Segment, passage: Passage) -> Segment:
    """The segment in seconds of the video."""

    def at(seconds: float) -> float:
        return min(round(passage.start + seconds, 3), passage.end)

    words = [Word(word.text, at(word.start), at(word.end), word.probability) for word in segment.words]
    return Segment(words[0].start, words[-1].end, words)

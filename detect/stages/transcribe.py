"""Writes down what is said, word by word, with times."""

from __future__ import annotations

from fractions import Fraction
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
from detect.media.listening import SAMPLE_RATE, SoundReader
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.gather_speech import GatherSpeechOutput, Passage

if TYPE_CHECKING:
    from detect.resources import Resources


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
    version: ClassVar[int] = 1
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
        segments: list[Segment] = []
        with SoundReader(data.video.path) as reader:
            for passage in ctx.each(passages):
                samples = reader.read(round(passage.start * SAMPLE_RATE), round(passage.end * SAMPLE_RATE))
                said = model.transcribe(
                    samples, language=cast("Language", speech.language), beam_size=options.beam_size
                )
                segments += trim_to_speech([_moved(segment, passage) for segment in said], passage.spans)
        return TranscribeOutput(
            segments=segments,
            stats={"words": sum(len(segment.words) for segment in segments), "segments": len(segments)},
        )


def passages_of(speech: GatherSpeechOutput, video: Video) -> list[Passage]:
    """The passages that begin in a window; they may reach beyond its end."""
    start, end = Fraction(video.start), None if video.end is None else Fraction(video.end)
    return [p for p in speech.passages if start <= p.start and (end is None or p.start < end)]


def _moved(segment: Segment, passage: Passage) -> Segment:
    """The segment in seconds of the video."""

    def at(seconds: float) -> float:
        return min(round(passage.start + seconds, 3), passage.end)

    words = [Word(word.text, at(word.start), at(word.end), word.probability) for word in segment.words]
    return Segment(words[0].start, words[-1].end, words)

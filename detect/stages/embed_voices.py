"""Describes the voices that speak, so that they can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from detect.engines.voices import SIZE, voices_loader
from detect.media.listening import SAMPLE_RATE, SoundReader
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.gather_speech import GatherSpeechOutput
from detect.stages.transcribe import passages_of

if TYPE_CHECKING:
    from detect.resources import Resources

NOT_ASKED = "speakers are not told apart: embed_voices.enabled is off"
NO_MODEL = (
    "speakers are not told apart: there is no speaker model; put voices.pt (Resemblyzer's pretrained.pt) into"
    " model_weights/, set MEDIAPROC_SPEAKERS_MODEL or install resemblyzer"
)


class EmbedVoicesOptions(Options, frozen=True):
    """Options of :class:`EmbedVoices`."""

    enabled: Annotated[bool, Meta(description="Whether speakers are told apart at all.")] = True
    step_seconds: Annotated[
        float, Meta(ge=0.1, le=1.6, description="A voice is described once in so much speech, seconds; less is finer.")
    ] = 0.4


class EmbedVoicesInput(msgspec.Struct, frozen=True):
    video: Video
    gather_speech: GatherSpeechOutput


class EmbedVoicesOutput(StageOutput, frozen=True):
    """Voices in the passages that begin in the chunk, in order of time within each passage.

    ``starts`` and ``ends`` are seconds of the video; ``vectors`` holds ``SIZE`` little-endian half-precision numbers
    for each.
    """

    starts: list[float]
    ends: list[float]
    vectors: bytes

    def as_array(self) -> npt.NDArray[np.float32]:
        """``(n, SIZE)``, each of about length 1."""
        return np.frombuffer(self.vectors, "<f2").reshape(-1, SIZE).astype(np.float32)


class EmbedVoices:
    """Describe the voices that speak with a GE2E network."""

    name: ClassVar[str] = "embed_voices"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "chunk"
    uses_known_brands: ClassVar[bool] = False
    # A small network: an hour of speech is half a minute of work for two threads.
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[EmbedVoicesOptions]] = EmbedVoicesOptions
    Input: ClassVar[type[EmbedVoicesInput]] = EmbedVoicesInput
    Output: ClassVar[type[EmbedVoicesOutput]] = EmbedVoicesOutput

    def model_digests(self, options: EmbedVoicesOptions, resources: Resources) -> tuple[str, ...]:
        model = resources.find("speakers") if options.enabled else None
        return () if model is None else (model.digest,)

    def run(self, ctx: StageContext, data: EmbedVoicesInput) -> EmbedVoicesOutput:
        """Raises ``WeightsError`` for a model that cannot be used, ``MediaError`` for a file that cannot be read."""
        options: EmbedVoicesOptions = ctx.options
        speech = data.gather_speech
        passages = passages_of(speech, data.video)
        skipped = speech.skipped
        if not skipped and not options.enabled:
            skipped = NOT_ASKED
        elif not skipped and ctx.resources.find("speakers") is None:
            skipped = NO_MODEL
        if skipped or not passages:
            return EmbedVoicesOutput(starts=[], ends=[], vectors=b"", skipped=skipped, stats={"voices": 0})
        encoder = ctx.resources.opened("speakers", voices_loader(ctx.resources.threads))
        starts, ends, vectors = [], [], []
        with SoundReader(data.video.path) as reader:
            for passage in ctx.each(passages):
                samples = reader.read(round(passage.start * SAMPLE_RATE), round(passage.end * SAMPLE_RATE))
                spans = [(start - passage.start, end - passage.start) for start, end in passage.spans]
                for voice in encoder.embed(samples, spans, step=options.step_seconds):
                    starts.append(round(passage.start + voice.start, 3))
                    ends.append(round(passage.start + voice.end, 3))
                    vectors.append(voice.vector.astype("<f2").tobytes())
        return EmbedVoicesOutput(starts=starts, ends=ends, vectors=b"".join(vectors), stats={"voices": len(starts)})

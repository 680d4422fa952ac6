"""Tells who speaks when, and who says which word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from detect.speaker_turns import Turn, Voices, speaker_at, tell_turns
from detect.stages.base import Needs, Options, StageContext, StageOutput
from detect.stages.embed_voices import EmbedVoicesOutput
from detect.stages.gather_speech import GatherSpeechOutput
from detect.stages.transcribe import TranscribeOutput

if TYPE_CHECKING:
    from detect.resources import Resources


class TellSpeakersOptions(Options, frozen=True):
    """Options of :class:`TellSpeakers`."""

    distance: Annotated[
        float,
        Meta(
            ge=0.05,
            le=1,
            description="Voices further apart than this (1 - cosine) are two speakers; lower it for voices alike.",
        ),
    ] = 0.4
    max_speakers: Annotated[
        int, Meta(ge=0, le=50, description="At most this many speakers are told apart; 0 for as many as there are.")
    ] = 0
    min_seconds: Annotated[
        float,
        Meta(ge=0, le=60, description="Who speaks for less than this in all is no speaker of their own, seconds."),
    ] = 1.0


class TellSpeakersInput(msgspec.Struct, frozen=True):
    gather_speech: GatherSpeechOutput
    transcribe: Sequence[TranscribeOutput]
    embed_voices: Sequence[EmbedVoicesOutput]


class TellSpeakersOutput(StageOutput, frozen=True):
    """Who speaks when, in order; no turn overlaps another.

    ``said_by`` is the speaker of each word of the transcript, in its order; 0 where nobody is known to speak. It is
    empty where speakers were not told apart.
    """

    turns: list[Turn]
    speakers: int = 0
    said_by: list[int] = msgspec.field(default_factory=list)


class TellSpeakers:
    """Tell who speaks when by how alike voices are."""

    name: ClassVar[str] = "tell_speakers"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    needs: ClassVar[Needs] = "cpu"
    Options: ClassVar[type[TellSpeakersOptions]] = TellSpeakersOptions
    Input: ClassVar[type[TellSpeakersInput]] = TellSpeakersInput
    Output: ClassVar[type[TellSpeakersOutput]] = TellSpeakersOutput

    def model_digests(self, options: TellSpeakersOptions, resources: Resources) -> tuple[str, ...]:
        return ()

    def run(self, ctx: StageContext, data: TellSpeakersInput) -> TellSpeakersOutput:
        options: TellSpeakersOptions = ctx.options
        parts = []
        for part in data.embed_voices:
            ctx.checkpoint()
            if part.skipped:
                return TellSpeakersOutput(turns=[], skipped=part.skipped, stats={"speakers": 0})
            parts.append((part.starts, part.ends, part.as_array()))
        voices = Voices(
            np.array([start for starts, _, _ in parts for start in starts]),
            np.array([end for _, ends, _ in parts for end in ends]),
            np.concatenate([vectors for _, _, vectors in parts]),
        )
        turns = tell_turns(
            voices,
            [passage.spans for passage in data.gather_speech.passages],
            distance=options.distance,
            max_speakers=options.max_speakers or None,
            min_seconds=options.min_seconds,
        )
        said_by = [
            speaker_at(turns, (word.start + word.end) / 2)
            for part in data.transcribe
            for segment in part.segments
            for word in segment.words
        ]
        speakers = max((turn.speaker for turn in turns), default=0)
        ctx.progress(1, 1)
        return TellSpeakersOutput(
            turns=turns, speakers=speakers, said_by=said_by, stats={"speakers": speakers, "turns": len(turns)}
        )

"""Gathers speech into passages that a model takes at once, and tells which language it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from detect.engines.transcription import Language, SpeechModel, speech_loader
from detect.media.listening import SAMPLE_RATE, SoundReader
from detect.stages.base import Needs, Options, StageContext, StageOutput, Video
from detect.stages.find_speech import FindSpeechOutput, Span
from detect.types import Value

if TYPE_CHECKING:
    from detect.resources import Resources

# Whisper takes 30 s at once; what it hears may not be cut off at the padding.
_LONGEST = 28.0
# Dips in the probability of speech that are shorter than this are no pause.
_DIP = 0.1
# How many passages are listened to for the language.
_PROBED = 3


class GatherSpeechOptions(Options, frozen=True):
    """Options of :class:`GatherSpeech`."""

    language: Annotated[
        Language,
        Meta(description="Code of the language spoken, such as en or de; empty has the model tell it from the sound."),
    ] = ""
    pause_seconds: Annotated[
        float, Meta(ge=0.2, le=10, description="A passage ends where nobody speaks for this long, seconds.")
    ] = 2.0
    min_speech_seconds: Annotated[
        float, Meta(ge=0, le=2, description="Speech shorter than this by itself is taken for a noise, seconds.")
    ] = 0.1
    pad_seconds: Annotated[
        float, Meta(ge=0, le=1, description="A passage begins and ends this much outside its speech, seconds.")
    ] = 0.3


class GatherSpeechInput(msgspec.Struct, frozen=True):
    video: Video
    find_speech: Sequence[FindSpeechOutput]


class Passage(Value, frozen=True):
    """Speech that a model takes at once, ``[start, end)`` seconds, at most 30; its ``spans`` are without pauses."""

    start: float
    end: float
    spans: list[Span]


class GatherSpeechOutput(StageOutput, frozen=True):
    """All speech of the video in passages that do not overlap, in order.

    ``language`` is its code, empty where nobody speaks, and ``language_probability`` how likely it is; 1 where it was
    told or the model knows no other.
    """

    passages: list[Passage]
    language: str = ""
    language_probability: float = 0.0
    problems: list[str] = msgspec.field(default_factory=list)


class GatherSpeech:
    """Gather speech into passages and tell its language."""

    name: ClassVar[str] = "gather_speech"
    version: ClassVar[int] = 1
    scope: ClassVar[Literal["chunk", "asset"]] = "asset"
    uses_known_brands: ClassVar[bool] = False
    # It asks the speech model, which is where that of `transcribe` is.
    needs: ClassVar[Needs] = "gpu"
    Options: ClassVar[type[GatherSpeechOptions]] = GatherSpeechOptions
    Input: ClassVar[type[GatherSpeechInput]] = GatherSpeechInput
    Output: ClassVar[type[GatherSpeechOutput]] = GatherSpeechOutput

    def model_digests(self, options: GatherSpeechOptions, resources: Resources) -> tuple[str, ...]:
        """Raises ``WeightsError`` where the language is to be told and there is no speech model."""
        return () if options.language else (resources.model("speech").digest,)

    def run(self, ctx: StageContext, data: GatherSpeechInput) -> GatherSpeechOutput:
        """Raises ``WeightsError`` for a model that cannot be used, ``MediaError`` for a file that cannot be read."""
        options: GatherSpeechOptions = ctx.options
        spans: list[Span] = []
        problems: list[str] = []
        skipped = ""
        for part in data.find_speech:
            ctx.checkpoint()
            spans += part.spans
            problems += [problem for problem in part.problems if problem not in problems]
            skipped = skipped or part.skipped
        passages = make_passages(spans, options)
        language: str = options.language if passages else ""
        probability = 1.0 if language else 0.0
        if passages and not language:
            model = ctx.resources.opened("speech", speech_loader(ctx.resources.threads, "default"))
            language, probability = _told(model, data.video, passages)
        ctx.progress(1, 1)
        return GatherSpeechOutput(
            passages=passages,
            language=language,
            language_probability=round(probability, 4),
            problems=problems,
            stats={"passages": len(passages), "language": language or "none"},
            skipped=skipped,
        )


def make_passages(spans: Iterable[Span], options: GatherSpeechOptions) -> list[Passage]:
    """Passages over spans of speech in order, cut at long pauses, else at the longest in reach."""
    groups: list[list[Span]] = []
    for span in _cut_long(_without_blips(_joined(spans), options.min_speech_seconds)):
        if groups and span[0] - groups[-1][-1][1] < options.pause_seconds:
            groups[-1].append(span)
        else:
            groups.append([span])
    pieces = [piece for group in groups for piece in _pieces(group)]
    passages = []
    for index, piece in enumerate(pieces):
        before = pieces[index - 1][-1][1] if index else 0.0
        after = pieces[index + 1][0][0] if index + 1 < len(pieces) else piece[-1][1] + 2 * options.pad_seconds
        start = max(piece[0][0] - options.pad_seconds, (before + piece[0][0]) / 2 if index else 0.0)
        end = min(piece[-1][1] + options.pad_seconds, (piece[-1][1] + after) / 2)
        passages.append(Passage(round(start, 4), round(end, 4), piece))
    return passages


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < _DIP:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _without_blips(spans: Iterable[Span], shortest: float) -> list[Span]:
    return [(start, end) for start, end in spans if end - start >= shortest]


def _cut_long(spans: Iterable[Span]) -> list[Span]:
    """Speech without any pause, singing for example, in pieces that a model can take."""
    cut = []
    for start, end in spans:
        at = start
        while end - at > _LONGEST:
            cut.append((at, at + _LONGEST))
            at += _LONGEST
        cut.append((at, end))
    return cut


def _pieces(group: list[Span]) -> list[list[Span]]:
    """A group of spans, cut until each is short enough, at the longest pause in its later half or before."""
    pieces = []
    while group[-1][1] - group[0][0] > _LONGEST:
        within = [index for index in range(1, len(group)) if group[index - 1][1] - group[0][0] <= _LONGEST]
        late = [index for index in within if group[index - 1][1] - group[0][0] >= _LONGEST / 2]
        cut = max(late or within, key=lambda index: (round(group[index][0] - group[index - 1][1], 4), index))
        pieces.append(group[:cut])
        group = group[cut:]
    return [*pieces, group]


def _told(model: SpeechModel, video: Video, passages: list[Passage]) -> tuple[str, float]:
    """The language heard in the passages with the most speech, and how likely it is."""
    if model.english_only:
        return model.detect_language([])
    chosen = sorted(passages, key=lambda passage: sum(start - end for start, end in passage.spans))[:_PROBED]
    with SoundReader(video.path) as reader:
        heard = [
            reader.read(round(passage.start * SAMPLE_RATE), round(passage.end * SAMPLE_RATE))
            for passage in sorted(chosen, key=lambda passage: passage.start)
        ]
    return model.detect_language(heard)

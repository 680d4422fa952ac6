"""What escalate_vlm and escalate_cloud share: asking a vision-language model about what nothing else could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from detect.checkpoints import serde
from detect.providers import crops
from detect.providers.budget import Budget, as_text
from detect.providers.catalog import Provider
from detect.providers.grouping import Group, group
from detect.providers.interview import Interview, Verdict
from detect.providers.openai_client import OpenAIClient
from detect.providers.questions import PROMPT_VERSION, Question, ask_about
from detect.providers.sorting import Sorter
from detect.resources import Resources
from detect.stages.base import Image, Options, StageContext, StageOutput, Stats
from detect.types import BrandDetection, Candidate, ModelCall

ProviderName = Annotated[
    str, Meta(min_length=1, max_length=100, description="name of the provider in the providers file")
]
Questions = Annotated[int, Meta(ge=0, le=100_000, description="most questions in a run, stored answers included")]
Dollars = Annotated[
    float, Meta(ge=0, le=100_000, description="most US dollars a run may spend; 0 allows only what is free")
]


class EscalationOptions(Options, frozen=True, kw_only=True):
    """Which provider is asked, about how much, for how much money."""

    provider: ProviderName
    max_questions: Questions
    budget_usd: Dollars
    min_frames: Annotated[
        int, Meta(ge=1, le=10_000, description="sampled frames a candidate must be seen on to be worth a question")
    ] = 1
    min_confidence: Annotated[
        float, Meta(ge=0, le=1, description="answers the model is less sure of leave the candidate unresolved")
    ] = 0.6
    shortlist: Annotated[
        int, Meta(ge=0, le=50, description="how many of the known brands it resembles are named in a question")
    ] = 5
    crops_per_question: Annotated[
        int, Meta(ge=1, le=4, description="pictures of a candidate in one question, from different moments")
    ] = 1
    margin: Annotated[
        float, Meta(ge=0, le=3, description="what is shown around a candidate, as a share of its shorter side")
    ] = 0.25
    min_image_side: Annotated[
        int, Meta(ge=16, le=1024, description="smaller crops are enlarged to this shorter side, pixels")
    ] = 112
    max_image_side: Annotated[
        int, Meta(ge=64, le=4096, description="larger crops are shrunk to this longer side, pixels")
    ] = 768
    same_picture_bits: Annotated[
        int, Meta(ge=0, le=32, description="hash bits of 64 that may differ between crops that are asked about once")
    ] = 8
    ask_again: Annotated[
        int, Meta(ge=0, le=1_000_000, description="0 reuses stored answers; any other number asks anew, once a number")
    ] = 0


class EscalationOutput(StageOutput, frozen=True, kw_only=True):
    """Brands a model recognised, candidates that are left with the reason, and what the questions cost.

    A candidate that a model says is no brand is in neither list.
    """

    detections: list[BrandDetection]
    unresolved: list[Candidate]
    calls: list[ModelCall]


OutputT = TypeVar("OutputT", bound=EscalationOutput)


def provider_digests(options: EscalationOptions, resources: Resources) -> tuple[str, ...]:
    """What of the providers file an output depends on: whether the model can be asked, and which model it is.

    Neither price nor key: a cheaper contract or a renewed key gives the same answers.
    """
    problem, provider = find_provider(options, resources)
    if provider is None:
        return (f"provider:{serde.digest(problem)}",)
    model = [provider.name, provider.kind, provider.base_url, provider.model, provider.extra_body]
    return (f"provider:{serde.digest([PROMPT_VERSION, model])}",)


@dataclass(frozen=True)
class Chosen:
    """Candidates that are worth a question, put together and in the order they are asked, and those that are not."""

    asked: list[Group]
    too_many: list[Group]
    too_brief: list[Candidate]


def escalate(ctx: StageContext, unresolved: list[Candidate], output: type[OutputT]) -> OutputT:
    """Ask ``ctx.options.provider`` about ``unresolved`` and sort them by its answers."""
    options: EscalationOptions = ctx.options
    problem, provider = find_provider(options, ctx.resources)
    if provider is None:
        return output(detections=[], unresolved=unresolved, calls=[], skipped=problem)
    chosen = choose(ctx, unresolved)
    verdicts = _interview(ctx, provider, chosen.asked)

    sorter = Sorter(provider, ctx.known_brands, options.min_confidence)
    for found, verdict in zip(chosen.asked, verdicts, strict=True):
        sorter.add(found, verdict)
    for found in chosen.too_many:
        sorter.leave(found.members, f"not asked, max_questions is {options.max_questions}")
    sorter.leave(chosen.too_brief, f"not asked, seen on fewer than {options.min_frames} sampled frames")
    return output(
        detections=[sorter.detections[one.candidate_id] for one in unresolved if one.candidate_id in sorter.detections],
        unresolved=[sorter.left[one.candidate_id] for one in unresolved if one.candidate_id in sorter.left],
        calls=[verdict.call for verdict in verdicts if verdict.call is not None],
        stats=_stats(unresolved, len(chosen.asked) + len(chosen.too_many), verdicts, sorter),
        incomplete=any(verdict.failed for verdict in verdicts),
    )


def choose(ctx: StageContext, unresolved: list[Candidate]) -> Chosen:
    """Which of ``unresolved`` are asked about. Pictures are looked at where texts alone do not tell them apart."""
    options: EscalationOptions = ctx.options
    worth = [one for one in unresolved if len({seen.sequence for seen in one.observations}) >= options.min_frames]
    groups = group(worth, partial(_look, ctx), options.same_picture_bits)
    worthy = {one.candidate_id for one in worth}
    return Chosen(
        asked=groups[: options.max_questions],
        too_many=groups[options.max_questions :],
        too_brief=[one for one in unresolved if one.candidate_id not in worthy],
    )


def find_provider(options: EscalationOptions, resources: Resources) -> tuple[str, Provider | None]:
    """The provider to ask, or a sentence that says why there is none."""
    provider = resources.providers.get(options.provider)
    if provider is None:
        return f"no provider '{options.provider}' in providers file", None
    problem = resources.providers.key_problem(provider)
    return problem, None if problem else provider


def _interview(ctx: StageContext, provider: Provider, groups: Sequence[Group]) -> list[Verdict]:
    options: EscalationOptions = ctx.options
    # The float is a figure someone typed: its shortest text is that figure, exactly.
    budget = Budget(Decimal(str(options.budget_usd)), ctx.limits)
    with OpenAIClient(provider, ctx.resources.providers.api_key(provider)) as client:
        interview = Interview(
            client,
            ctx.resources.answers,
            budget,
            nonce=options.ask_again,
            ledger=ctx.limits.ledger if ctx.limits else None,
            checkpoint=ctx.checkpoint,
            progress=ctx.progress,
        )
        return interview.run([partial(question_about, ctx, found) for found in groups])


def question_about(ctx: StageContext, found: Group) -> Question:
    """The question about a group: pictures of its best member, cut from the stored frames."""
    options: EscalationOptions = ctx.options
    best = found.best
    return ask_about(
        text=best.text,
        placement=best.placement,
        shortlist=found.suggestions(options.shortlist),
        images=[crops.encode(picture) for picture in _pictures(ctx, best, options.crops_per_question)],
    )


def _pictures(ctx: StageContext, candidate: Candidate, count: int) -> list[Image]:
    """The candidate's best crop, then others spread evenly over the other moments it was seen."""
    others = sorted(
        (seen for seen in candidate.observations if seen.sequence != candidate.crop_sequence),
        key=lambda seen: (seen.sequence, msgspec.structs.astuple(seen.box)),
    )
    extra = min(count - 1, len(others))
    chosen = [others[(2 * index + 1) * len(others) // (2 * extra)] for index in range(extra)]
    places = [(candidate.crop_sequence, candidate.crop_box), *((seen.sequence, seen.box) for seen in chosen)]
    options: EscalationOptions = ctx.options
    return [
        crops.cut(
            ctx.frames.load(sequence),
            box,
            margin=options.margin,
            min_side=options.min_image_side,
            max_side=options.max_image_side,
        )
        for sequence, box in places
    ]


def _look(ctx: StageContext, candidate: Candidate) -> int:
    ctx.checkpoint()
    return crops.look(_pictures(ctx, candidate, 1)[0])


def _stats(candidates: list[Candidate], distinct: int, verdicts: list[Verdict], sorter: Sorter) -> Stats:
    calls = [verdict.call for verdict in verdicts if verdict.call is not None]
    answered = sum(verdict.answer is not None for verdict in verdicts)
    return {
        "candidates": len(candidates),
        "distinct": distinct,
        "answered": answered,
        "unanswered": distinct - answered,
        "unsure": sorter.unsure,
        "brands": len({detection.brand for detection in sorter.detections.values()}),
        "detections": len(sorter.detections),
        "not_brands": sorter.not_brands,
        "calls": len(calls),
        "input_tokens": sum(call.input_tokens for call in calls),
        "output_tokens": sum(call.output_tokens for call in calls),
        "usd": as_text(sum((Decimal(call.usd) for call in calls), Decimal(0))),
    }

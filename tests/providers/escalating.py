"""What tests of escalate_vlm and escalate_cloud share: the stage, what is known, and asking it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from detect.checkpoints import serde
from detect.options import convert_options
from detect.resources import Resources
from detect.stages.escalate_vlm import EscalateVlm, EscalateVlmInput, EscalateVlmOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.types import Candidate, KnownBrandRecord, KnownBrands
from tests.providers.chat_server import Ask, Reaction, verdict
from tests.providers.made import context

STAGE: Any = EscalateVlm()
KNOWN = KnownBrands(
    brands=(
        KnownBrandRecord("Acme", aliases=("Acme Corp", "ACM")),
        KnownBrandRecord("Bolt", confirmed=False),
    )
)


def ask_stage(
    shared: Resources, candidates: list[Candidate], known: KnownBrands = KNOWN, **options: Any
) -> EscalateVlmOutput:
    output: EscalateVlmOutput = STAGE.run(context(convert_options(STAGE, options), shared, known), given(candidates))
    return output


def given(candidates: list[Candidate]) -> EscalateVlmInput:
    return EscalateVlmInput(match_brands=MatchBrandsOutput(detections=[], unresolved=candidates))


def by_text(**answers: str) -> Callable[[Ask], Reaction]:
    return lambda ask: verdict(answers[ask.read_text])


def timeless(output: EscalateVlmOutput) -> bytes:
    return serde.encode(replace(output, calls=[replace(call, seconds=0.0) for call in output.calls]))

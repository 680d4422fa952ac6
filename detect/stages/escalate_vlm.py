"""Stage 6: what text and pictures could not settle, to a vision-language model of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from detect.stages.base import Needs, StageContext
from detect.stages.escalation import (
    Dollars,
    EscalationOptions,
    EscalationOutput,
    ProviderName,
    Questions,
    escalate,
    provider_digests,
)
from detect.stages.match_brands import MatchBrandsOutput

if TYPE_CHECKING:
    from detect.resources import Resources


class EscalateVlmOptions(EscalationOptions, frozen=True, kw_only=True):
    """Which provider is asked, about how much, for how much money."""

    provider: ProviderName = "local"
    max_questions: Questions = 200
    budget_usd: Dollars = 1.0


class EscalateVlmInput(msgspec.Struct, frozen=True):
    match_brands: MatchBrandsOutput


class EscalateVlmOutput(EscalationOutput, frozen=True, kw_only=True):
    """Brands the local model recognised, what is left, and what its questions cost."""


class EscalateVlm:
    """Ask a local vision model about crops that nothing else could settle."""

    name, version = "escalate_vlm", 1
    scope: Literal["asset"] = "asset"
    uses_known_brands = True
    needs: Needs = "cloud"
    Options, Input, Output = EscalateVlmOptions, EscalateVlmInput, EscalateVlmOutput

    def model_digests(self, options: EscalateVlmOptions, resources: Resources) -> tuple[str, ...]:
        return provider_digests(options, resources)

    def run(self, ctx: StageContext, data: EscalateVlmInput) -> EscalateVlmOutput:
        return escalate(ctx, data.match_brands.unresolved, EscalateVlmOutput)

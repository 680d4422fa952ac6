"""Stage 7: what is left to a cloud model, under a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from detect.stages.base import Needs, StageContext
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.escalation import (
    Dollars,
    EscalationOptions,
    EscalationOutput,
    ProviderName,
    Questions,
    escalate,
    provider_digests,
)

if TYPE_CHECKING:
    from detect.resources import Resources


class EscalateCloudOptions(EscalationOptions, frozen=True, kw_only=True):
    """Which provider is asked, about how much, for how much money."""

    provider: ProviderName = "cloud"
    max_questions: Questions = 100
    budget_usd: Dollars = 0.5


class EscalateCloudInput(msgspec.Struct, frozen=True):
    escalate_vlm: EscalateVlmOutput


class EscalateCloudOutput(EscalationOutput, frozen=True, kw_only=True):
    """Brands the cloud model recognised, what is left, and what its questions cost."""


class EscalateCloud:
    """Ask a cloud model about what is left, within the budget."""

    name, version = "escalate_cloud", 1
    scope: Literal["asset"] = "asset"
    uses_known_brands = True
    needs: Needs = "cloud"
    Options, Input, Output = EscalateCloudOptions, EscalateCloudInput, EscalateCloudOutput

    def model_digests(self, options: EscalateCloudOptions, resources: Resources) -> tuple[str, ...]:
        return provider_digests(options, resources)

    def run(self, ctx: StageContext, data: EscalateCloudInput) -> EscalateCloudOutput:
        return escalate(ctx, data.escalate_vlm.unresolved, EscalateCloudOutput)

"""The providers file, to be read: which models may be asked, at what price, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Sum
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from detect.errors import ConfigError
from detect.models import ModelAnswer
from detect.providers.catalog import Provider, ProviderCatalog, load_catalog
from jobs.exports.words import money
from jobs.pages.shown import when

_EXAMPLE = """providers:
  local:
    base_url: http://localhost:11434/v1
    model: qwen2.5vl:7b
"""


@dataclass(frozen=True)
class Use:
    """What is stored of a provider's answers; each was paid for once."""

    answers: int
    usd: Decimal
    last: datetime


class ProvidersView(UnfoldModelAdminViewMixin, TemplateView):
    """Each provider with its address, prices and limits, whether its key is there (never the key), and its use."""

    title = "Providers and prices"
    permission_required = "detect.view_modelanswer"
    template_name = "admin/providers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.pop("model_admin")  # the route gives it, and so does the class
        path = settings.PROVIDERS_FILE
        catalog, problem = ProviderCatalog(), ""
        try:
            catalog = load_catalog(path)
        except ConfigError as error:
            problem = error.message
        uses = provider_uses()
        return super().get_context_data(
            **kwargs,
            path=str(path),
            exists=path.exists(),
            problem=problem,
            example=_EXAMPLE,
            providers=[_shown(catalog, catalog.providers[name], uses.pop(name, None)) for name in catalog.names],
            gone=[(name, *_use(use)) for name, use in sorted(uses.items())],
        )


def provider_uses() -> dict[str, Use]:
    """What is stored of each provider's answers, by its name."""
    rows = ModelAnswer.objects.order_by().values("provider")
    return {
        row["provider"]: Use(row["answers"], row["spent"], row["last"])
        for row in rows.annotate(answers=Count("digest"), spent=Sum("usd"), last=Max("created_at"))
    }


def providers_known() -> ProviderCatalog:
    """The providers of the file; none where it cannot be used, which the page about them tells."""
    try:
        return load_catalog(settings.PROVIDERS_FILE)
    except ConfigError:
        return ProviderCatalog()


def _shown(catalog: ProviderCatalog, provider: Provider, use: Use | None) -> dict[str, Any]:
    answers, spent, last = _use(use)
    return {
        "name": provider.name,
        "kind": provider.kind,
        "model": provider.model,
        "key_problem": catalog.key_problem(provider),
        "facts": [
            ("Address", provider.base_url),
            ("Key", _key(catalog, provider)),
            ("Price", _price(provider)),
            ("At once", f"{provider.concurrency} questions"),
            ("Waits", f"{provider.timeout_s:g} s for an answer, {provider.give_up_after_s:g} s for a question"),
            ("Attempts", f"{provider.max_attempts}, then left alone after {provider.stop_after_failures} failures"),
            ("Answers", f"at most {provider.max_output_tokens:,} tokens"),
            ("A picture", f"counted as {provider.image_tokens:,} tokens"),
        ],
        "figures": [("Answers", answers), ("Spent", spent), ("Last answer", last)],
    }


def _use(use: Use | None) -> tuple[str, str, str]:
    if use is None:
        return "0", money("0"), "never"
    return f"{use.answers:,}", money(str(use.usd)), when(use.last)


def _key(catalog: ProviderCatalog, provider: Provider) -> str:
    if not provider.api_key_env:
        return "none needed"
    state = "not usable" if catalog.key_problem(provider) else "set"
    return f"{provider.api_key_env}: {state}"


def _price(provider: Provider) -> str:
    prices = provider.usd_per_million_input_tokens, provider.usd_per_million_output_tokens
    if not any(prices):
        return "free"
    into, out = (money(str(price)) for price in prices)
    return f"{into} in, {out} out, for a million tokens"

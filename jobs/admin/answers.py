"""What models were asked and answered, and what runs with limits were charged for."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from detect.admin import ReadOnlyAdmin, Section
from detect.models import ModelAnswer, ModelCharge
from detect.providers.answers import StoredAnswer
from jobs.admin.links import job_link, link
from jobs.admin.providers import ProvidersView, providers_known
from jobs.exports.words import money, percent
from jobs.pages.shown import when


class ProviderFilter(admin.SimpleListFilter):
    """Providers of the file: to find out which are stored, all rows would have to be looked at."""

    title = parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in providers_known().names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


@admin.register(ModelAnswer)
class ModelAnswerAdmin(ReadOnlyAdmin):
    title = "Model answers"
    list_display = ("question", "provider", "model", "cost", "answered_at")
    list_filter = (ProviderFilter,)
    search_fields = ("digest__startswith",)
    search_help_text = "beginning of a digest"
    sortable_by = ()
    ordering = ("-created_at",)
    fields = (("provider", "model"), ("cost", "answered_at"), "digest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelAnswer]:
        return super().get_queryset(request).defer("body")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("providers/", "providers", ProvidersView.as_view(model_admin=self)),)

    @admin.display(description="question")
    def question(self, answer: ModelAnswer) -> str:
        return f"{answer.digest[:12]}…"

    @admin.display(description="cost")
    def cost(self, answer: ModelAnswer) -> str:
        return money(str(answer.usd))

    @admin.display(description="answered")
    def answered_at(self, answer: ModelAnswer) -> str:
        return when(answer.created_at)

    def sections(self, request: HttpRequest, row: ModelAnswer) -> list[Section]:
        try:
            stored = msgspec.json.decode(bytes(row.body), type=StoredAnswer)
        except msgspec.MsgspecError as error:
            return [Section("Answer", empty=f"It cannot be read: {error}")]
        said = stored.answer
        rows = [
            ("brand", said.brand if said.is_brand else "no brand"),
            ("sure to", percent(said.confidence)),
            ("why", said.reason),
            ("tokens", f"{stored.input_tokens:,} in, {stored.output_tokens:,} out"),
            ("took", f"{stored.seconds:.1f} s"),
            ("attempts", stored.attempts),
            ("in its own words", stored.raw),
        ]
        return [Section("Answer", ("what", "value"), rows)]


@admin.register(ModelCharge)
class ModelChargeAdmin(ReadOnlyAdmin):
    title = "Charges"
    list_display = ("cost", "calls", "job", "charged_at")
    search_fields = ("=job_id", "digest__startswith")
    search_help_text = "a job's whole id, or the beginning of a digest"
    sortable_by = ()
    fields = (("cost", "calls"), ("job", "answer"), "digest", "charged_at")

    @admin.display(description="cost")
    def cost(self, charge: ModelCharge) -> str:
        return money(str(charge.usd))

    @admin.display(description="job")
    def job(self, charge: ModelCharge) -> str:
        return job_link(charge.job_id)

    @admin.display(description="answer")
    def answer(self, charge: ModelCharge) -> str:
        return link(reverse("admin:detect_modelanswer_change", args=[charge.digest]), "Answer")

    @admin.display(description="charged")
    def charged_at(self, charge: ModelCharge) -> str:
        return when(charge.created_at)

"""What was decided, rejected and seen, to be looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.views import ChangeList

from brands.actions import Restore
from brands.actions.journal import is_in_force, undoings
from brands.admin.telling import decide_and_tell, sentence
from brands.models import Decision, RejectedText, SourceBrandSighting
from brands.pages.cards import settles, source_name
from detect.admin import ReadOnlyAdmin, Section
from mediaproc.principal import principal_of
from mediaproc.roles import Role
from mediaproc.words import moment

_MOST_CHANGES = 200


class _Records(ReadOnlyAdmin):
    """Looks as the admin of brands does."""

    class Media:
        css = {"all": ("css/brands_admin.css",)}


class _Decisions(ChangeList):
    """Knows of each decision whether it still holds, in one query more."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        undone = undoings()
        self.result_list = list(self.result_list)
        for decision in self.result_list:
            decision.in_force = is_in_force(decision.id, undone)


@admin.register(Decision)
class DecisionAdmin(_Records):
    """Every decision, newest first."""

    title = "Decisions"
    list_display = ("made_at", "who", "told", "kind", "settled", "holds")
    list_display_links = ("told",)
    list_filter = ("kind",)
    search_fields = ("sentence", "by")
    search_help_text = "what was decided, or who did"
    sortable_by = ()
    fields = ("told", "kind", "who", "made_at", "settled", "undo")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        return super().get_queryset(request).defer("changes").annotate(sources=Count("assets")).order_by("-id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _Decisions

    @admin.display(description="when")
    def made_at(self, decision: Decision) -> str:
        return f"{decision.created_at:%d %b %Y, %H:%M} UTC"

    @admin.display(description="who")
    def who(self, decision: Decision) -> str:
        return format_html("<bdi>{}</bdi>", decision.by.removeprefix("user:"))

    @admin.display(description="what")
    def told(self, decision: Decision) -> str:
        return format_html('<bdi class="brand-name brand-short">{}</bdi>', sentence(decision.sentence))

    @admin.display(description="settled")
    def settled(self, decision: Any) -> str:
        return settles(decision.seconds, decision.sources) if decision.items else "–"

    @display(description="holds", label={"yes": "success", "undone": "warning"})
    def holds(self, decision: Any) -> str:
        return "yes" if decision.in_force else "undone"

    @admin.display(description="")
    def undo(self, decision: Decision) -> str:
        word = "Undo" if is_in_force(decision.id, undoings()) else "Make again"
        address = reverse("admin:brands_knownbrand_undo", args=[decision.id])
        return format_html('<a class="cell-link" href="{}">{}</a>', address, word)

    def sections(self, request: HttpRequest, row: Decision) -> list[Section]:
        shown = [
            (change["model"], change["pk"], _fields(change["before"]), _fields(change["after"]))
            for change in row.changes[:_MOST_CHANGES]
        ]
        more = f"The first {_MOST_CHANGES} of {len(row.changes):,}." if len(row.changes) > _MOST_CHANGES else ""
        return [Section("What it changed", ("record", "id", "before", "after"), shown, note=more)]


@admin.register(RejectedText)
class RejectedTextAdmin(_Records):
    """Texts that are no brands."""

    title = "Rejected texts"
    list_display = ("shown", "rejected_at")
    search_fields = ("text",)
    search_help_text = "letters and digits of the text, as they are compared: without case, accents and spaces"
    ordering = ("text",)
    fields = ("shown", "rejected_at")
    actions = ("restore",)

    def has_curate_permission(self, request: HttpRequest) -> bool:
        return principal_of(request).may(Role.CURATOR)

    @admin.action(description="Restore: ask people about them again", permissions=["curate"])
    def restore(self, request: HttpRequest, queryset: QuerySet[RejectedText]) -> None:
        decide_and_tell(request, Restore(tuple(queryset.values_list("text", flat=True))))

    @admin.display(description="text", ordering="text")
    def shown(self, text: RejectedText) -> str:
        return format_html('<bdi class="brand-name">{}</bdi>', text.text)

    @admin.display(description="rejected", ordering="created_at")
    def rejected_at(self, text: RejectedText) -> str:
        return f"{text.created_at:%d %b %Y, %H:%M} UTC"


@admin.register(SourceBrandSighting)
class SourceBrandSightingAdmin(_Records):
    """What runs have found in each video; there may be millions."""

    title = "Sightings"
    list_display = ("brand_shown", "video", "occurrences", "detection_source", "from_to", "found_at")
    list_filter = ("detection_source",)
    search_fields = ("brand_name",)
    search_help_text = "name of the brand"
    list_select_related = ("source_asset",)
    ordering = ("-created_at", "-id")
    sortable_by = ()  # no index for any other order
    fields = ("brand_shown", "video", "occurrences", "detection_source", "from_to", "avg_confidence", "found_at")

    @admin.display(description="brand")
    def brand_shown(self, sighting: SourceBrandSighting) -> str:
        return format_html('<bdi class="brand-name">{}</bdi>', sighting.brand_name)

    @admin.display(description="video")
    def video(self, sighting: SourceBrandSighting) -> str:
        return source_name(sighting.source_asset)

    @admin.display(description="from, to")
    def from_to(self, sighting: SourceBrandSighting) -> str:
        return f"{moment(sighting.first_seen_timestamp)} – {moment(sighting.last_seen_timestamp)}"

    @admin.display(description="found")
    def found_at(self, sighting: SourceBrandSighting) -> str:
        return f"{sighting.created_at:%d %b %Y, %H:%M} UTC"


def _fields(values: dict[str, Any] | None) -> str:
    return "" if values is None else ", ".join(f"{name}: {value}" for name, value in values.items())

"""The engine's records, to be looked at: editing them would break history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from detect.models import SourceAsset, StageOutput
from detect.registry import load_pipeline


@dataclass(frozen=True)
class Picture:
    """One of a strip, with what it shows in words."""

    address: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A table, or a strip of pictures, below the facts of a row; ``empty`` is said where there is nothing in it.

    Cells are text, or what ``format_html`` made. ``link`` leads to where there is more: its address and its words.
    """

    title: str
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    pictures: Sequence[Picture] = field(default=())
    note: str = ""
    empty: str = "Nothing."
    link: tuple[str, str] | None = None


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows and changes none; a million of them are not counted to show the first."""

    show_full_result_count = False
    list_max_show_all = 0
    paginator = InfinitePaginator
    change_form_outer_after_template = "admin/sections.html"
    #: What its pages are called.
    title = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        """What is shown below the fields of ``row``."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": self.title, **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context["sections"] = self.sections(request, obj)
            context["show_history"] = self.has_change_permission(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


class StageFilter(admin.SimpleListFilter):
    """Stages as the pipeline has them: to find out which are stored, all rows would have to be looked at."""

    title = parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage.name, stage.name.replace("_", " ")) for stage in load_pipeline("brands").stages]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(stage=self.value()) if self.value() else queryset


@admin.register(SourceAsset)
class SourceAssetAdmin(ReadOnlyAdmin):
    title = "Videos"
    list_display = ("path", "length", "picture", "added_at")
    search_fields = ("path", "sha256")
    search_help_text = "path or digest"
    fields = ("path", "length", "picture", "sha256", "added_at")

    @admin.display(description="added", ordering="created_at")
    def added_at(self, asset: SourceAsset) -> str:
        return _moment(asset.created_at)

    @admin.display(description="length")
    def length(self, asset: SourceAsset) -> str:
        seconds = asset.probe.get("duration")
        return "" if seconds is None else f"{float(seconds):,.1f} s"

    @admin.display(description="picture")
    def picture(self, asset: SourceAsset) -> str:
        width, height = asset.probe.get("width"), asset.probe.get("height")
        return f"{width} × {height}, {asset.probe.get('frame_rate', '?')} fps" if width and height else ""

    def sections(self, request: HttpRequest, row: SourceAsset) -> list[Section]:
        facts = [(name.replace("_", " "), value) for name, value in row.probe.items()]
        return [Section("What was found out about it", ("fact", "value"), facts)]


@admin.register(StageOutput)
class StageOutputAdmin(ReadOnlyAdmin):
    """Their bodies are never read: they can be large, and are the program's own."""

    title = "Stage outputs"
    list_display = ("stage_name", "key_begins", "content", "work", "state", "stored_at")
    list_filter = (StageFilter, "incomplete")
    search_fields = ("key__startswith",)
    search_help_text = "beginning of a key"
    sortable_by = ()  # there can be millions, and no index for it
    fields = (("stage_name", "state"), ("content", "work"), "skipped", "key", "digest", "stored_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StageOutput]:
        return super().get_queryset(request).defer("body")

    @admin.display(description="stage")
    def stage_name(self, output: StageOutput) -> str:
        return output.stage.replace("_", " ")

    @admin.display(description="stored")
    def stored_at(self, output: StageOutput) -> str:
        return _moment(output.created_at)

    @admin.display(description="key")
    def key_begins(self, output: StageOutput) -> str:
        return f"{output.key[:12]}…"

    @admin.display(description="size")
    def content(self, output: StageOutput) -> str:
        return filesizeformat(output.size)

    @admin.display(description="computed in")
    def work(self, output: StageOutput) -> str:
        return f"{output.seconds:,.1f} s"

    @display(description="state", label={"whole": "success", "skipped": "info", "incomplete": "warning"})
    def state(self, output: StageOutput) -> str:
        return "incomplete" if output.incomplete else "skipped" if output.skipped else "whole"

    def sections(self, request: HttpRequest, row: StageOutput) -> list[Section]:
        figures = [(name.replace("_", " "), value) for name, value in row.stats.items()]
        return [Section("Figures", ("figure", "value"), figures, empty="The stage noted none.")]


def _moment(time: datetime) -> str:
    return f"{time:%d %b %Y, %H:%M} UTC"

"""Checkpoints: where they stand in their tree and what their stages noted. Only the bookmark can be changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextInputWidget

from detect.admin import ReadOnlyAdmin, Section, StageFilter
from detect.errors import MediaprocError
from detect.models import Checkpoint
from detect.persistence import DatabaseCheckpointStore
from jobs.admin.links import checkpoint_link, job_link, link, tree_address
from jobs.branches.scenarios import bookmark_set, expectation_of
from jobs.exports.words import length
from jobs.models import DetectJob
from jobs.pages.options import as_text, differences
from jobs.pages.shown import job_name, stage_word, when, words
from mediaproc.principal import principal_of

_LARGE = ("outputs", "config_snapshot", "config_overrides", "stats")


class BookmarkForm(forms.ModelForm):
    scenario_label = forms.CharField(
        label="Bookmark",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="With a label it is a scenario, to tune on and to judge other settings by. Empty takes it away, and "
        "what its report was expected to show.",
    )

    class Meta:
        model = Checkpoint
        fields = ("scenario_label",)


class CheckpointList(ChangeList):
    """Names the videos of a page's rows, all at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        jobs = DetectJob.objects.select_related("source_asset").only("video_path", "source_asset__probe")
        found = jobs.in_bulk({node.job_id for node in self.result_list})
        for node in self.result_list:
            job = found.get(node.job_id)
            node.video_name = "" if job is None else job_name(job)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    title = "Checkpoints"
    form = BookmarkForm
    list_display = ("after", "video", "job", "bookmark", "made_at")
    ordering = ("-created_at", "-stage_index")
    list_per_page = 50
    list_filter = ("is_scenario", StageFilter)
    search_fields = ("scenario_label", "=job_id")
    search_help_text = "bookmark, or a job's whole id"
    readonly_fields = ("after", "job", "branch", "children_of", "tree", "made_at")
    fields = ("scenario_label", ("after", "job"), "branch", ("children_of", "tree"), "made_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Checkpoint]:
        return super().get_queryset(request).defer(*_LARGE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For its bookmark, as on the site."""
        return request.user.has_perm("detect.change_checkpoint")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CheckpointList

    def save_model(self, request: HttpRequest, obj: Checkpoint, form: Any, change: bool) -> None:  # noqa: FBT001
        label = form.cleaned_data["scenario_label"]
        try:
            bookmark_set(checkpoint_id=obj.id, label=label, by=principal_of(request).name)
        except MediaprocError as error:
            messages.error(request, error.message)

    @admin.display(description="after", ordering="stage_index")
    def after(self, node: Checkpoint) -> str:
        return stage_word(node.stage)

    @admin.display(description="video")
    def video(self, node: Any) -> str:
        return node.video_name

    @admin.display(description="job")
    def job(self, node: Checkpoint) -> str:
        return job_link(node.job_id)

    @admin.display(description="bookmark", ordering="scenario_label")
    def bookmark(self, node: Checkpoint) -> str:
        return node.scenario_label

    @admin.display(description="created", ordering="created_at")
    def made_at(self, node: Checkpoint) -> str:
        return when(node.created_at)

    @admin.display(description="branch")
    def branch(self, node: Checkpoint) -> SafeString:
        """From the first stage to this one; another job's stages come first in a replay."""
        steps = DatabaseCheckpointStore().branch(node.id)
        shown = [
            stage_word(step.stage) if step.id == node.id else checkpoint_link(step.id, stage_word(step.stage))
            for step in steps
        ]
        return format_html('<span class="links">{}</span>', format_html_join("", "<span>{}</span>", zip(shown)))

    @admin.display(description="goes on with")
    def children_of(self, node: Checkpoint) -> Any:
        children = node.children.order_by("created_at").values_list("id", "stage")
        return format_html_join(", ", "{}", ((checkpoint_link(child, stage_word(stage)),) for child, stage in children))

    @admin.display(description="on the site")
    def tree(self, node: Checkpoint) -> str:
        return link(tree_address(node.job_id, node.id), "Tree of checkpoints")

    def sections(self, request: HttpRequest, row: Checkpoint) -> list[Section]:
        stages = [step.stage for step in DatabaseCheckpointStore().branch(row.id)]
        expected = expectation_of(row.id)
        brands = () if expected is None else expected.brands
        return [
            Section("Figures of its stages", ("stage", "figure", "value"), _figures(_in_order(row.stats, stages))),
            Section(
                "Options that differ",
                ("stage", "option", "value"),
                differences(_in_order(row.config_overrides, stages)),
                empty="All as the profile has them.",
            ),
            Section("Every option", ("stage", "option", "value"), differences(_in_order(row.config_snapshot, stages))),
            *(
                [Section("Expected of its report", ("brand", "on screen", "give or take"), _expected(brands))]
                if brands
                else []
            ),
        ]

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # one button: there is nothing to add, and one field to change
        hidden = {"show_save_and_continue": False, "show_save_and_add_another": False}
        kwargs["extra_context"] = {**hidden, **(kwargs.get("extra_context") or {})}
        return super().change_view(request, *args, **kwargs)


def _in_order(values: dict[str, Any], stages: list[str]) -> dict[str, Any]:
    """As the stages follow one another, for the database keeps no order; options of later stages come last."""
    return dict(sorted(values.items(), key=lambda item: stages.index(item[0]) if item[0] in stages else len(stages)))


def _figures(by_stage: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (stage_word(stage), words(name), length(value) if name == "seconds" else as_text(value))
        for stage, stats in by_stage.items()
        for name, value in stats.items()
    ]


def _expected(brands: Any) -> list[tuple[str, str, str]]:
    return [(brand["name"], length(brand["seconds"]), length(brand["tolerance"])) for brand in brands]

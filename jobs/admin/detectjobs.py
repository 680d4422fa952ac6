"""Jobs: found, looked at from all sides, paused, resumed, cancelled, deleted; never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from detect.admin import Section
from jobs.admin.acting import ActingAdmin
from jobs.admin.jobfacts import job_sections
from jobs.admin.links import job_link, link
from jobs.choices import JobStatus
from jobs.exports.words import money, percent, plural
from jobs.models import DetectJob
from jobs.pages.shown import asker, job_name, stage_word, when, words

#: How a state looks; the states themselves are in words beside it.
LOOKS = {
    JobStatus.PENDING.value: "info",
    JobStatus.RUNNING.value: "primary",
    JobStatus.PAUSED.value: "warning",
    JobStatus.COMPLETED.value: "success",
    JobStatus.FAILED.value: "danger",
    JobStatus.CANCELLED.value: "default",
}


@admin.register(DetectJob)
class DetectJobAdmin(ActingAdmin):
    title = "Jobs"
    paginator = Paginator  # there are thousands, and they are counted by an index
    list_per_page = 50
    list_display = ("video", "state", "how_far", "profile", "brands_found", "cost", "asked_by", "asked_at")
    list_filter = ("status", "run_type", "profile_name")
    search_fields = ("video_path", "source_asset__probe__name", "requested_by", "tags", "id")
    search_help_text = "video, tag, who asked, id"
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": (("state", "how_far"), "video", "video_path", "pages", "error_message")}),
        ("Result", {"fields": (("brands_found", "total_detections"), ("cost", "cloud_calls"), "timeline_of")}),
        (
            "Request",
            {
                "fields": (
                    ("kind", "profile"),
                    ("branches_off", "pipeline"),
                    ("asked_by", "tag_list"),
                    ("limits", "priority"),
                )
            },
        ),
        ("Times", {"fields": (("asked_at", "planned_for"), ("began_at", "ended_at"))}),
        ("Inside", {"fields": ("id", "task_id", "idempotency_key"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DetectJob]:
        jobs = super().get_queryset(request).select_related("source_asset")
        return jobs.defer("known_brands", "config_overrides", "request_digest")

    def sections(self, request: HttpRequest, row: DetectJob) -> list[Section]:
        return job_sections(row)

    @admin.display(description="video", ordering="video_path")
    def video(self, job: DetectJob) -> str:
        return job_name(job)

    @display(description="state", ordering="status", label=LOOKS)
    def state(self, job: DetectJob) -> str:
        return job.status

    @admin.display(description="progress", ordering="progress")
    def how_far(self, job: DetectJob) -> str:
        if job.status == JobStatus.COMPLETED:
            return "done"
        stage = f", {stage_word(job.current_stage).lower()}" if job.current_stage else ""
        return f"{percent(job.progress)}{stage}"

    @admin.display(description="profile", ordering="profile_name")
    def profile(self, job: DetectJob) -> str:
        return words(job.profile_name)

    @admin.display(description="kind", ordering="run_type")
    def kind(self, job: DetectJob) -> str:
        return job.get_run_type_display()

    @admin.display(description="cost", ordering="estimated_cost_usd")
    def cost(self, job: DetectJob) -> str:
        return money(str(job.estimated_cost_usd))

    @admin.display(description="calls of cloud models")
    def cloud_calls(self, job: DetectJob) -> int:
        return job.cloud_llm_calls

    @admin.display(description="requested by", ordering="requested_by")
    def asked_by(self, job: DetectJob) -> str:
        return asker(job)

    @admin.display(description="created", ordering="created_at")
    def asked_at(self, job: DetectJob) -> str:
        return when(job.created_at)

    @admin.display(description="on the site")
    def pages(self, job: DetectJob) -> SafeString:
        page = link(reverse("job-page", args=[job.id]), "Job page")
        tree = link(reverse("page-tree", args=[job.id]), "Tree of checkpoints")
        return format_html('<span class="links">{}{}</span>', page, tree)

    @admin.display(description="branches off")
    def branches_off(self, job: DetectJob) -> Any:
        if job.parent_job_id is None:
            return ""
        stage = f" at {stage_word(job.replay_from_stage).lower()}" if job.replay_from_stage else ""
        return format_html("{}{}", job_link(job.parent_job_id), stage)

    @admin.display(description="tags")
    def tag_list(self, job: DetectJob) -> str:
        return ", ".join(job.tags)

    @admin.display(description="may spend")
    def limits(self, job: DetectJob) -> str:
        spend = "" if job.cost_limit_usd is None else money(str(job.cost_limit_usd))
        calls = "" if job.call_limit is None else plural(job.call_limit, "question")
        return ", ".join(filter(None, (spend, calls))) or "no limit of its own"

    @admin.display(description="frames")
    def timeline_of(self, job: DetectJob) -> str:
        if job.timeline_id is None:
            return ""
        return link(reverse("admin:detect_timeline_change", args=[job.timeline_id]), "Timeline")

    @admin.display(description="not before")
    def planned_for(self, job: DetectJob) -> str:
        return when(job.scheduled_for)

    @admin.display(description="started")
    def began_at(self, job: DetectJob) -> str:
        return when(job.started_at)

    @admin.display(description="ended")
    def ended_at(self, job: DetectJob) -> str:
        return when(job.completed_at)

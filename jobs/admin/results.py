"""The results that count for their videos. Another is chosen on a job's page, where it can be seen what it says."""

from __future__ import annotations

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from detect.admin import ReadOnlyAdmin
from jobs.admin.links import job_link, link
from jobs.models import AcceptedResult
from jobs.pages.shown import job_name, when, words


@admin.register(AcceptedResult)
class AcceptedResultAdmin(ReadOnlyAdmin):
    title = "Accepted results"
    paginator = Paginator
    list_display = ("video", "profile", "brands", "chosen", "accepted", "brought_in")
    search_fields = ("job__video_path", "source_asset__probe__name", "chosen_by")
    search_help_text = "video, or who chose it"
    list_filter = (("recorded_at", admin.EmptyFieldListFilter), ("update", admin.EmptyFieldListFilter))
    fields = ("video", "page", "accepted_job", "profile", "brands", "chosen", "accepted", "brought_in", "replay")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AcceptedResult]:
        results = super().get_queryset(request).select_related("job__source_asset")
        return results.defer("job__known_brands", "job__config_overrides")

    @admin.display(description="video", ordering="job__video_path")
    def video(self, result: AcceptedResult) -> str:
        return job_name(result.job)

    @admin.display(description="report")
    def page(self, result: AcceptedResult) -> str:
        return link(reverse("job-page", args=[result.job_id]), "Job page")

    @admin.display(description="job")
    def accepted_job(self, result: AcceptedResult) -> str:
        return job_link(result.job_id)

    @admin.display(description="profile", ordering="job__profile_name")
    def profile(self, result: AcceptedResult) -> str:
        return words(result.job.profile_name)

    @admin.display(description="brands", ordering="job__brands_found")
    def brands(self, result: AcceptedResult) -> int:
        return result.job.brands_found

    @admin.display(description="chosen by", ordering="chosen_by")
    def chosen(self, result: AcceptedResult) -> str:
        return result.chosen_by.removeprefix("user:") or "nobody: the newest counts"

    @admin.display(description="accepted", ordering="accepted_at")
    def accepted(self, result: AcceptedResult) -> str:
        return when(result.accepted_at)

    @display(description="in totals and review", label={"yes": "success", "not yet": "warning"})
    def brought_in(self, result: AcceptedResult) -> str:
        return "yes" if result.recorded_at else "not yet"

    @admin.display(description="update in the making")
    def replay(self, result: AcceptedResult) -> str:
        return job_link(result.update_id)

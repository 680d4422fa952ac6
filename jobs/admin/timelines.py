"""Timelines: the frames that were sampled from a video, some of them to be seen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, F, Func, IntegerField, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.views import ChangeList

from detect.admin import Picture, ReadOnlyAdmin, Section
from detect.models import Timeline
from jobs.admin.links import job_link
from jobs.exports.words import moment
from jobs.models import DetectJob
from jobs.pages.shown import when, words

MOST_PICTURES = 24
_MOST_JOBS = 50


class TimelineList(ChangeList):
    """Counts frames and jobs of the rows of a page: to look at the frames of all timelines takes minutes."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        counts = _counts([timeline.pk for timeline in self.result_list])
        for timeline in self.result_list:
            timeline.counts = counts[timeline.pk]


def _counts(ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    # counted in the database: the frames of a long video are a large value
    frames = Func(F("frames_meta"), function="jsonb_array_length", output_field=IntegerField())
    rows = Timeline.objects.filter(id__in=ids).order_by().values("id", frames=frames).annotate(job_count=Count("jobs"))
    return {row["id"]: row for row in rows}


@admin.register(Timeline)
class TimelineAdmin(ReadOnlyAdmin):
    title = "Timelines"
    list_per_page = 50
    list_display = ("source_video", "profile", "rate", "frames", "jobs", "made_at")
    search_fields = ("source_video",)
    search_help_text = "video"
    fields = (("source_video", "profile"), ("rate", "frame_number"), ("frames_prefix", "made_at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Timeline]:
        return super().get_queryset(request).defer("frames_meta", "frames_manifest")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TimelineList

    @admin.display(description="profile", ordering="profile_name")
    def profile(self, timeline: Timeline) -> str:
        return words(timeline.profile_name)

    @admin.display(description="sampled at", ordering="fps")
    def rate(self, timeline: Timeline) -> str:
        return f"{timeline.fps:g} fps"

    @admin.display(description="frames")
    def frames(self, timeline: Any) -> str:
        return f"{timeline.counts['frames']:,}"

    @admin.display(description="jobs")
    def jobs(self, timeline: Any) -> str:
        return f"{timeline.counts['job_count']:,}"

    @admin.display(description="frames")
    def frame_number(self, timeline: Timeline) -> str:
        return f"{len(timeline.frames_meta):,}"

    @admin.display(description="created", ordering="created_at")
    def made_at(self, timeline: Timeline) -> str:
        return when(timeline.created_at)

    def sections(self, request: HttpRequest, row: Timeline) -> list[Section]:
        jobs = list(
            DetectJob.objects.filter(timeline=row)
            .order_by("-created_at")
            .values("id", "run_type", "status", "brands_found", "created_at")[:_MOST_JOBS]
        )
        made = [
            (job_link(job["id"]), job["run_type"], job["status"], job["brands_found"], when(job["created_at"]))
            for job in jobs
        ]
        return [
            self._strip(row, jobs[0]["id"] if jobs else None),
            Section("Jobs on it", ("job", "kind", "state", "brands", "created"), made, empty="None."),
        ]

    def _strip(self, timeline: Timeline, job_id: Any) -> Section:
        """Frames all along the video; they are read through a job that has them."""
        metas = timeline.frames_meta
        chosen = metas[:: max(1, -(-len(metas) // MOST_PICTURES))] if job_id else []
        pictures = [
            Picture(
                reverse("job-thumb", args=[job_id, meta["sequence"]]),
                f"{moment(meta['timestamp'])}, frame {meta['sequence']}",
            )
            for meta in chosen
        ]
        empty = "No job has them any more." if metas else "They are listed when the video has been gone through."
        return Section("Frames", pictures=pictures, empty=empty)

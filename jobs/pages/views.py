"""A job's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from detect.options import Overrides
from detect.registry import load_pipeline
from jobs.branches.trees import own_overrides
from jobs.choices import PITSTOP, JobStatus
from jobs.exports.view import report_context
from jobs.models import DetectJob
from jobs.pages.evidence import undecided_context
from jobs.pages.family import family_drawing
from jobs.pages.finished import LARGE
from jobs.pages.log import log_lines
from jobs.pages.options import differences
from jobs.pages.pictures import SitePictures
from jobs.pages.progress import progress_context
from jobs.pages.shown import abilities, accepted_mark, actions_for, asker, job_facts, job_name, stage_word
from jobs.pages.video import player_context
from jobs.selectors import job_report


@require_safe
def job_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A finished job's report; of another job, how far it is and what it waits for, or why it failed."""
    jobs = DetectJob.objects.select_related("source_asset", "timeline", "parent_job").defer(*LARGE)
    job = get_object_or_404(jobs, id=job_id)
    if job.pipeline == PITSTOP:
        return redirect("pitstop-page", job_id)
    context = {
        "job": job,
        "name": job_name(job),
        "facts": job_facts(job),
        "asker": asker(job),
        "changed": differences(_own_overrides(job)),
        "actions": actions_for(job),
        "unfinished": job.status in (JobStatus.PENDING, JobStatus.RUNNING),
        "here": "jobs",
        **abilities(request),
    }
    if job.status != JobStatus.COMPLETED or not load_pipeline(job.pipeline).gives_report:
        return render(request, "jobs/progress.html", {**context, **progress_context(job)})
    return render(request, "jobs/report.html", {**context, **_finished_context(job)})


def _finished_context(job: DetectJob) -> dict[str, Any]:
    """The report with what is around it: the player, what counts for the video, the log, other tries."""
    report = job_report(job)
    return {
        **report_context(report, SitePictures(job.id), with_exposures=False),
        **undecided_context(job, report),
        **player_context(job),
        "title": job_name(job),
        "mark": accepted_mark(job.source_asset_id),
        "from_stage": stage_word(job.replay_from_stage).lower() if job.replay_from_stage else "",
        "family": family_drawing(job),
        "tip": report.checkpoint_id,
        "lines": log_lines(job.id),
        "exposure_url": reverse("job-exposure", args=[job.id, 0, 0]),  # zeros stand for the brand and its exposure
        "print_url": reverse("job-report-print", args=[job.id]),
        "review_url": f"{reverse('review')}?job={job.id}",
    }


def _own_overrides(job: DetectJob) -> Overrides:
    """What the job was asked to do otherwise: than its profile, or than the job it branches off."""
    return own_overrides(job.config_overrides, job.parent_job.config_overrides if job.parent_job else {})

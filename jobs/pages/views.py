"""A job's page, and its report as files."""

from __future__ import annotations

from pathlib import PurePath
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from detect.config import Overrides
from detect.exports.rows import to_csv
from detect.report import Report, to_json
from jobs.branches.trees import own_overrides
from jobs.choices import JobStatus
from jobs.exports.view import report_context
from jobs.models import DetectJob
from jobs.pages.options import differences
from jobs.pages.pictures import SitePictures
from jobs.pages.progress import progress_context
from jobs.pages.shown import abilities, actions_for, asker, job_facts, job_name
from jobs.selectors import job_report

#: Lists of frames grow with the video, and the page is asked for again and again while the job runs.
_LARGE = ("timeline__frames_meta", "timeline__frames_manifest")


@require_safe
def job_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A finished job's report; of another job, how far it is and what it waits for, or why it failed."""
    jobs = DetectJob.objects.select_related("source_asset", "timeline", "parent_job").defer(*_LARGE)
    job = get_object_or_404(jobs, id=job_id)
    context = {
        "job": job,
        "name": job_name(job),
        "facts": job_facts(job),
        "asker": asker(job),
        "changed": differences(_own_overrides(job)),
        "actions": actions_for(job),
        "unfinished": job.status in (JobStatus.PENDING, JobStatus.RUNNING),
        **abilities(request),
    }
    if job.status != JobStatus.COMPLETED:
        return render(request, "jobs/progress.html", {**context, **progress_context(job)})
    return render(request, "jobs/report.html", {**context, **report_context(job_report(job), SitePictures(job.id))})


def _own_overrides(job: DetectJob) -> Overrides:
    """What the job was asked to do otherwise: than its profile, or than the job it branches off."""
    return own_overrides(job.config_overrides, job.parent_job.config_overrides if job.parent_job else {})


@require_safe
def report_json(request: HttpRequest, job_id: UUID) -> HttpResponse:  # noqa: ARG001
    """``report.json`` of a finished job."""
    job, report = _finished(job_id)
    return _download(to_json(report), "application/json", f"{_stem(job)}.report.json")


@require_safe
def report_csv(request: HttpRequest, job_id: UUID) -> HttpResponse:  # noqa: ARG001
    """``report.csv`` of a finished job."""
    job, report = _finished(job_id)
    return _download(to_csv(report), "text/csv; charset=utf-8", f"{_stem(job)}.report.csv")


def _finished(job_id: UUID) -> tuple[DetectJob, Report]:
    job = get_object_or_404(DetectJob, id=job_id)
    if job.status != JobStatus.COMPLETED:
        raise Http404(f"job {job_id} is {job.status}: it has no report yet")
    return job, job_report(job)


def _download(body: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


def _stem(job: DetectJob) -> str:
    return PurePath(job_name(job)).stem or str(job.id)

"""The list of jobs, a job's page, and its report as files."""

from __future__ import annotations

from pathlib import PurePath
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from detect.exports.rows import to_csv
from detect.report import Report, to_json
from jobs.choices import JobStatus
from jobs.exports.view import report_context
from jobs.exports.words import length
from jobs.models import DetectJob
from jobs.pages.pictures import SitePictures
from jobs.selectors import job_report

_JOBS_PER_PAGE = 25


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """All jobs, newest first; before there is one, how to make it."""
    jobs = DetectJob.objects.select_related("source_asset").defer("known_brands", "config_overrides")
    page = Paginator(jobs, _JOBS_PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"job": job, "name": _name(job), "facts": _facts(job)} for job in page]
    return render(request, "jobs/list.html", {"page": page, "rows": rows})


@require_safe
def job_page(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A finished job's report; of another job, how far it is or why it failed."""
    job = get_object_or_404(DetectJob, id=job_id)
    context = {"job": job, "name": _name(job), "unfinished": job.status in (JobStatus.PENDING, JobStatus.RUNNING)}
    if job.status != JobStatus.COMPLETED:
        return render(request, "jobs/progress.html", context)
    return render(request, "jobs/report.html", {**context, **report_context(job_report(job), SitePictures(job.id))})


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


def _name(job: DetectJob) -> str:
    return PurePath(job.video_path).name or job.video_path


def _facts(job: DetectJob) -> str:
    """Length of the video, profile and when it was asked for, in one line."""
    duration = job.source_asset.probe.get("duration")
    facts = [] if duration is None else [length(float(duration))]
    return " · ".join([*facts, job.profile_name.replace("_", " "), f"{job.created_at:%d %b %Y, %H:%M} UTC"])


def _stem(job: DetectJob) -> str:
    return PurePath(job.video_path).stem or str(job.id)

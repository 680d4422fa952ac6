"""A finished job's report as files, and as a page for paper."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from detect.exports.rows import to_csv
from detect.report import to_json
from jobs.exports.print_view import print_context
from jobs.exports.workbook import WORKBOOK_TYPE, to_workbook
from jobs.pages.finished import file_stem, finished_report
from jobs.pages.pictures import SitePictures
from jobs.pages.shown import job_name


@require_safe
def report_json(request: HttpRequest, job_id: UUID) -> HttpResponse:  # noqa: ARG001
    """``report.json`` of a finished job."""
    job, report = finished_report(job_id)
    return _download(to_json(report), "application/json", f"{file_stem(job)}.report.json")


@require_safe
def report_csv(request: HttpRequest, job_id: UUID) -> HttpResponse:  # noqa: ARG001
    """``report.csv`` of a finished job."""
    job, report = finished_report(job_id)
    return _download(to_csv(report), "text/csv; charset=utf-8", f"{file_stem(job)}.report.csv")


@require_safe
def report_xlsx(request: HttpRequest, job_id: UUID) -> HttpResponse:  # noqa: ARG001
    """``report.xlsx`` of a finished job."""
    job, report = finished_report(job_id)
    return _download(to_workbook(report, title=job_name(job)), WORKBOOK_TYPE, f"{file_stem(job)}.report.xlsx")


@require_safe
def report_print(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The report for paper: the timeline drawn, the table of brands, the best evidence of each."""
    job, report = finished_report(job_id)
    context = print_context(report, SitePictures(job.id))
    return render(request, "report/print.html", {**context, "job": job, "title": job_name(job)})


def _download(body: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response

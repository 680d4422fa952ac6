"""A finished job and its report, as its pages and files take them."""

from __future__ import annotations

from pathlib import PurePath
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from detect.registry import load_pipeline
from detect.report import Report
from jobs.choices import JobStatus
from jobs.models import DetectJob
from jobs.pages.shown import job_name
from jobs.selectors import job_report

#: Lists of frames grow with the video; no page needs them.
LARGE = ("timeline__frames_meta", "timeline__frames_manifest")


def finished_report(job_id: UUID) -> tuple[DetectJob, Report]:
    """A job with its report, in a fixed number of queries. Raises ``Http404`` while it has none."""
    job = get_object_or_404(DetectJob.objects.select_related("source_asset", "timeline").defer(*LARGE), id=job_id)
    if job.status != JobStatus.COMPLETED:
        raise Http404(f"job {job_id} is {job.status}: it has no report yet")
    if not load_pipeline(job.pipeline).gives_report:
        raise Http404(f"job {job_id} has no report of brands")
    return job, job_report(job)


def file_stem(job: DetectJob) -> str:
    """What files made from the job are named after."""
    return PurePath(job_name(job)).stem or str(job.id)

"""Running a job in the foreground of a command."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from rich.console import Console

from detect.config import load_pipeline
from detect.report import Report
from jobs.console import ConsoleProgress
from jobs.exports import write_report
from jobs.models import DetectJob
from jobs.selectors import job_frames
from jobs.services import job_run
from jobs.stopping import Stop


def run_job(job: DetectJob, *, out: Path | None, progress: Console, stop: Stop) -> tuple[Report, Path]:
    """Run a job with a bar a stage and write its report to ``out``, or to its place in the data folder.

    Returns the report and its page. Raises as :func:`~jobs.services.job_run` does, ``CancelledError`` once ``stop``
    was asked for among it.
    """
    folder = out or settings.REPORTS_FOLDER / str(job.id)
    frames = job_frames(job)
    with ConsoleProgress(progress, len(load_pipeline(job.pipeline).stages)) as listener:
        report = job_run(
            job=job,
            listener=listener,
            checkpoint=stop.check,
            deliver=lambda report: write_report(report, folder, frames),
        )
    return report, folder / "report.html"

"""Running a job in the foreground of a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from rich.console import Console

from detect.registry import load_pipeline
from detect.report import Report
from jobs.console import ConsoleProgress
from jobs.exports import write_report
from jobs.models import DetectJob
from jobs.selectors import job_frames
from jobs.services import job_run
from jobs.stopping import Stop


def run_job(
    job: DetectJob, *, progress: Console, stop: Stop, deliver: Callable[[Report], object] = lambda _: None
) -> None:
    """Run a job with a bar a stage. Raises as :func:`~jobs.services.job_run` does, ``CancelledError`` once ``stop`` was
    asked for among it.
    """
    with ConsoleProgress(progress, len(load_pipeline(job.pipeline).stages)) as listener:
        job_run(job=job, listener=listener, checkpoint=stop.check, deliver=deliver)


def report_job(job: DetectJob, *, out: Path | None, progress: Console, stop: Stop) -> tuple[Report, Path]:
    """Run a job and write its report to ``out``, or to its place in the data folder; the report and its page."""
    folder = out or settings.REPORTS_FOLDER / str(job.id)
    frames, reports = job_frames(job), list[Report]()

    def deliver(report: Report) -> None:
        write_report(report, folder, frames)
        reports.append(report)

    run_job(job, progress=progress, stop=stop, deliver=deliver)
    return reports[0], folder / "report.html"

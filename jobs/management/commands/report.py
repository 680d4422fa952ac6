"""``manage.py report JOB``: write the report of a job that has completed, wherever it ran."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from detect.persistence import database_errors
from detect.report import to_json
from jobs.console import brand_table, consoles
from jobs.exports import write_report
from jobs.management.arguments import add_report_arguments, make_writable_folder
from jobs.selectors import job_find, job_frames, job_report
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare


class Command(BaseCommand):
    help = "Write the report of a completed job: report.json, report.csv, report.html and the pictures it shows."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="the job's id, or how it begins")
        add_report_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with database_errors():
            self._report(options)

    def _report(self, options: dict[str, Any]) -> None:
        make_writable_folder(options["out"])
        prepare()
        job = job_find(options["job"])
        report = job_report(job)
        folder = options["out"] or settings.REPORTS_FOLDER / str(job.id)
        write_report(report, folder, job_frames(job))
        if options["json"]:
            self.stdout.write(to_json(report).decode(), ending="")
            return
        output, _ = consoles(quiet=False)
        output.print(brand_table(report))
        output.print(f"Report: {folder / 'report.html'}", soft_wrap=True)

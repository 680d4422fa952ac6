"""``manage.py replay JOB --from STAGE``: run a job again from a stage on, with other options."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from detect.config import load_pipeline, parse_assignments
from detect.exports.files import make_folder
from detect.report import to_json
from jobs.console import ConsoleProgress, brand_table, consoles, reuse_table, stop_on_signal
from jobs.exports import write_report
from jobs.management.arguments import add_set_argument
from jobs.selectors import job_find, job_frames
from jobs.services import job_replay, job_run
from mediaproc.services import prepare

_EXAMPLES = """
examples:
  manage.py replay 3f2a --from match_brands --set match_brands.min_similarity=0.9
  manage.py replay 3f2a --from run_ocr --set run_ocr.detect_side=1600

The job it starts from is kept as it is: a replay adds a branch to the tree (`manage.py checkpoints JOB`). What the new
options do not change is reused, not computed again.
"""


class Command(BaseCommand):
    help = "Run a job again from a stage on, with other options; prints what was reused and what ran."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="the job's id, or how it begins")
        parser.add_argument("--from", dest="stage", required=True, metavar="STAGE", help="first stage to run again")
        add_set_argument(parser)
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="folder for the report (default: in the data folder)"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        overrides = parse_assignments(options["set"])
        if options["out"] is not None:
            make_folder(options["out"])
        prepare()
        parent = job_find(options["job"])
        job = job_replay(parent=parent, start_stage=options["stage"], overrides=overrides)
        output, progress = consoles(quiet=options["json"])
        stages = len(load_pipeline(job.pipeline).stages)
        with stop_on_signal() as stop, ConsoleProgress(progress, stages) as listener:
            report = job_run(job=job, listener=listener, checkpoint=stop.check)
        written = write_report(report, options["out"] or settings.REPORTS_FOLDER / str(job.id), job_frames(job))
        if options["json"]:
            self.stdout.write(to_json(report).decode(), ending="")
            return
        output.print(reuse_table(report.stages))
        output.print(brand_table(report))
        output.print(f"Report: {next(path for path in written if path.suffix == '.html')}", soft_wrap=True)
        output.print(f"Job {job.id}, a replay of {parent.id}")

"""``manage.py replay JOB --from STAGE``: run a job again from a stage on, with other options."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand

from detect.options import parse_assignments
from detect.persistence import database_errors
from detect.registry import load_pipeline
from detect.report import report_stage, to_json
from jobs.console import brand_table, consoles, reuse_table
from jobs.engine import engine_resources
from jobs.management.arguments import add_report_arguments, add_set_argument, make_writable_folder
from jobs.management.foreground import report_job, run_job
from jobs.selectors import job_find, job_stage_results
from jobs.services import job_replay
from jobs.stopping import Stop, stop_on_signal
from mediaproc.checks import INSTALLATION
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
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="the job's id, or how it begins")
        parser.add_argument("--from", dest="stage", required=True, metavar="STAGE", help="first stage to run again")
        add_set_argument(parser)
        add_report_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with stop_on_signal() as stop, database_errors():
            self._replay(stop, options)

    def _replay(self, stop: Stop, options: dict[str, Any]) -> None:
        overrides = parse_assignments(options["set"])
        engine_resources().object_weights_path()
        make_writable_folder(options["out"])
        prepare()
        parent = job_find(options["job"])
        job = job_replay(parent=parent, start_stage=options["stage"], overrides=overrides)
        output, progress = consoles(quiet=options["json"])
        if not load_pipeline(job.pipeline).gives_report:
            run_job(job, progress=progress, stop=stop)
            output.print(reuse_table([report_stage(result) for result in job_stage_results(job)]))
            output.print(f"Job {job.id}, a replay of {parent.id}")
            return
        report, page = report_job(job, out=options["out"], progress=progress, stop=stop)
        if options["json"]:
            self.stdout.write(to_json(report).decode(), ending="")
            return
        output.print(reuse_table(report.stages))
        output.print(brand_table(report))
        output.print(f"Report: {page}", soft_wrap=True)
        output.print(f"Job {job.id}, a replay of {parent.id}")

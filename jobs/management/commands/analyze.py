"""``manage.py analyze VIDEO``: from a video file to a brand report, in the foreground."""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from brands.brand_lists import read_brand_list
from brands.services import brand_add_logo, brands_ensure
from detect.config import DEFAULT_PROFILE, load_pipeline, parse_assignments, profile_names, resolve
from detect.errors import CancelledError, ConfigError
from detect.exports.files import make_folder
from detect.matching import normalize
from detect.media.probe import probe
from detect.report import Report, to_json
from jobs.console import ConsoleProgress, brand_table, consoles, stop_on_signal
from jobs.exports import write_report
from jobs.management.arguments import add_set_argument
from jobs.models import DetectJob
from jobs.selectors import job_frames
from jobs.services import job_run, job_submit
from mediaproc.services import prepare

_EXAMPLES = """
examples:
  manage.py analyze match.mp4 --brands "Acme, Globex"
  manage.py analyze match.mp4 --brands brands.csv --out report/
  manage.py analyze match.mp4 --set extract_frames.fps=4 --set run_ocr.min_confidence=0.7
  manage.py analyze match.mp4 --json | jq '.brands[] | [.name, .seconds]'

Without --brands every confirmed known brand is looked for, and unknown lettering that stays on screen is proposed as an
unconfirmed brand. Stopped with Ctrl-C or killed, the same command goes on where it was.
"""


class Command(BaseCommand):
    help = "Analyse a video: which brands were on screen, when, how large and where."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("video", type=Path, help="the video file")
        parser.add_argument("--brands", metavar="LIST", help="names with commas between, or a CSV of name,alias;alias")
        parser.add_argument(
            "--logo",
            metavar="BRAND=IMAGE",
            action="append",
            default=[],
            help="a reference picture of a brand's logo, for marks without words; may be given again",
        )
        parser.add_argument(
            "--profile",
            default=DEFAULT_PROFILE,
            help=f"kind of footage: {', '.join(profile_names())} (default %(default)s)",
        )
        add_set_argument(parser)
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="folder for the report (default: in the data folder)"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        overrides = parse_assignments(options["set"])
        resolve(load_pipeline("brands"), options["profile"], overrides)
        listed = None if options["brands"] is None else read_brand_list(options["brands"])
        probe(options["video"])
        if options["out"] is not None:
            make_folder(options["out"])
        prepare()
        known = None if listed is None else brands_ensure(listed=listed)
        _add_logos(options["logo"], known)
        submission = job_submit(
            video=options["video"].resolve(), profile=options["profile"], overrides=overrides, brands=known
        )
        output, progress = consoles(quiet=options["json"])
        if submission.resumed:
            progress.print(f"Going on with job {submission.job.id}, which did not finish.")
        report = self._run(submission.job, progress)
        out = options["out"] or settings.REPORTS_FOLDER / str(submission.job.id)
        written = write_report(report, out, job_frames(submission.job))
        if options["json"]:
            self.stdout.write(to_json(report).decode(), ending="")
            return
        output.print(brand_table(report))
        for note in report.notes:
            output.print(f"[dim]{note.stage} {note.kind}: {note.reason}", soft_wrap=True)
        for problem in report.source.problems:
            output.print(f"[yellow]{problem}", soft_wrap=True)
        output.print(f"Report: {next(path for path in written if path.suffix == '.html')}", soft_wrap=True)
        output.print(
            f"Job {submission.job.id}: replay it with `manage.py replay {str(submission.job.id)[:8]} --from STAGE`"
        )

    @staticmethod
    def _run(job: DetectJob, console: Any) -> Report:
        stages = len(load_pipeline(job.pipeline).stages)
        with stop_on_signal() as stop, ConsoleProgress(console, stages) as listener:
            try:
                return job_run(job=job, listener=listener, checkpoint=stop.check)
            except (CancelledError, KeyboardInterrupt):
                again = shlex.join(["python", *sys.argv])
                raise CancelledError(f"stopped; everything finished is kept. To go on: {again}") from None


def _add_logos(assignments: list[str], listed: Any) -> None:
    brands = {brand.normalized_name: brand for brand in listed or ()}
    for text in assignments:
        name, equals, path = text.partition("=")
        brand = brands.get(normalize(name))
        if not equals or brand is None:
            raise ConfigError(f"--logo {text}: give BRAND=IMAGE with a brand that is named in --brands")
        brand_add_logo(brand=brand, path=Path(path))

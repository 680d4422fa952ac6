"""``manage.py analyze VIDEO``: from a video file to a brand report, in the foreground."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from brands.brand_lists import read_brand_list
from brands.models import KnownBrand
from brands.services import brand_add_logo, brands_ensure
from detect.errors import StorageError
from detect.matching import normalize
from detect.media.probe import probe
from detect.options import parse_assignments
from detect.persistence import database_errors
from detect.report import to_json
from detect.types import KnownBrandRecord
from jobs.console import brand_table, consoles
from jobs.engine import engine_resources
from jobs.management.arguments import (
    add_profile_argument,
    add_report_arguments,
    add_set_argument,
    check_name,
    make_writable_folder,
    read_logos,
    resolve_arguments,
)
from jobs.management.foreground import report_job
from jobs.services import Order, asset_ensure, job_submit
from jobs.stopping import Stop, stop_on_signal
from mediaproc.checks import INSTALLATION
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
    requires_system_checks = (INSTALLATION,)

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
        add_profile_argument(parser)
        add_set_argument(parser)
        add_report_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with stop_on_signal() as stop, database_errors():
            self._analyze(stop, options)

    def _analyze(self, stop: Stop, options: dict[str, Any]) -> None:
        overrides = parse_assignments(options["set"])
        resolve_arguments(options["profile"], overrides)
        listed = None if options["brands"] is None else read_brand_list(options["brands"])
        logos = read_logos(options["logo"], listed)
        engine_resources().object_weights_path()
        check_name(options["video"])
        video = options["video"].resolve()
        probed = probe(video)
        make_writable_folder(options["out"])
        prepare()
        known = None if listed is None else brands_ensure(listed=listed)
        _add_logos(logos, known or [])
        submission = job_submit(
            asset=asset_ensure(probed=probed),
            video_path=str(video),
            profile=options["profile"],
            overrides=overrides,
            brands=known,
            order=Order(requested_by="command"),
        )
        job = submission.job
        output, progress = consoles(quiet=options["json"])
        if submission.resumed:
            progress.print(f"Going on with job {job.id}, which did not finish.")
        report, page = report_job(job, out=options["out"], progress=progress, stop=stop)
        if options["json"]:
            self.stdout.write(to_json(report).decode(), ending="")
            return
        output.print(brand_table(report))
        for note in report.notes:
            output.print(f"[dim]{note.stage} {note.kind}: {note.reason}", soft_wrap=True)
        for problem in report.source.problems:
            output.print(f"[yellow]{problem}", soft_wrap=True)
        output.print(f"Report: {page}", soft_wrap=True)
        output.print(f"Job {job.id}: replay it with `manage.py replay {str(job.id)[:8]} --from STAGE`")


def _add_logos(logos: list[tuple[KnownBrandRecord, Path]], known: list[KnownBrand]) -> None:
    brands = {brand.normalized_name: brand for brand in known}
    for record, path in logos:
        try:
            brand_add_logo(brand=brands[normalize(record.name)], path=path)
        except OSError as error:
            raise StorageError(f"the picture {path} cannot be stored: {error.strerror or error}") from error

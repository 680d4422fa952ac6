"""``manage.py datasets``: folders of videos for batches: list them, register one, look through one."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand
from rich.markup import escape
from rich.table import Table

from detect.errors import ConfigError, NotFoundError
from detect.timecode import format_timecode
from jobs.annotation.datasets import dataset_create, dataset_videos, datasets_all
from jobs.annotation.records import Dataset
from jobs.annotation.scanning import dataset_scan
from jobs.console import consoles
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare

_EXAMPLES = """
examples:
  manage.py datasets create "Cup 2026" /srv/videos/cup-2026
  manage.py datasets scan "Cup 2026"
  manage.py datasets list

A dataset is a folder below one of MEDIAPROC_ROOTS. A scan finds the videos and files of sound in it, however deep, and
looks only at those that are new or have changed. A dataset is named by its name, its id, or how that begins.
"""


class Command(BaseCommand):
    help = "List datasets, register a folder as one, and look through it for videos."
    requires_system_checks = (INSTALLATION,)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="the datasets there are")
        create = actions.add_parser("create", help="register a folder")
        create.add_argument("name")
        create.add_argument("folder", help="below one of MEDIAPROC_ROOTS; absolute, or relative to one")
        scan = actions.add_parser("scan", help="look through a dataset's folder")
        scan.add_argument("dataset")
        for action in (listing, create, scan):
            action.add_argument("--json", action="store_true", help="print the result as JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        output, _ = consoles(quiet=options["json"])
        if options["action"] == "create":
            made = dataset_create(name=options["name"], base_path=options["folder"], created_by="command")
            told: Any = {"id": str(made.id), "name": made.name, "base_path": made.base_path}
            shown: Any = f"Dataset {made.id}: `manage.py datasets scan {str(made.id)[:8]}` looks through it."
        elif options["action"] == "scan":
            dataset = _named(options["dataset"])
            dataset_scan(dataset=dataset)
            told = [
                {"path": video.path, "duration_sec": video.duration, "error": video.problem or None}
                for video in dataset_videos(dataset)
            ]
            shown = _videos_table(dataset)
        else:
            datasets = list(datasets_all())
            told = [{"id": str(one.id), "name": one.name, "base_path": one.base_path} for one in datasets]
            shown = _datasets_table(datasets) if datasets else "There are no datasets yet: `datasets create` makes one."
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            output.print(shown, soft_wrap=isinstance(shown, str))


def _named(text: str) -> Dataset:
    """Raises ``NotFoundError``, and ``ConfigError`` where several are meant."""
    found = [one for one in datasets_all() if text in (one.name, str(one.id))]
    found = found or [one for one in datasets_all() if str(one.id).startswith(text.lower())]
    if not found:
        raise NotFoundError(f"There is no dataset {text!r}: `manage.py datasets list` shows them.")
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise ConfigError(f"{text!r} may be one of {len(found)} datasets: name one by its id ({ids})")
    return found[0]


def _datasets_table(datasets: list[Any]) -> Table:
    table = Table()
    for heading in ("id", "name", "folder", "videos", "scanned"):
        table.add_column(heading, overflow="fold")
    for one in datasets:
        scanned = f"{one.scanned_at:%Y-%m-%d %H:%M}" if one.scanned_at else "never"
        table.add_row(str(one.id)[:8], escape(one.name), escape(one.base_path), str(one.video_count), scanned)
    return table


def _videos_table(dataset: Dataset) -> Table:
    table = Table(title=escape(dataset.name), title_justify="left")
    for heading in ("video", "length", "what is wrong"):
        table.add_column(heading, overflow="fold")
    for video in dataset_videos(dataset).iterator(chunk_size=2000):
        length = "" if video.duration is None else format_timecode(video.duration)
        table.add_row(escape(video.path), length, f"[yellow]{escape(video.problem)}")
    return table

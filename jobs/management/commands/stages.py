"""``manage.py stages``: every stage with its options, their ranges and defaults."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import msgspec
from django.core.management.base import BaseCommand
from rich.table import Table

from detect.options import describe_option
from detect.registry import load_pipeline
from jobs.console import consoles
from jobs.management.arguments import add_profile_argument, resolve_arguments
from mediaproc.checks import INSTALLATION


class Command(BaseCommand):
    help = "List the stages of the brand pipeline, what each does, and the options that --set takes."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_profile_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        output, _ = consoles()
        pipeline = load_pipeline("brands")
        config = resolve_arguments(options["profile"], {})
        for stage in pipeline.stages:
            table = Table(title=f"{stage.name}: {(stage.__doc__ or '').strip()}", title_justify="left", expand=True)
            for heading in ("option", "value", "what it is"):
                table.add_column(heading)
            values = msgspec.to_builtins(config.options[stage.name])
            for name, value in values.items():
                table.add_row(
                    f"{stage.name}.{name}", str(value), describe_option(stage, name).removeprefix("Allowed: ")
                )
            output.print(table)

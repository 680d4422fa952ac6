"""``manage.py checkpoints JOB``: the tree of a job's checkpoints."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from jobs.console import checkpoint_tree_view, consoles
from jobs.selectors import checkpoint_tree, job_find
from mediaproc.checks import INSTALLATION
from mediaproc.services import prepare


class Command(BaseCommand):
    help = "Draw the tree of checkpoints of a job, its replays included."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="the job's id, or how it begins")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        job = job_find(options["job"])
        output, _ = consoles()
        output.print(checkpoint_tree_view(checkpoint_tree(job), f"[bold]{job.video_path}"))

"""``manage.py scheduler``: keeps jobs going whatever was lost, and starts those whose time has come."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from jobs.management.ready import tell_ready
from mediaproc import env
from mediaproc.services import prepare


class Command(BaseCommand):
    help = (
        "Start jobs whose time has come, take work back from dead workers, fill the queue after it was lost, "
        "remove abandoned uploads and old events. One is enough; several do no harm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--interval", type=float, default=1.0, metavar="SECONDS", help="between two rounds (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from jobs.work.housekeeping import Housekeeping
        from jobs.work.reconcile import reconcile

        prepare(queue=True)
        housekeeping = Housekeeping()
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        tell_ready()
        while not stopped.is_set():
            reconcile()
            housekeeping.run_if_due()
            (env.DATA.run / "scheduler.beat").touch()  # a container's health check looks at how old it is
            stopped.wait(options["interval"])

"""``manage.py worker``: takes work from the queues until it is stopped."""

from __future__ import annotations

import logging
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand
from redis.exceptions import RedisError

from jobs.choices import Queue
from jobs.management.ready import tell_ready
from mediaproc.services import prepare

logger = logging.getLogger(__name__)

_EXAMPLES = """
examples:
  manage.py worker                      everything, on one machine
  manage.py worker --queues gpu         a host with a graphics card
  manage.py worker --queues cpu cloud   a host without one

SIGTERM or Ctrl-C ends it: the chunk it is at is given back and another worker takes it. Several may run on any number
of hosts; they need the same DATABASE_URL, REDIS_URL and storage.
"""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class Command(BaseCommand):
    help = "Work on jobs: take chunks from the queues, compute, store, until stopped."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=_EXAMPLES, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        described = ", ".join(f"{queue.value} ({queue.label})" for queue in Queue)
        parser.add_argument(
            "--queues",
            nargs="+",
            choices=Queue.values,
            default=Queue.values,
            metavar="QUEUE",
            help=f"which queues, the first first: {described}; default all",
        )
        parser.add_argument("--burst", action="store_true", help="end when the queues are empty")

    def handle(self, *args: Any, **options: Any) -> None:
        from jobs.work.tokens import get_queue
        from jobs.work.worker import DetectWorker

        prepare(queue=True)
        queues = [get_queue(name) for name in options["queues"]]
        tell_ready()
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                worker = DetectWorker(queues, connection=queues[0].connection, worker_ttl=25, maintenance_interval=10)
                worker.log_job_description = False
                worker.work(burst=options["burst"], logging_level="WARNING")
                if options["burst"] or worker.shutdown_was_asked_for:
                    return
            except RedisError as error:
                logger.warning("the queue is away: %s", error)
            # it ends by itself only when the queue is gone for a while
            pause = _FIRST_PAUSE if time.monotonic() - began > _LONGEST_PAUSE else min(_LONGEST_PAUSE, pause * 2)
            time.sleep(pause)

"""``manage.py up``: the whole system on one machine, until Ctrl-C."""

from __future__ import annotations

import logging
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from mediaproc import env, services, site
from mediaproc.management.commands.serve import add_address_arguments
from mediaproc.up.health import host_header
from mediaproc.up.logs import Output
from mediaproc.up.plan import Plan, default_workers
from mediaproc.up.statefile import StateFile
from mediaproc.up.supervisor import Supervisor

_FIRST_LOGIN = """\
Nobody can log in yet. In another terminal:
  a login:     {manage} createsuperuser
  an API key:  {manage} create_api_key NAME --role operator"""


class Command(BaseCommand):
    help = (
        "Run the whole system until Ctrl-C: database and queue (unless DATABASE_URL and REDIS_URL name others), web, "
        "workers and scheduler. What ends by itself is started again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_address_arguments(parser)
        parser.add_argument(
            "--workers", type=_count, default=default_workers(), help="(default %(default)s: one for two cores)"
        )
        parser.add_argument(
            "--queues",
            type=_queues,
            default=list(settings.RQ_QUEUES),
            metavar="NAME,…",
            help=f"what the workers take, of {', '.join(settings.RQ_QUEUES)} (default all)",
        )
        parser.add_argument("--inference", action="store_true", help="models run in one server, shared by the workers")
        parser.add_argument("--status", action="store_true", help="print what runs now, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        state_file = StateFile(env.DATA)
        if options["status"]:
            self._print_status(state_file)
            return
        with state_file.alone(), site.listen(options["host"], options["port"]) as listener:
            services.prepare(queue=True)
            plan = Plan(
                listener=listener,
                host_header=host_header(),
                queues=options["queues"],
                workers=options["workers"],
                inference=options["inference"],
                readable_logs=sys.stderr.isatty(),
            )
            try:
                code = self._run(plan, state_file, listener)
            finally:
                services.release()
        sys.exit(code)

    def _run(self, plan: Plan, state_file: StateFile, listener: socket.socket) -> int:
        specs = plan.children()
        output = Output(sys.stderr.buffer, ["up", *(spec.name for spec in specs)], colour=sys.stderr.isatty())
        _log_to(output)
        address = site.address_of(listener)
        nobody_yet = not User.objects.exists()
        connection.close()

        def greet(child: str) -> None:
            if child == "web":
                self.stdout.write(f"Site: {address}  (Ctrl-C stops it)")
                if nobody_yet:
                    self.stdout.write(_FIRST_LOGIN.format(manage=f"{sys.executable} {sys.argv[0]}"))
                self.stdout.flush()

        return Supervisor(
            specs,
            output=output,
            state_file=state_file,
            address=address,
            keep=_keep_servers,
            on_ready=greet,
            on_stop=listener.close,
        ).run()

    def _print_status(self, state_file: StateFile) -> None:
        table = state_file.table()
        if table is None:
            raise CommandError(f"`up` does not run on {env.DATA.root}.")
        self.stdout.write(table)


def _keep_servers() -> None:
    """Have the embedded servers running, also after their supervisor was killed. Raises ServiceError."""
    services.ensure_database()
    services.ensure_queue()


def _log_to(output: Output) -> None:
    """What `up` itself does is told at level INFO, whatever the others' level, and as one more child of the stream."""
    console = next(iter(logging.getLogger().handlers), None)
    handler = logging.StreamHandler(output.stream_of("up"))
    handler.setFormatter(console.formatter if console else None)
    logger = logging.getLogger("mediaproc.up")
    logger.setLevel(env.text("MEDIAPROC_LOG_LEVEL", "INFO").upper())
    logger.propagate = False
    logger.addHandler(handler)


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 256:
        raise ArgumentTypeError(f"{text!r}: use a whole number from 0 to 256")
    return number


def _queues(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in settings.RQ_QUEUES]
    if unknown or not names:
        raise ArgumentTypeError(f"{text!r}: name some of {', '.join(settings.RQ_QUEUES)}, with commas between them")
    return names

"""``manage.py serve``: the site, with the embedded servers it needs, until Ctrl-C."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mediaproc import site
from mediaproc.services import prepare


def add_address_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, help=f"the port (default {site.DEFAULT_PORT}, or the next that is free)")


class Command(BaseCommand):
    help = "Run the site until Ctrl-C. Starts the embedded servers, applies migrations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_address_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with site.listen(options["host"], options["port"]) as listener:
            prepare(queue=True)
            self.stdout.write(f"Site: {site.address_of(listener)}  (Ctrl-C stops it)")
            self.stdout.flush()
            site.serve(listener)

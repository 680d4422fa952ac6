"""``manage.py list_api_keys``: who may come in as a program."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from jobs.api_keys import ApiKey
from mediaproc.services import prepare


class Command(BaseCommand):
    help = "List API keys, newest first: prefix, name, role, user, when made, state. The keys themselves are not kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="revoked and expired ones too")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        keys = ApiKey.objects.select_related("user").order_by("-created")
        shown = [key for key in keys if options["all"] or _state(key).startswith("good")]
        if not shown:
            self.stderr.write("There are no keys: create_api_key makes one.")
            return
        rows = [("PREFIX", "NAME", "ROLE", "USER", "MADE", "STATE"), *(_row(key) for key in shown)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _row(key: ApiKey) -> tuple[str, ...]:
    user = "-" if key.user is None else key.user.get_username()
    return key.prefix, key.name, key.role, user, f"{key.created:%Y-%m-%d}", _state(key)


def _state(key: ApiKey) -> str:
    if key.revoked:
        return "revoked"
    if key.expiry_date is None:
        return "good"
    day = f"{key.expiry_date:%Y-%m-%d}"
    return f"expired {day}" if key.expiry_date <= timezone.now() else f"good until {day}"

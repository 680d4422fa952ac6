"""``manage.py create_api_key NAME --role ROLE``: a key for a program."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from jobs.api_keys import ApiKey
from mediaproc.roles import Role
from mediaproc.services import prepare

_LONGEST_NAME = 50


class Command(BaseCommand):
    help = "Make an API key and print it, and nothing else. It is shown this once: only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", type=_name, help="what it is for")
        parser.add_argument("--role", choices=Role.values, required=True, help="; ".join(Role.labels))
        parser.add_argument("--user", help="whose key it is; it may then never do more than they")
        parser.add_argument("--expires", type=_days, metavar="DAYS", help="how long it is good for (default: for ever)")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        days = options["expires"]
        _, key = ApiKey.objects.create_key(
            name=options["name"],
            user=_user(options["user"]),
            role=options["role"],
            expiry_date=None if days is None else timezone.now() + timedelta(days=days),
        )
        self.stdout.write(key)


def _user(name: str | None) -> User | None:
    if name is None:
        return None
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        known = ", ".join(User.objects.values_list("username", flat=True)[:10]) or "none yet: see createsuperuser"
        raise CommandError(f"There is no user {name!r} (users: {known}).") from None


def _name(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > _LONGEST_NAME:
        raise ArgumentTypeError(f"a name has 1 to {_LONGEST_NAME} characters")
    return text.strip()


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0
    if not 0 < days <= 36_500:
        raise ArgumentTypeError("a number of days, more than 0 and at most 36500")
    return days

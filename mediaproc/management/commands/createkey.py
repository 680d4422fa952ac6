"""``manage.py createkey USER NAME``: an API key for a program."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from jobs.api_keys import ApiKey
from mediaproc.roles import Role
from mediaproc.services import prepare


class Command(BaseCommand):
    help = "Make an API key that acts as a user, and print it. It is shown this once: only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="whose key it is")
        parser.add_argument("name", help="what it is for")
        roles = "; ".join(Role.labels)
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER, help=f"{roles} (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        try:
            user = User.objects.get(username=options["user"])
        except User.DoesNotExist:
            known = ", ".join(User.objects.values_list("username", flat=True)[:10]) or "none yet: see createsuperuser"
            raise CommandError(f"There is no user {options['user']!r} (users: {known}).") from None
        _, key = ApiKey.objects.create_key(name=options["name"], user=user, role=options["role"])
        self.stdout.write(key)

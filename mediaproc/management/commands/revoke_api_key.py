"""``manage.py revoke_api_key PREFIX|NAME``: a key that opens nothing any more."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.api_keys import ApiKey
from mediaproc.services import prepare


class Command(BaseCommand):
    help = "Revoke an API key, from its next request on. This cannot be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="PREFIX|NAME", help="as list_api_keys shows them")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        key = _one(options["key"])
        key.revoked = True
        key.save(update_fields=["revoked"])
        self.stdout.write(f"Revoked {key.prefix} ({key.name}).")


def _one(text: str) -> ApiKey:
    usable = ApiKey.objects.filter(revoked=False)
    found = list(usable.filter(prefix=text) or usable.filter(name=text))
    if not found:
        raise CommandError(f"There is no key {text!r} that is not revoked yet: see list_api_keys.")
    if len(found) > 1:
        prefixes = ", ".join(key.prefix for key in found)
        raise CommandError(f"{len(found)} keys are called {text!r}: name one by its prefix ({prefixes}).")
    return found[0]

#!/usr/bin/env python
"""Django's command line."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand


def main() -> int:
    """Run one command; an error that a person can fix is one line and exit code 1, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    gc.disable()  # until the command is loaded: none of what is imported becomes garbage
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import ManagementUtility
        from django.db import OperationalError

        from detect.errors import MediaprocError
        from mediaproc.allocator import share_pools
    except ModuleNotFoundError as error:
        print(f"{error}: run `make setup`, then use .venv/bin/python.", file=sys.stderr)
        return 1

    share_pools()

    class CommandLine(ManagementUtility):
        def fetch_command(self, subcommand: str) -> BaseCommand:
            command = super().fetch_command(subcommand)
            gc.freeze()
            gc.enable()
            return command

    try:
        CommandLine(sys.argv).execute()
    except (MediaprocError, ImproperlyConfigured) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except OperationalError as error:
        print(f"Error: the database cannot go on: {error}", file=sys.stderr)
        return 1
    finally:
        # The process ends: to look for garbage among all it has imported took longer than a run that computes nothing.
        gc.freeze()
    return 0


if __name__ == "__main__":
    sys.exit(main())

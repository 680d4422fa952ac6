"""A process that appends to batches' logs: for each line ``BATCH COUNT NAME`` it is given, ``COUNT`` lines of text."""

from __future__ import annotations

import os
import sys
from uuid import UUID

import django


def main() -> None:
    from jobs.annotation.events import batch_log

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for order in sys.stdin:
        batch, count, name = order.split()
        for number in range(int(count)):
            batch_log(UUID(batch), [f"{name} {number}"])
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
    django.setup()
    main()

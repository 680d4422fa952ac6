"""Whether there is anybody to do what a command gives to the workers."""

from __future__ import annotations

from django.utils import timezone
from rich.console import Console

from detect.errors import ConflictError
from jobs.bulk.schedules import Schedule
from jobs.work.presence import queues_served


def check_workers(starts: Schedule, console: Console) -> None:
    """Raises ``ConflictError`` where no worker runs; of what starts later that is merely said."""
    if queues_served():
        return
    problem = "no worker runs now: start some with `manage.py up` or `manage.py worker`"
    now = timezone.now()
    if starts.opens(now) <= now:
        raise ConflictError(f"{problem}, or give --here to run the replays in this process")
    console.print(problem[0].upper() + problem[1:], markup=False, soft_wrap=True)

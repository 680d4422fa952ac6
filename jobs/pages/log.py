"""The lines a job has logged, as its pages show them."""

from __future__ import annotations

from uuid import UUID

from jobs.choices import EventKind
from jobs.models import JobEvent

MOST_LINES = 300


def log_lines(job_id: UUID) -> list[dict[str, str]]:
    """``[{at, level, text}]`` of the last lines, in their order."""
    stored = JobEvent.objects.filter(job_id=job_id, kind=EventKind.LOG).order_by("-number")
    rows = list(stored.values("data", "created_at")[:MOST_LINES])
    return [
        {"at": f"{row['created_at']:%H:%M:%S}", "level": row["data"]["level"], "text": row["data"]["line"]}
        for row in reversed(rows)
    ]

"""Reading the list of a job's frames."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from detect.errors import NotFoundError
from jobs.models import DetectJob


def job_frame_list(job_id: UUID) -> list[dict[str, Any]]:
    """``[{sequence, timestamp}]`` in the order of time, empty until all were extracted. Raises ``NotFoundError``."""
    rows = list(DetectJob.objects.filter(id=job_id).values_list("timeline__frames_meta", flat=True))
    if not rows:
        raise NotFoundError(f"There is no job {job_id}.")
    return [{"sequence": frame["sequence"], "timestamp": frame["timestamp"]} for frame in rows[0] or ()]

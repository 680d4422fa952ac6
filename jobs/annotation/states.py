"""Words of a batch's life, as clients of its interface know them, and which may follow which."""

from __future__ import annotations

from django.db import models


class BatchState(models.TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELED = "canceled", "canceled"


ENDED = (BatchState.SUCCEEDED, BatchState.FAILED, BatchState.CANCELED)

#: Which state of a batch may follow which; anything else is refused by a trigger in the database.
TRANSITIONS: tuple[tuple[BatchState, BatchState], ...] = (
    (BatchState.QUEUED, BatchState.RUNNING),
    (BatchState.QUEUED, BatchState.FAILED),
    (BatchState.QUEUED, BatchState.CANCELED),
    (BatchState.RUNNING, BatchState.SUCCEEDED),
    (BatchState.RUNNING, BatchState.FAILED),
    (BatchState.RUNNING, BatchState.CANCELED),
)

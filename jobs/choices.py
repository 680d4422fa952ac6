"""Words of a job's life. Every interface shows its own words for them, mapped at its edge."""

from __future__ import annotations

from django.db import models


class JobStatus(models.TextChoices):
    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    PAUSED = "paused", "paused"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class RunType(models.TextChoices):
    INITIAL = "initial", "initial"
    REPLAY = "replay", "replay"
    RETRY = "retry", "retry"

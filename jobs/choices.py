"""Words of a job's life. Every interface shows its own words for them, mapped at its edge."""

from __future__ import annotations

from django.db import models

#: The pipeline whose jobs have an interface and pages of their own.
PITSTOP = "pitstop"


class JobStatus(models.TextChoices):
    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    PAUSED = "paused", "paused"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


#: Which state may follow which; anything else is refused by a trigger in the database.
TRANSITIONS: tuple[tuple[JobStatus, JobStatus], ...] = (
    (JobStatus.PENDING, JobStatus.RUNNING),
    (JobStatus.PENDING, JobStatus.PAUSED),
    (JobStatus.PENDING, JobStatus.FAILED),
    (JobStatus.PENDING, JobStatus.CANCELLED),
    (JobStatus.RUNNING, JobStatus.PAUSED),
    (JobStatus.RUNNING, JobStatus.COMPLETED),
    (JobStatus.RUNNING, JobStatus.FAILED),
    (JobStatus.RUNNING, JobStatus.CANCELLED),
    (JobStatus.PAUSED, JobStatus.PENDING),
    (JobStatus.PAUSED, JobStatus.RUNNING),
    (JobStatus.PAUSED, JobStatus.FAILED),
    (JobStatus.PAUSED, JobStatus.CANCELLED),
    (JobStatus.FAILED, JobStatus.PENDING),
    (JobStatus.FAILED, JobStatus.RUNNING),
    (JobStatus.FAILED, JobStatus.CANCELLED),
)

ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class RunType(models.TextChoices):
    INITIAL = "initial", "initial"
    REPLAY = "replay", "replay"
    RETRY = "retry", "retry"


class UnitState(models.TextChoices):
    READY = "ready", "ready"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class Queue(models.TextChoices):
    """What work needs, and so who takes it."""

    CPU = "cpu", "processor"
    GPU = "gpu", "graphics card"
    CLOUD = "cloud", "network: it waits for a model elsewhere"


class EventKind(models.TextChoices):
    """What an event tells; ``jobs/events.py`` says what each carries."""

    UPDATE = "job.update", "state, stage and progress"
    LOG = "job.log", "a line for people"
    STAGE = "job.stage", "a stage has ended"
    BRAND = "job.brand", "a brand was found"

"""Datasets, the batches that are run over them, and what came out of these."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from detect.models import SourceAsset
from jobs.annotation.states import TRANSITIONS, BatchState


class Dataset(models.Model):
    """A folder of videos below an allowed root, under a name.

    ``base_path`` is what was given: where it leads is looked at anew each time, and held against the roots.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    base_path = models.TextField(help_text="below a folder of MEDIAPROC_ROOTS")
    created_by = models.CharField(max_length=200, blank=True, help_text="user:NAME or key:NAME")
    created_at = models.DateTimeField(auto_now_add=True)
    scanned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name


class DatasetVideo(models.Model):
    """A file that the last scan of a dataset found: what is in it, or why it cannot be used."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="videos")
    path = models.TextField(help_text="relative to the dataset's folder, with /")
    size_bytes = models.BigIntegerField()
    modified_ns = models.BigIntegerField(help_text="time of its last change; a file that has another is probed anew")
    duration = models.FloatField(null=True, blank=True, help_text="seconds")
    has_pictures = models.BooleanField(default=False)
    has_sound = models.BooleanField(default=False)
    problem = models.TextField(blank=True, help_text="why it cannot be used; empty where it can")

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["dataset", "path"], name="one_video_a_path")]

    def __str__(self) -> str:
        return self.path


class Preset(models.Model):
    """Pipelines with values of their parameters under a name, saved by somebody; what it stands for never changes."""

    name = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    pipelines = models.JSONField(help_text="pipeline: parameter: value, where it differs from the default")
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AnnotationJob(models.Model):
    """A batch: videos of one dataset, each gone through by the same pipelines.

    ``configuration`` is what it is run with, fully resolved when it was asked for: of each pipeline its version,
    parameters, options and the digests of its models.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="annotation_jobs")
    preset = models.CharField(max_length=100, blank=True)
    overrides = models.JSONField(default=dict, blank=True, help_text="pipeline: parameter: value, over the preset")
    configuration = models.JSONField(default=dict)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    requested_by = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.QUEUED)
    progress = models.FloatField(default=0.0)
    current_stage = models.CharField(max_length=300, blank=True)
    error = models.TextField(blank=True)
    last_event = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-queued_at", "-id"]
        indexes = [models.Index(fields=["state", "-queued_at"], name="batch_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_batch_an_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="batch_progress_is_a_share"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="batch_state_follows",
                field="state",
                transitions=[(before.value, after.value) for before, after in TRANSITIONS],
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset} ({self.state})"


class AnnotationVideo(models.Model):
    """One video of a batch. ``folder`` is its own below the batch's outputs."""

    job = models.ForeignKey(AnnotationJob, on_delete=models.CASCADE, related_name="videos")
    position = models.PositiveIntegerField()
    path = models.TextField(help_text="relative to the dataset's folder")
    folder = models.CharField(max_length=255)
    duration = models.FloatField(null=True, blank=True, help_text="seconds, as known when it was asked for")
    asset = models.ForeignKey(SourceAsset, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.QUEUED)
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0, help_text="that were begun; what kills its process is given up")
    not_before = models.DateTimeField(null=True, blank=True, help_text="when it may be tried again")

    class Meta:
        ordering = ["job", "position"]
        constraints = [models.UniqueConstraint(fields=["job", "folder"], name="one_folder_a_video")]

    def __str__(self) -> str:
        return self.path


class AnnotationRun(models.Model):
    """One pipeline over one video of a batch, which an engine's job does.

    ``exported`` says that its files are written; ``seen_event`` is the last event of the engine's job that was told.
    """

    video = models.ForeignKey(AnnotationVideo, on_delete=models.CASCADE, related_name="runs")
    pipeline = models.CharField(max_length=100)
    position = models.PositiveIntegerField()
    detect_job = models.ForeignKey(
        "jobs.DetectJob", on_delete=models.SET_NULL, null=True, blank=True, related_name="annotation_runs"
    )
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.QUEUED)
    error = models.TextField(blank=True)
    progress = models.FloatField(default=0.0)
    seen_event = models.PositiveIntegerField(default=0)
    exported = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0, help_text="to write its files")
    not_before = models.DateTimeField(null=True, blank=True, help_text="when that may be tried again")

    class Meta:
        ordering = ["video", "position"]
        constraints = [models.UniqueConstraint(fields=["video", "pipeline"], name="one_run_a_pipeline")]

    def __str__(self) -> str:
        return f"{self.pipeline} of {self.video}"


class ArtifactFile(models.Model):
    """A file of a batch's results. The row is written once the file is whole."""

    run = models.ForeignKey(AnnotationRun, on_delete=models.CASCADE, related_name="artifacts")
    type = models.CharField(max_length=10)
    role = models.CharField(max_length=100)
    path = models.TextField(help_text="relative to the batch's folder of outputs")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    meta = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["run", "path"]
        constraints = [models.UniqueConstraint(fields=["run", "path"], name="one_artifact_a_path")]

    def __str__(self) -> str:
        return self.path


class AnnotationEvent(models.Model):
    """A numbered fact about a batch: 1, 2, 3 … without gaps. ``id`` grows over all batches in the order of commits."""

    job = models.ForeignKey(AnnotationJob, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_batch_event_a_number")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.job_id}"

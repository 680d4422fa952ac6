"""Requests for work, the pieces they fall into, and what is told of them."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from detect.models import Checkpoint, SourceAsset, Timeline
from jobs.annotation.records import (
    AnnotationEvent,
    AnnotationJob,
    AnnotationRun,
    AnnotationVideo,
    ArtifactFile,
    Dataset,
    DatasetVideo,
    Preset,
)
from jobs.api_keys import ApiKey
from jobs.branches.expectations import ScenarioExpectation
from jobs.choices import TRANSITIONS, EventKind, JobStatus, Queue, RunType, UnitState
from jobs.pitstop.records import MetricByHand, PitstopRun

__all__ = [
    "AcceptedResult",
    "AnnotationEvent",
    "AnnotationJob",
    "AnnotationRun",
    "AnnotationVideo",
    "ApiKey",
    "ArtifactFile",
    "Dataset",
    "DatasetVideo",
    "DetectJob",
    "JobEvent",
    "MetricByHand",
    "PitstopRun",
    "Preset",
    "ScenarioExpectation",
    "WorkUnit",
]


class DetectJob(models.Model):
    """One run of a pipeline over one asset: initial, or a replay or retry of another job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_asset = models.ForeignKey(SourceAsset, on_delete=models.CASCADE, related_name="jobs")
    timeline = models.ForeignKey(Timeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs")
    video_path = models.TextField(help_text="a file, or storage:KEY")
    pipeline = models.CharField(max_length=100, default="brands")
    profile_name = models.CharField(max_length=100, default="soccer_broadcast")
    parent_job = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="branches")
    branch_point = models.ForeignKey(
        Checkpoint, on_delete=models.SET_NULL, null=True, blank=True, related_name="branch_jobs"
    )
    run_type = models.CharField(max_length=10, choices=RunType, default=RunType.INITIAL)
    replay_from_stage = models.CharField(max_length=100, blank=True)
    config_overrides = models.JSONField(default=dict, blank=True)
    known_brands = models.BinaryField(help_text="known-brand snapshot of the run, encoded: a resumed run uses the same")
    request_digest = models.CharField(max_length=64, db_index=True, help_text="of source, options and brands asked for")
    idempotency_key = models.CharField(max_length=200, blank=True, help_text="the client's own name for its request")
    requested_by = models.CharField(max_length=200, blank=True, help_text="user:NAME, key:NAME or command")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.PENDING)
    current_stage = models.CharField(max_length=100, blank=True)
    stage_started_at = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0.0)
    error_message = models.TextField(blank=True)
    total_detections = models.PositiveIntegerField(default=0)
    brands_found = models.PositiveIntegerField(default=0)
    cloud_llm_calls = models.PositiveIntegerField(default=0)
    estimated_cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    cost_limit_usd = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, help_text="models are not asked beyond this"
    )
    call_limit = models.PositiveIntegerField(null=True, blank=True, help_text="nor more often than this")
    task_id = models.CharField(max_length=100, blank=True, help_text="of the queue's message that starts it")
    priority = models.IntegerField(default=0, help_text="higher goes first")
    scheduled_for = models.DateTimeField(null=True, blank=True, help_text="not before this moment")
    last_event = models.PositiveIntegerField(default=0, help_text="number of its last event")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="job_newest"),
            models.Index(fields=["status", "-created_at"], name="job_by_status"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_job_an_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_is_known"),
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="job_progress_is_a_share"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="job_status_follows",
                field="status",
                transitions=[(before.value, after.value) for before, after in TRANSITIONS],
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_type} of {self.video_path}"


class AcceptedResult(models.Model):
    """The result that counts for a video: what totals, review and exports over all videos are made from.

    A video's first result is accepted by itself, and a newer initial run takes its place until a person has chosen.
    ``recorded_at`` is when brands and review items were brought up to date with it; empty while that is still to be
    done. ``update`` is the replay that shows what it would be with what is known of brands today.
    """

    source_asset = models.OneToOneField(SourceAsset, on_delete=models.CASCADE, related_name="accepted")
    job = models.OneToOneField(DetectJob, on_delete=models.CASCADE, related_name="accepted")
    chosen_by = models.CharField(max_length=200, blank=True, help_text="who chose it; empty where nobody did")
    accepted_at = models.DateTimeField(auto_now_add=True)
    recorded_at = models.DateTimeField(null=True, blank=True)
    update = models.ForeignKey(DetectJob, on_delete=models.SET_NULL, null=True, blank=True, related_name="updates")

    class Meta:
        ordering = ["-accepted_at"]
        indexes = [models.Index(fields=["accepted_at"], condition=Q(recorded_at__isnull=True), name="result_to_record")]

    def __str__(self) -> str:
        return f"result of {self.source_asset}"


class WorkUnit(models.Model):
    """One stage over one chunk (or the whole asset) of a job that workers share; removed when the job has ended well.

    ``attempt`` is the fencing token: it grows with every lease, and what a former holder would write is refused.
    """

    job = models.ForeignKey(DetectJob, on_delete=models.CASCADE, related_name="units")
    stage = models.CharField(max_length=100)
    stage_index = models.PositiveIntegerField()
    chunk = models.PositiveIntegerField(help_text="number of the piece; 0 where the stage takes the whole asset")
    queue = models.CharField(max_length=10, choices=Queue, default=Queue.CPU)
    state = models.CharField(max_length=10, choices=UnitState, default=UnitState.READY)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0, help_text="attempts that failed or died")
    losses = models.PositiveIntegerField(default=0, help_text="attempts whose worker vanished")
    owner = models.CharField(max_length=200, blank=True, help_text="host:pid:start of the worker that holds it")
    leased_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True, help_text="when it may be tried again")
    items_done = models.PositiveIntegerField(default=0)
    items_total = models.PositiveIntegerField(default=0)
    output_key = models.CharField(max_length=64, blank=True)
    reused = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job", "stage_index", "chunk"]
        constraints = [
            models.UniqueConstraint(fields=["job", "stage_index", "chunk"], name="one_unit_a_piece"),
            models.CheckConstraint(condition=Q(state__in=UnitState.values), name="unit_state_is_known"),
        ]
        indexes = [models.Index(fields=["queue", "state"], condition=~Q(state="done"), name="unit_open")]

    def __str__(self) -> str:
        return f"{self.stage} {self.chunk} of {self.job_id}"


class JobEvent(models.Model):
    """A numbered fact about a job: 1, 2, 3 … without gaps, in the order of their commits. Never changed."""

    job = models.ForeignKey(DetectJob, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=EventKind)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["job", "number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_event_a_number")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.job_id}"

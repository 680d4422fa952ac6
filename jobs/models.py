"""Requests for work and how they went."""

from __future__ import annotations

import uuid

from django.db import models

from detect.models import Checkpoint, SourceAsset, Timeline
from jobs.api_keys import ApiKey
from jobs.choices import JobStatus, RunType

__all__ = ["ApiKey", "DetectJob"]


class DetectJob(models.Model):
    """One run of a pipeline over one asset: initial, or a replay or retry of another job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_asset = models.ForeignKey(SourceAsset, on_delete=models.CASCADE, related_name="jobs")
    timeline = models.ForeignKey(Timeline, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs")
    video_path = models.TextField()
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
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.PENDING)
    current_stage = models.CharField(max_length=100, blank=True)
    progress = models.FloatField(default=0.0)
    error_message = models.TextField(blank=True)
    total_detections = models.PositiveIntegerField(default=0)
    brands_found = models.PositiveIntegerField(default=0)
    cloud_llm_calls = models.PositiveIntegerField(default=0)
    estimated_cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    task_id = models.CharField(max_length=100, blank=True)
    priority = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.run_type} of {self.video_path}"

"""Asking for jobs: what the bodies of submit, replay and retry have in common, checked before anything is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from detect.config import DEFAULT_PROFILE
from jobs.api.fields import Money, OverridesField, PlainText, Whole
from jobs.models import DetectJob
from jobs.services import Order
from mediaproc.principal import principal_of

_LARGEST = 2**31 - 1
LONGEST_KEY = 200
_LONGEST_DELAY = 366 * 24 * 3600


class ReplaySerializer(serializers.Serializer[Any]):
    """Which job, from where, with what."""

    job_id = PlainText(help_text="the job to start from")
    config_overrides = OverridesField(required=False)
    tags = serializers.ListField(child=PlainText(max_length=100), required=False, max_length=50)
    priority = Whole(required=False, min_value=-_LARGEST, max_value=_LARGEST)
    cost_limit_usd = Money(required=False, help_text="models are not asked beyond this")
    call_limit = Whole(
        required=False, allow_null=True, min_value=0, max_value=_LARGEST, help_text="nor more often than this"
    )


class SubmitSerializer(ReplaySerializer):
    """A video, and how it is to be analysed. Exactly one of ``asset_id``, ``path`` and ``storage_key`` names it."""

    job_id = None  # type: ignore[assignment]
    asset_id = serializers.UUIDField(required=False, help_text="of an upload, or of any asset known already")
    path = PlainText(required=False, max_length=4000, help_text="a file below one of the allowed roots")
    storage_key = PlainText(required=False, max_length=1000, help_text="an object in the storage or bucket")
    profile = PlainText(default=DEFAULT_PROFILE, max_length=100, help_text="kind of footage")
    brands = serializers.ListField(
        child=PlainText(max_length=300),
        required=False,
        max_length=5000,
        help_text="look for these alone; without it, for every confirmed known brand",
    )
    schedule_seconds = Whole(
        required=False, min_value=0, max_value=_LONGEST_DELAY, help_text="start after so many seconds"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("asset_id", "path", "storage_key")) != 1:
            raise serializers.ValidationError("Name the video by exactly one of asset_id, path and storage_key.")
        return attrs


class JobSerializer(serializers.ModelSerializer[DetectJob]):
    """A job as programs see it."""

    source_asset_id = serializers.UUIDField()
    parent_job_id = serializers.UUIDField(allow_null=True)
    estimated_cost_usd = serializers.DecimalField(max_digits=14, decimal_places=6)

    class Meta:
        model = DetectJob
        fields = [
            "id",
            "source_asset_id",
            "video_path",
            "pipeline",
            "profile_name",
            "parent_job_id",
            "run_type",
            "replay_from_stage",
            "config_overrides",
            "status",
            "current_stage",
            "progress",
            "error_message",
            "total_detections",
            "brands_found",
            "cloud_llm_calls",
            "estimated_cost_usd",
            "cost_limit_usd",
            "call_limit",
            "task_id",
            "priority",
            "tags",
            "requested_by",
            "scheduled_for",
            "last_event",
            "created_at",
            "started_at",
            "completed_at",
        ]
        read_only_fields = fields


def order_from(request: Request, given: dict[str, Any]) -> Order:
    """For whom and how, from a checked body and the request's headers. Raises ValidationError for a key too long."""
    delay = given.get("schedule_seconds")
    key = request.headers.get("Idempotency-Key", "").replace("\x00", "")
    if len(key) > LONGEST_KEY:
        raise serializers.ValidationError({"Idempotency-Key": f"A key has at most {LONGEST_KEY} characters."})
    return Order(
        requested_by=principal_of(request).name,
        idempotency_key=key,
        tags=list(dict.fromkeys(given.get("tags", ()))),
        priority=given.get("priority", 0),
        scheduled_for=timezone.now() + timedelta(seconds=delay) if delay else None,
        cost_limit_usd=given.get("cost_limit_usd"),
        call_limit=given.get("call_limit"),
        queued=True,
    )

"""Batches as clients of ``/api/v0`` send and see them (contract: annotation)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from jobs.annotation.events import logs_tail, progress_pct
from jobs.annotation.records import AnnotationJob
from jobs.annotation.selectors import failures_of, queue_position, videos_of
from jobs.annotation.states import BatchState
from jobs.api.fields import Number, PlainText

_LINES_SHOWN = 50
_MOST_VIDEOS = 10_000


@extend_schema_serializer(component_name="AnnotationVideo")
class VideoSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(max_length=5000, trim_whitespace=False, help_text="as the scan lists it")
    duration_sec = Number(required=False, allow_null=True, min_value=0)


@extend_schema_field({"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {}}})
class ParametersField(serializers.DictField):
    """``{pipeline: {parameter: value}}``."""

    def __init__(self, **options: Any) -> None:
        told = "{pipeline: {parameter: value}}, over the preset's; GET /api/v0/pipelines lists them"
        super().__init__(**{"child": serializers.DictField(), "help_text": told, **options})


@extend_schema_serializer(component_name="Annotation")
class BatchRequestSerializer(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    videos = serializers.ListField(child=VideoSerializer(), min_length=1, max_length=_MOST_VIDEOS)
    preset = PlainText(required=False, allow_null=True, allow_blank=True, max_length=100)
    overrides = ParametersField(required=False)
    tags = serializers.ListField(child=PlainText(max_length=100), required=False, max_length=50)


@extend_schema_serializer(component_name="AnnotationQuery")
class BatchQuerySerializer(serializers.Serializer[Any]):
    state = serializers.MultipleChoiceField(choices=BatchState.choices, required=False)
    tag = PlainText(required=False, max_length=100)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=500)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)


@extend_schema_serializer(component_name="AnnotationJobSummary")
class BatchSummarySerializer(serializers.ModelSerializer[AnnotationJob]):
    """A batch in a list."""

    state = serializers.ChoiceField(BatchState.choices)
    progress_pct = serializers.SerializerMethodField(help_text="0-100")
    current_stage = serializers.CharField(allow_null=True)
    preset = serializers.CharField(allow_null=True)
    error = serializers.SerializerMethodField()
    queue_position = serializers.SerializerMethodField(help_text="1 is next; null once it has begun")

    class Meta:
        model = AnnotationJob
        fields = [
            "id",
            "dataset_id",
            "state",
            "queued_at",
            "started_at",
            "finished_at",
            "progress_pct",
            "current_stage",
            "error",
            "queue_position",
            "preset",
            "tags",
        ]

    def get_progress_pct(self, job: AnnotationJob) -> float:
        return progress_pct(job)

    @extend_schema_field({"type": ["string", "null"]})
    def get_error(self, job: AnnotationJob) -> str | None:
        return job.error or None

    @extend_schema_field({"type": ["integer", "null"]})
    def get_queue_position(self, job: AnnotationJob) -> int | None:
        return queue_position(job)

    def to_representation(self, instance: AnnotationJob) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {**shown, "current_stage": shown["current_stage"] or None, "preset": shown["preset"] or None}


class _RunState(serializers.Serializer[Any]):
    pipeline = serializers.CharField()
    state = serializers.ChoiceField(BatchState.choices)
    progress_pct = serializers.FloatField()
    error = serializers.CharField(allow_null=True)
    detect_job_id = serializers.UUIDField(allow_null=True, help_text="the engine's job, under /detect/jobs")


class _VideoState(serializers.Serializer[Any]):
    path = serializers.CharField()
    state = serializers.ChoiceField(BatchState.choices)
    progress_pct = serializers.FloatField()
    error = serializers.CharField(allow_null=True)
    pipelines = _RunState(many=True)


class _Failure(serializers.Serializer[Any]):
    path = serializers.CharField()
    pipeline = serializers.CharField()
    error = serializers.CharField()


@extend_schema_serializer(component_name="AnnotationJob")
class BatchSerializer(BatchSummarySerializer):
    """A batch with its log, its videos, and what it was resolved to."""

    logs_tail = serializers.SerializerMethodField()
    partly_failed = serializers.SerializerMethodField(help_text="some of it failed, and the rest is there")
    failures = serializers.SerializerMethodField()
    videos = serializers.SerializerMethodField()
    overrides = ParametersField()
    configuration = serializers.DictField(help_text="parameters, options, models and versions it runs with")

    class Meta(BatchSummarySerializer.Meta):
        fields = [
            *BatchSummarySerializer.Meta.fields,
            "logs_tail",
            "partly_failed",
            "failures",
            "videos",
            "overrides",
            "configuration",
        ]

    def get_logs_tail(self, job: AnnotationJob) -> list[str]:
        return logs_tail(job.id, _LINES_SHOWN)

    def get_partly_failed(self, job: AnnotationJob) -> bool:
        return job.error.startswith("partly failed")

    @extend_schema_field(_Failure(many=True))
    def get_failures(self, job: AnnotationJob) -> list[dict[str, Any]]:
        return failures_of(job)

    @extend_schema_field(_VideoState(many=True))
    def get_videos(self, job: AnnotationJob) -> list[dict[str, Any]]:
        return videos_of(job)


class _Artifact(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["video", "vtt", "rttm", "json", "csv", "png", "wav"])
    role = serializers.CharField()
    path = serializers.CharField(help_text="relative: GET /api/v0/jobs/{job_id}/artifacts/{path} gives the file")
    meta = serializers.DictField(help_text="pipeline, sha256 and size_bytes of each; others by role")


class _ViewerHint(serializers.Serializer[Any]):
    overlayOrder = serializers.ListField(  # noqa: N815 - the contract's name
        child=serializers.CharField(), help_text="roles as a player lays them over the video, the first at the bottom"
    )


@extend_schema_serializer(component_name="AnnotationArtifacts")
class ManifestSerializer(serializers.Serializer[Any]):
    """All files of a batch so far."""

    job_id = serializers.UUIDField()
    dataset_id = serializers.UUIDField()
    outputs = serializers.DictField(child=_Artifact(many=True), help_text="by the video's path")
    viewer_hint = _ViewerHint()

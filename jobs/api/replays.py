"""``POST /detect/replay`` and ``/detect/retry``: run part of a job again, as a new branch of its tree."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.errors import ConflictError
from jobs.api.fields import PlainText, Whole
from jobs.api.jobs import IDEMPOTENCY_KEY, get_job
from jobs.api.orders import ReplaySerializer, order_from
from jobs.api.schema import errors
from jobs.choices import JobStatus, RunType
from jobs.services import job_replay
from jobs.waiting import job_finish


class ReplayFailed(APIException):
    """The run was made and did not succeed; its reason is the detail."""

    status_code = 500
    default_code = "run_failed"


class ReplayRequestSerializer(ReplaySerializer):
    start_stage = PlainText(max_length=100, help_text="first stage to run again")


class RetryRequestSerializer(ReplaySerializer):
    start_stage = PlainText(max_length=100, default="escalate_vlm", help_text="first stage to run again")
    schedule_seconds = Whole(
        required=False, allow_null=True, min_value=0, max_value=366 * 24 * 3600, help_text="start after so many seconds"
    )


class ReplayAnswerSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["completed"])
    job_id = serializers.UUIDField(help_text="of the new job")
    parent_job_id = serializers.UUIDField(help_text="of the job it branches off")
    start_stage = serializers.CharField()
    detections = serializers.IntegerField()
    brands_found = serializers.IntegerField()


class RetryAnswerSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["queued"])
    task_id = serializers.CharField(help_text="the queue's message that starts it")
    job_id = serializers.UUIDField(help_text="of the new job")
    parent_job_id = serializers.UUIDField(help_text="of the job it branches off")


class Replay(APIView):
    """``POST /detect/replay``: answers when the run has come to its end."""

    @extend_schema(
        operation_id="replay",
        summary="Run a job again from a stage on, and wait for it",
        request=ReplayRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={200: ReplayAnswerSerializer, **errors(400, 404, 409, 500)},
        tags=["detection"],
    )
    def post(self, request: Request) -> Response:
        body = ReplayRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        parent = get_job(given["job_id"])
        job = job_finish(
            job_replay(
                parent=parent,
                start_stage=given["start_stage"],
                overrides=given.get("config_overrides", {}),
                order=order_from(request, given),
            )
        )
        if job.status == JobStatus.FAILED:
            raise ReplayFailed(f"The replay failed: {job.error_message}")
        if job.status != JobStatus.COMPLETED:
            raise ConflictError(f"job {job.id} was {job.status} before it had completed")
        answer = {
            "status": "completed",
            "job_id": job.id,
            "parent_job_id": parent.id,
            "start_stage": given["start_stage"],
            "detections": job.total_detections,
            "brands_found": job.brands_found,
        }
        return Response(ReplayAnswerSerializer(answer).data)


class Retry(APIView):
    """``POST /detect/retry``: queued at once, run by the workers when its time has come."""

    @extend_schema(
        operation_id="retry",
        summary="Ask about the unresolved candidates again, elsewhere or later",
        request=RetryRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={200: RetryAnswerSerializer, **errors(400, 404, 409)},
        tags=["detection"],
    )
    def post(self, request: Request) -> Response:
        body = RetryRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        parent = get_job(given["job_id"])
        job = job_replay(
            parent=parent,
            start_stage=given["start_stage"],
            overrides=given.get("config_overrides", {}),
            run_type=RunType.RETRY,
            order=order_from(request, given),
        )
        answer = {"status": "queued", "task_id": job.task_id, "job_id": job.id, "parent_job_id": parent.id}
        return Response(RetryAnswerSerializer(answer).data)

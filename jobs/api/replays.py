"""``POST /detect/replay`` and ``/detect/retry``: run part of a job again, as a new branch of its tree."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
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
from jobs.models import DetectJob
from jobs.services import job_replay
from jobs.waiting import job_finish


class ReplayFailed(APIException):
    """The run was made and did not succeed; its reason is the detail."""

    status_code = 500
    default_code = "run_failed"


@extend_schema_serializer(component_name="Replay")
class ReplayRequestSerializer(ReplaySerializer):
    start_stage = PlainText(max_length=100, help_text="first stage to run again")


@extend_schema_serializer(component_name="Retry")
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
        description="A new job branches off at `start_stage`: the stages before it are those of the job, and of the "
        "rest only what the overrides change is computed anew. The answer comes with the end of the run; for long "
        "stages use `/detect/retry`, which answers at once, and follow the job's events. What was there is neither "
        "changed nor deleted. `/detect/estimate` tells beforehand what it would take.",
        request=ReplayRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            200: ReplayAnswerSerializer,
            **errors(
                status_400="An unknown stage or option, or a value out of its range.",
                status_404="There is no such job.",
                status_409="The job has nothing stored to replay from, or the Idempotency-Key was another request's.",
                status_500="The run failed; `detail` is the reason and `code` is `run_failed`.",
            ),
        },
        tags=["detection"],
    )
    def post(self, request: Request) -> Response:
        job = job_finish(_replay(request, ReplayRequestSerializer, RunType.REPLAY))
        if job.status == JobStatus.FAILED:
            raise ReplayFailed(f"The replay failed: {job.error_message}")
        if job.status != JobStatus.COMPLETED:
            raise ConflictError(f"job {job.id} was {job.status} before it had completed")
        answer = {
            "status": "completed",
            "job_id": job.id,
            "parent_job_id": job.parent_job_id,
            "start_stage": job.replay_from_stage,
            "detections": job.total_detections,
            "brands_found": job.brands_found,
        }
        return Response(ReplayAnswerSerializer(answer).data)


class Retry(APIView):
    """``POST /detect/retry``: queued at once, run by the workers when its time has come."""

    @extend_schema(
        operation_id="retry",
        summary="Ask about the unresolved candidates again, elsewhere or later",
        description="Retries what no known brand could be given to, with other options or another provider. It is "
        "queued and answered at once; `schedule_seconds` has it wait, for the hours when a provider is cheaper.",
        request=RetryRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            200: RetryAnswerSerializer,
            **errors(
                status_400="An unknown stage or option, or a value out of its range.",
                status_404="There is no such job.",
                status_409="The job has nothing stored to go on from, or the Idempotency-Key was another request's.",
            ),
        },
        tags=["detection"],
    )
    def post(self, request: Request) -> Response:
        job = _replay(request, RetryRequestSerializer, RunType.RETRY)
        answer = {"status": "queued", "task_id": job.task_id, "job_id": job.id, "parent_job_id": job.parent_job_id}
        return Response(RetryAnswerSerializer(answer).data)


def _replay(request: Request, serializer: type[ReplaySerializer], run_type: RunType) -> DetectJob:
    """The job that a request asks for. Raises what ``job_replay`` raises, and NotFoundError for an unknown parent."""
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    given = body.validated_data
    return job_replay(
        parent=get_job(given["job_id"]),
        start_stage=given["start_stage"],
        overrides=given.get("config_overrides", {}),
        run_type=run_type,
        order=order_from(request, given),
    )

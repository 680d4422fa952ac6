"""Jobs over REST, ``/detect/jobs``: submit, list, look, change, pause, resume, cancel, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from brands.services import brands_ensure
from detect.errors import NotFoundError
from detect.models import SourceAsset
from detect.types import KnownBrandRecord
from jobs.api.fields import PlainText, Whole
from jobs.api.orders import LONGEST_KEY, JobSerializer, SubmitSerializer, order_from
from jobs.api.schema import errors
from jobs.assets.sources import asset_from_root, asset_from_storage
from jobs.choices import JobStatus, RunType
from jobs.lifecycle import job_cancel, job_change, job_delete, job_pause, job_resume
from jobs.listing import job_page
from jobs.models import DetectJob
from jobs.services import job_submit

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="The same key with the same request is the same job, however often it is sent.",
)


@extend_schema_serializer(component_name="JobChange")
class ChangeSerializer(serializers.Serializer[Any]):
    priority = Whole(required=False, min_value=-(2**31) + 1, max_value=2**31 - 1)
    tags = serializers.ListField(child=PlainText(max_length=100), required=False, max_length=50)


def _action(operation_id: str, summary: str, description: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=description,
        request=None,
        responses={200: JobSerializer, **errors(404, 409)},
        tags=["jobs"],
    )


class JobQuerySerializer(serializers.Serializer[Any]):
    """Filters of the list; ``status`` and ``run_type`` may be given several times."""

    status = serializers.MultipleChoiceField(choices=JobStatus.choices, required=False)
    run_type = serializers.MultipleChoiceField(choices=RunType.choices, required=False)
    profile = PlainText(required=False)
    pipeline = PlainText(required=False)
    tag = PlainText(required=False, max_length=100)
    brand = PlainText(required=False, max_length=300, help_text="name in any spelling, or id")
    asset = serializers.UUIDField(required=False)
    parent = serializers.UUIDField(required=False)  # type: ignore[assignment]  # the name is the interface's
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
    search = PlainText(required=False, help_text="part of path, tag, requester or id")
    ordering = PlainText(required=False, max_length=100, help_text="such as -priority,created_at")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=500)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)


class JobPageSerializer(serializers.Serializer[Any]):
    jobs = JobSerializer(many=True)
    total = serializers.IntegerField()


class JobList(APIView):
    """``/detect/jobs``."""

    @extend_schema(
        operation_id="list_jobs",
        summary="Jobs, newest first",
        description="Filters narrow the list together; a page has up to 500 jobs, and `total` counts all that fit.",
        parameters=[JobQuerySerializer],
        responses={200: JobPageSerializer, **errors(400)},
        tags=["jobs"],
    )
    def get(self, request: Request) -> Response:
        query = JobQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        paging = query.validated_data
        page = job_page(request.query_params, limit=paging["limit"], offset=paging["offset"])
        return Response(JobPageSerializer(page).data)

    @extend_schema(
        operation_id="submit_job",
        summary="Submit a video",
        description="Everything is checked first; then the job waits for a worker. 200 where the same request, or the "
        "same `Idempotency-Key`, has made it already.",
        request=SubmitSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: JobSerializer, 200: JobSerializer, **errors(400, 403, 404, 409, 413)},
        tags=["jobs"],
    )
    def post(self, request: Request) -> Response:
        body = SubmitSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        asset = _asset(given)
        listed = given.get("brands")
        submission = job_submit(
            asset=asset,
            video_path=asset.path,
            profile=given["profile"],
            overrides=given.get("config_overrides", {}),
            brands=None if listed is None else brands_ensure(listed=[KnownBrandRecord(name) for name in listed]),
            order=order_from(request, given),
        )
        code = status.HTTP_200_OK if submission.resumed else status.HTTP_201_CREATED
        return Response(JobSerializer(submission.job).data, status=code)


class JobDetail(APIView):
    """``/detect/jobs/{job_id}``."""

    @extend_schema(
        operation_id="get_job",
        summary="A job",
        description="State, progress and totals as they are now. To see them change, follow its events instead of "
        "asking again and again.",
        responses={200: JobSerializer, **errors(404)},
        tags=["jobs"],
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(JobSerializer(get_job(job_id)).data)

    @extend_schema(
        operation_id="change_job",
        summary="Give a job another priority or other tags",
        description="Jobs of higher priority are begun first. What is not named stays.",
        request=ChangeSerializer,
        responses={200: JobSerializer, **errors(400, 404)},
        tags=["jobs"],
    )
    def patch(self, request: Request, job_id: UUID) -> Response:
        job = get_job(job_id)
        body = ChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        job_change(job, **body.validated_data)
        return Response(JobSerializer(job).data)

    @extend_schema(
        operation_id="delete_job",
        summary="Delete a job",
        description="Its checkpoints go, and its frames where no other job has the same. 409 while it runs, and while "
        "other jobs are replays of it.",
        responses={204: None, **errors(404, 409)},
        tags=["jobs"],
    )
    def delete(self, request: Request, job_id: UUID) -> Response:
        job_delete(get_job(job_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class JobPause(APIView):
    """``POST /detect/jobs/{job_id}/pause``."""

    @_action(
        "pause_job", "Stop after the chunks that are being worked on", "What was done is kept; `resume` goes on there."
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return _done(job_pause, job_id)


class JobResume(APIView):
    """``POST /detect/jobs/{job_id}/resume``."""

    @_action("resume_job", "Go on with a paused or failed job where it was", "Nothing that is stored is done again.")
    def post(self, request: Request, job_id: UUID) -> Response:
        return _done(job_resume, job_id)


class JobCancel(APIView):
    """``POST /detect/jobs/{job_id}/cancel``."""

    @_action(
        "cancel_job", "End a job for good", "Saying it twice is no error. Its checkpoints stay until it is deleted."
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return _done(job_cancel, job_id)


def _done(act: Callable[[DetectJob], None], job_id: UUID) -> Response:
    job = get_job(job_id)
    act(job)
    return Response(JobSerializer(job).data)


def _asset(given: dict[str, Any]) -> SourceAsset:
    """The video a body names. Raises ``MediaError``, ``RootError`` or ``NotFoundError``."""
    if "path" in given:
        return asset_from_root(given["path"]).asset
    if "storage_key" in given:
        return asset_from_storage(given["storage_key"]).asset
    asset = SourceAsset.objects.filter(id=given["asset_id"]).first()
    if asset is None:
        raise NotFoundError(f"There is no asset {given['asset_id']}: upload the video first.")
    return asset


def get_job(text: UUID | str) -> DetectJob:
    """The job with this id. Raises ``NotFoundError``, for what is no id at all too."""
    try:
        job = DetectJob.objects.select_related("timeline", "source_asset").filter(id=UUID(str(text))).first()
    except ValueError:
        job = None
    if job is None:
        raise NotFoundError(f"There is no job {text}.")
    return job

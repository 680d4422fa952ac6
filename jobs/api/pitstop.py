"""Pit-stop jobs over REST, ``/api/pitstop``: send a video, watch, take the annotated one, delete."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from detect.errors import NotFoundError, StorageError
from jobs.api.jobs import IDEMPOTENCY_KEY
from jobs.api.negotiation import AcceptAnything
from jobs.api.orders import order_from
from jobs.api.pitstop_fields import (
    DeletedSerializer,
    PitstopJobSerializer,
    PitstopPageSerializer,
    PitstopQuerySerializer,
    PitstopUploadSerializer,
)
from jobs.api.receiving import FileView, MediaErrorsView
from jobs.api.schema import errors
from jobs.assets.intake import TooLargeError, asset_keep, check_size
from jobs.pitstop.selectors import finished_output, output_files, output_name, pitstop_job, pitstop_jobs
from jobs.pitstop.services import pitstop_delete, pitstop_overrides, pitstop_submit
from jobs.uploads.errors import UploadRefusedError, UploadTooLargeError
from jobs.uploads.handler import ReceivedFile, VideoUploadHandler
from mediaproc.rangedfiles import stored_file
from mediaproc.ranges import ranged_response

SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm")

_TAGS = ["pit stop"]
_RANGE_PARAMETERS = [
    OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="such as `bytes=0-1048575` or `bytes=-500`"),
    OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="the ETag that the range is meant for"),
]


class PitstopUploadHandler(VideoUploadHandler):
    """Takes fewer kinds of video than other ways in do."""

    def new_file(self, field_name: str, file_name: str, *args: Any, **options: Any) -> None:
        if PurePosixPath(file_name.strip()).suffix.lower() not in SUFFIXES:
            known = " ".join(suffix[1:] for suffix in SUFFIXES)
            raise UploadRefusedError(f"'{file_name[:200]}' is not taken: a video's name must end in one of {known}.")
        super().new_file(field_name, file_name, *args, **options)


class PitstopTooLargeError(UploadRefusedError):
    """This interface says 400 where others say 413."""

    code = "too_large"


class PitstopJobs(FileView):
    """``/api/pitstop/jobs``."""

    parser_classes = [MultiPartParser]
    upload_handler = PitstopUploadHandler

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (UploadTooLargeError, TooLargeError)):
            exc = PitstopTooLargeError(exc.message)
        return super().handle_exception(exc)

    @extend_schema(
        operation_id="pitstop_list",
        summary="Pit-stop jobs, newest first",
        description="`total` counts all of them.",
        parameters=[PitstopQuerySerializer],
        responses={200: PitstopPageSerializer, **errors(400)},
        tags=_TAGS,
    )
    def get(self, request: Request) -> Response:
        query = PitstopQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        first, limit = query.validated_data["offset"], query.validated_data["limit"]
        jobs = pitstop_jobs()
        shown = list(jobs[first : first + limit])
        context = {"output_files": output_files(shown)}
        return Response(PitstopPageSerializer({"jobs": shown, "total": jobs.count()}, context=context).data)

    @extend_schema(
        operation_id="pitstop_submit",
        summary="Send a video",
        description="`curl -H 'X-API-Key: KEY' -F file=@stop.mp4 -F series=GT URL/api/pitstop/jobs`. It is checked as "
        "far as can be told without decoding it, then waits for a worker. Each request is a job of its own, for the "
        "same video too, unless it has the `Idempotency-Key` of one before.",
        request={"multipart/form-data": PitstopUploadSerializer},
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: PitstopJobSerializer,
            **errors(
                409, 415, 503, 507, status_400="No video, one of a wrong type, too large, or a value that is not taken."
            ),
        },
        tags=_TAGS,
    )
    def post(self, request: Request) -> Response:
        body = PitstopUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        order = order_from(request, {})
        options = {"zones": given.get("zones"), "threshold": given.get("threshold"), "profile": given["profile"]}
        pitstop_overrides(**options)  # a word against them comes before anything is stored
        file = given["file"]
        assert isinstance(file, ReceivedFile)
        check_size(file.size or 0, str(file.name))
        job = pitstop_submit(
            intake=asset_keep(file=file.path, name=str(file.name)),
            filename=str(file.name),
            series=given["series"],
            race=given["race"],
            notes=given["notes"],
            **options,
            order=order,
        )
        return Response(PitstopJobSerializer(pitstop_job(job.id)).data, status=201)


class PitstopJob(MediaErrorsView):
    """``/api/pitstop/jobs/{job_id}``."""

    @extend_schema(
        operation_id="pitstop_retrieve",
        summary="A pit-stop job",
        description="State, progress and log as they are now. Jobs of other pipelines are not found here.",
        responses={200: PitstopJobSerializer, **errors(404)},
        tags=_TAGS,
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(PitstopJobSerializer(pitstop_job(job_id)).data)

    @extend_schema(
        operation_id="pitstop_delete",
        summary="Delete a pit-stop job",
        description="What runs is stopped first. Its replays and files go with it, and the video that was sent where "
        "no other job uses it.",
        responses={
            200: DeletedSerializer,
            **errors(404, 503, status_409="A worker does not let go of it: ask again in a moment."),
        },
        tags=_TAGS,
    )
    def delete(self, request: Request, job_id: UUID) -> Response:
        pitstop_delete(pitstop_job(job_id))
        return Response(DeletedSerializer({"message": "Job deleted successfully", "job_id": job_id}).data)


class PitstopOutput(MediaErrorsView):
    """``/api/pitstop/jobs/{job_id}/output``."""

    content_negotiation_class = AcceptAnything

    @extend_schema(
        operation_id="pitstop_output",
        summary="The annotated video",
        description="MP4 (H.264) that plays while it loads. Byte ranges, also several and from the end.",
        parameters=_RANGE_PARAMETERS,
        responses={
            (200, "video/mp4"): OpenApiTypes.BINARY,
            (206, "video/mp4"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="it is the one that `If-None-Match` names"),
            416: OpenApiResponse(description="no byte of the range is in the file"),
            **errors(404, 503, status_409="There is none yet, or never will be."),
        },
        tags=_TAGS,
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        job = pitstop_job(job_id)
        try:
            file = stored_file(finished_output(job).key)
        except FileNotFoundError as error:
            raise NotFoundError("The annotated video is not there any more.") from error
        except OSError as error:
            raise StorageError(f"The annotated video cannot be read: {error.strerror or error}") from error
        response = ranged_response(request._request, file, content_type="video/mp4")
        response.headers["Content-Disposition"] = f'attachment; filename="{output_name(job)}"'
        return response

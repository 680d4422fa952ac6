"""A batch's files over REST: the manifest, each file with ranges, and all of them as one ZIP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from detect.errors import NotFoundError, StorageError
from jobs.annotation.outputs import artifact_find, manifest_of, output_key
from jobs.annotation.selectors import batch_find
from jobs.annotation.zipping import ZippedOutputs
from jobs.api.annotation_fields import ManifestSerializer
from jobs.api.negotiation import AcceptAnything
from jobs.api.receiving import MediaErrorsView
from jobs.api.schema import errors
from mediaproc.handover import stream_response
from mediaproc.rangedfiles import stored_file
from mediaproc.ranges import ranged_response

_TAGS = ["annotation"]
#: What files are sent as; generators of clients take the first.
_KINDS = (
    "application/octet-stream",
    "application/json",
    "audio/x-wav",
    "image/png",
    "text/csv",
    "text/plain",
    "text/vtt",
    "video/mp4",
)
#: What a browser may show in place. Anything else, such as a page with scripts of somebody's, is for keeping alone.
_SHOWN = {
    ".csv": "text/csv; charset=utf-8",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".otio": "application/json",
    ".png": "image/png",
    ".rttm": "text/plain; charset=utf-8",
    ".srt": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".wav": "audio/wav",
    ".webm": "video/webm",
}
# disks and buckets that stall hold up other archives, and nothing else of the server
_readers = ThreadPoolExecutor(8, thread_name_prefix="archives")


class AnnotationArtifacts(MediaErrorsView):
    """``/api/v0/jobs/{job_id}/artifacts``."""

    @extend_schema(
        operation_id="annotation_artifacts",
        summary="A batch's files",
        description="By video, with digests and sizes. Whatever is listed is there and whole; a batch that runs, or "
        "failed, lists what it has finished.",
        responses={200: ManifestSerializer, **errors(404)},
        tags=_TAGS,
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(manifest_of(batch_find(job_id)))


class AnnotationArtifact(MediaErrorsView):
    """``/api/v0/jobs/{job_id}/artifacts/{path}``."""

    content_negotiation_class = AcceptAnything

    @extend_schema(
        operation_id="annotation_artifact",
        summary="A file of a batch",
        description="`path` as the manifest gives it. Byte ranges, also several and from the end.",
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="such as `bytes=0-1048575`"),
            OpenApiParameter("path", str, OpenApiParameter.PATH, description="as the manifest gives it, with slashes"),
        ],
        responses={
            **{(200, kind): OpenApiTypes.BINARY for kind in _KINDS},
            **{(206, kind): OpenApiTypes.BINARY for kind in (*_KINDS, "multipart/byteranges")},
            304: OpenApiResponse(description="it is the one that `If-None-Match` names"),
            416: OpenApiResponse(description="no byte of the range is in the file"),
            **errors(404, 503),
        },
        tags=_TAGS,
    )
    def get(self, request: Request, job_id: UUID, path: str) -> HttpResponseBase:
        job = batch_find(job_id)
        found = artifact_find(job, path)
        try:
            file = stored_file(output_key(job.id, found.path))
        except FileNotFoundError as error:
            raise NotFoundError("The file is not there any more.") from error
        except OSError as error:
            raise StorageError(f"The file cannot be read: {error.strerror or error}") from error
        name = PurePosixPath(found.path).name
        shown = _SHOWN.get(PurePosixPath(name).suffix.lower())
        response = ranged_response(request._request, file, content_type=shown or "application/octet-stream")
        response.headers["Content-Disposition"] = content_disposition_header(shown is None, name) or "attachment"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response


class AnnotationZip(MediaErrorsView):
    """``/api/v0/jobs/{job_id}/artifacts.zip``."""

    content_negotiation_class = AcceptAnything

    @extend_schema(
        operation_id="annotation_zip",
        summary="All files of a batch as one ZIP",
        description="With `manifest.json`. Made while it is sent, of any size; its length is told in advance.",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, **errors(404, 503)},
        tags=_TAGS,
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        zipped = ZippedOutputs(batch_find(job_id))
        response = stream_response(
            request._request,
            content_type="application/zip",
            live=lambda: _live(zipped),
            stored=lambda: iter(zipped),
        )
        response["Content-Length"] = str(zipped.size)
        response["Content-Disposition"] = f'attachment; filename="{job_id}.zip"'
        return response


async def _live(zipped: ZippedOutputs) -> AsyncGenerator[bytes, None]:
    """Blocks read in a thread, one at a time: a slow client holds nothing but the block it is being sent."""
    blocks: Iterator[bytes] = iter(zipped)
    loop = asyncio.get_running_loop()
    while block := await loop.run_in_executor(_readers, next, blocks, b""):
        yield block

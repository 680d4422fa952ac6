"""Resumable uploads, ``/api/uploads``, as the tus 1.0.0 protocol has them, so that its clients work as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, MethodNotAllowed, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.receiving import MediaErrorsView, sender_of
from jobs.api.schema import errors
from jobs.uploads import protocol
from jobs.uploads.records import UploadRecord, expires_at, is_wanted, offset_of, record_read
from jobs.uploads.services import upload_append, upload_create, upload_delete
from mediaproc.streaming import PIECE, body_blocks


class UploadSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    filename = serializers.CharField()
    state = serializers.ChoiceField(["receiving", "done", "refused"])
    offset = serializers.IntegerField(help_text="bytes received")
    length = serializers.IntegerField(help_text="bytes announced")
    asset_id = serializers.UUIDField(allow_null=True, help_text="once it is done")
    detail = serializers.CharField(allow_blank=True, help_text="why it was refused")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="when it is removed unless more of it comes")


class VersionError(APIException):
    status_code = 412
    default_code = "wrong_version"
    default_detail = f"This server speaks tus {protocol.VERSION}: send the header Tus-Resumable: {protocol.VERSION}."


def _header(name: str, description: str, type_: Any = str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type_, OpenApiParameter.HEADER, description=description, **options)


_VERSION = _header("Tus-Resumable", "version of the protocol", enum=[protocol.VERSION], required=True)
_EMPTY = OpenApiResponse(description="no content; the headers tell")


class TusView(MediaErrorsView):
    """Speaks the protocol: its version is checked, its headers are on every answer."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        given = request.headers.get("Tus-Resumable")
        if request.method not in ("GET", "OPTIONS") and given != protocol.VERSION:
            raise VersionError

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # as in a view
        return Response(status=204, headers=protocol.abilities())

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = protocol.VERSION
        if response.status_code == 412:
            response["Tus-Version"] = protocol.VERSION
        return response


class UploadList(TusView):
    """Where uploads begin."""

    @extend_schema(
        operation_id="upload_create",
        tags=["uploads"],
        summary="Begin a resumable upload",
        description="tus 1.0.0, creation and creation-with-upload: the answer's `Location` is where the video goes.",
        parameters=[
            _VERSION,
            _header("Upload-Length", "bytes of the file", int, required=True),
            _header("Upload-Metadata", "`filename` and its name in base64; more pairs parted by commas", required=True),
        ],
        request={PIECE: OpenApiTypes.BINARY},
        responses={201: _EMPTY, **errors(400, 409, 412, 413, 423, 503, 507)},
    )
    def post(self, request: Request) -> Response:
        metadata = request.headers.get("Upload-Metadata", "")
        record = upload_create(
            owner=sender_of(request),
            filename=protocol.filename_of(protocol.parse_metadata(metadata)),
            length=protocol.parse_count("Upload-Length", request.headers.get("Upload-Length")),
            metadata=metadata,
        )
        if _is_piece(request):
            record = _append(request, record.id, 0)
        headers = protocol.progress(record, offset_of(record))
        return Response(status=201, headers={**headers, "Location": reverse("upload-detail", args=[record.id])})


class UploadDetail(TusView):
    """One upload: ask how far it is, go on with it, give it up."""

    @extend_schema(
        operation_id="upload_retrieve",
        tags=["uploads"],
        summary="What became of an upload",
        description="`HEAD` with `Tus-Resumable` is the protocol's own question: it answers with `Upload-Offset`.",
        responses={200: UploadSerializer, **errors(404)},
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        record = record_read(upload_id, sender_of(request))
        return Response(
            {
                "id": record.id,
                "filename": record.filename,
                "state": record.state,
                "offset": offset_of(record),
                "length": record.length,
                "asset_id": record.asset_id,
                "detail": record.reason,
                "created_at": record.created_at,
                "expires_at": expires_at(record),
            }
        )

    @extend_schema(
        operation_id="upload_override",
        tags=["uploads"],
        summary="Another method, by POST",
        description="For clients behind something that lets no other method through: HEAD, PATCH or DELETE, with what "
        "each of them needs and answers.",
        parameters=[
            _VERSION,
            _header("X-HTTP-Method-Override", "the method meant", enum=["HEAD", "PATCH", "DELETE"], required=True),
            _header("Upload-Offset", "of PATCH alone: bytes the server has"),
        ],
        request={PIECE: OpenApiTypes.BINARY},
        responses={200: _EMPTY, 204: _EMPTY, **errors(400, 404, 405, 409, 410, 412, 413, 415, 423, 503, 507)},
    )
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Stands for another method."""
        wanted = request.headers.get("X-HTTP-Method-Override", "").upper()
        method = {"HEAD": self.head, "PATCH": self.patch, "DELETE": self.delete}.get(wanted)
        if method is None:
            raise MethodNotAllowed("POST")
        return method(request, upload_id)

    def head(self, request: Request, upload_id: UUID) -> Response:
        """``HEAD``: how many bytes have arrived, also while more are arriving."""
        record = record_read(upload_id, sender_of(request))
        if record.state == "refused":
            return Response(status=410)
        return Response(status=200, headers=protocol.progress(record, offset_of(record)))

    @extend_schema(
        operation_id="upload_append",
        tags=["uploads"],
        summary="Send the next piece",
        description="What arrived before a connection breaks off is kept. The answer to the last piece comes when the "
        "video has been looked at and stored, and names its asset in `X-Asset-Id`.",
        parameters=[_VERSION, _header("Upload-Offset", "bytes the server has", int, required=True)],
        request={PIECE: OpenApiTypes.BINARY},
        responses={204: _EMPTY, **errors(400, 404, 409, 410, 412, 413, 415, 423, 503, 507)},
    )
    def patch(self, request: Request, upload_id: UUID) -> Response:
        if not _is_piece(request):
            raise UnsupportedMediaType(request.content_type, f"Send pieces with the content type {PIECE}.")
        offset = protocol.parse_count("Upload-Offset", request.headers.get("Upload-Offset"))
        record = _append(request, upload_id, offset)
        return Response(status=204, headers=protocol.progress(record, offset_of(record)))

    @extend_schema(
        operation_id="upload_delete",
        tags=["uploads"],
        summary="Give an upload up",
        description="What was received is removed. An asset that was made of it stays.",
        parameters=[_VERSION],
        responses={204: _EMPTY, **errors(404, 412, 423)},
    )
    def delete(self, request: Request, upload_id: UUID) -> Response:
        upload_delete(upload_id=upload_id, owner=sender_of(request))
        return Response(status=204)


def _append(request: Request, upload_id: UUID, offset: int) -> UploadRecord:
    length = request.META.get("CONTENT_LENGTH")
    chunked = "HTTP_TRANSFER_ENCODING" in request.META
    return upload_append(
        upload_id=upload_id,
        owner=sender_of(request),
        offset=offset,
        blocks=_blocks(request, upload_id),
        announced=None if chunked else int(length or 0),
    )


def _blocks(request: Request, upload_id: UUID) -> Iterator[bytes]:
    """The body, until whoever sends it has fallen silent and come back over another connection."""
    return body_blocks(request._request, give_up=lambda: is_wanted(upload_id))


def _is_piece(request: Request) -> bool:
    return str(request.content_type).partition(";")[0].strip().lower() == PIECE

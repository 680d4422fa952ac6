"""Assets, ``/api/assets``: videos that were uploaded, or lie in an allowed folder or in storage."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from detect.models import SourceAsset
from jobs.api.fields import PlainText
from jobs.api.negotiation import AcceptAnything
from jobs.api.receiving import FileView, MediaErrorsView, sender_of
from jobs.api.schema import errors
from jobs.assets.folders import list_folder
from jobs.assets.intake import asset_keep, check_size, stored_key
from jobs.assets.sources import (
    Intake,
    asset_delete,
    asset_from_root,
    asset_from_storage,
    asset_from_upload,
    asset_known,
    asset_thumbnail,
)
from jobs.uploads.handler import ReceivedFile
from mediaproc.parsers import JsonParser

_KEEP_SECONDS = 86_400


class AssetSerializer(serializers.Serializer[SourceAsset]):
    """An asset as clients see it: what its file is, where it lies, what was found out about it."""

    id = serializers.UUIDField()
    path = serializers.CharField(help_text="as a job's `video_path`: a file, or `storage:KEY`")
    storage_key = serializers.SerializerMethodField(help_text="its key where it lies in storage, else null")
    name = serializers.SerializerMethodField(help_text="the file's name")
    sha256 = serializers.CharField()
    size_bytes = serializers.SerializerMethodField()
    duration = serializers.SerializerMethodField(help_text="seconds")
    width = serializers.SerializerMethodField(help_text="pixels, of the upright picture")
    height = serializers.SerializerMethodField()
    frame_rate = serializers.SerializerMethodField(help_text="exact, as num/den")
    codec = serializers.SerializerMethodField()
    variable_frame_rate = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    jobs = serializers.SerializerMethodField(help_text="how many jobs use it")

    def get_storage_key(self, asset: SourceAsset) -> str | None:
        return stored_key(asset.path)

    def get_name(self, asset: SourceAsset) -> str:
        return str(asset.probe.get("name") or PurePosixPath(asset.path).name)

    def get_size_bytes(self, asset: SourceAsset) -> int:
        return int(asset.probe.get("size_bytes", 0))

    def get_duration(self, asset: SourceAsset) -> float:
        return float(asset.probe.get("duration", 0.0))

    def get_width(self, asset: SourceAsset) -> int:
        return int(asset.probe.get("width", 0))

    def get_height(self, asset: SourceAsset) -> int:
        return int(asset.probe.get("height", 0))

    def get_frame_rate(self, asset: SourceAsset) -> str:
        return str(asset.probe.get("frame_rate", ""))

    def get_codec(self, asset: SourceAsset) -> str:
        return str(asset.probe.get("codec", ""))

    def get_variable_frame_rate(self, asset: SourceAsset) -> bool:
        return bool(asset.probe.get("variable_frame_rate", False))

    def get_warnings(self, asset: SourceAsset) -> list[str]:
        return list(asset.probe.get("warnings", []))

    def get_jobs(self, asset: SourceAsset) -> int:
        counted = getattr(asset, "job_count", None)
        return int(asset.jobs.count() if counted is None else counted)


class AssetSourceSerializer(serializers.Serializer[Any]):
    """Where a video is: one of these."""

    path = PlainText(required=False, max_length=4000, help_text="a file below an allowed root")
    storage_key = PlainText(required=False, max_length=1024, help_text="a key below uploads/ or the input prefix")
    upload_id = serializers.UUIDField(required=False, help_text="a resumable upload that is complete")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give one of path, storage_key, upload_id, or send a form with a file.")
        return attrs


class AssetFileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="the video")


class FolderEntrySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    path = serializers.CharField(help_text="to list it, or to make an asset of it")
    kind = serializers.ChoiceField(["folder", "video"])
    size_bytes = serializers.IntegerField(allow_null=True, help_text="of a video")


class FolderSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(allow_blank=True, help_text="empty at the top, which lists the allowed roots")
    parent = serializers.CharField(allow_null=True, allow_blank=True)  # type: ignore[assignment]  # a field, no parent
    entries = FolderEntrySerializer(many=True)
    more = serializers.BooleanField(help_text="there are more entries than these 2000")


class AssetPages(LimitOffsetPagination):
    default_limit = 20
    max_limit = 200


class AssetQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=AssetPages.default_limit, min_value=1, max_value=AssetPages.max_limit)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)


@extend_schema_view(
    get=extend_schema(
        operation_id="asset_list",
        summary="Videos, newest first",
        tags=["videos"],
        parameters=[
            AssetQuerySerializer,
            OpenApiParameter("search", str, description="part of a name, a path or the start of a SHA-256"),
        ],
        responses={200: AssetSerializer(many=True), **errors(400)},
    )
)
class AssetList(FileView, ListModelMixin, GenericAPIView):
    """All assets, and the way in for a new one."""

    serializer_class = AssetSerializer
    pagination_class = AssetPages
    parser_classes = [JsonParser, MultiPartParser]

    def get_queryset(self) -> QuerySet[SourceAsset]:
        found = SourceAsset.objects.annotate(job_count=Count("jobs")).order_by("-created_at", "-id")
        words = self.request.query_params.get("search", "").replace("\0", "").strip()
        if not words:
            return found
        return found.filter(
            Q(path__icontains=words) | Q(probe__name__icontains=words) | Q(sha256__startswith=words.lower())
        )

    def get(self, request: Request) -> Response:
        AssetQuerySerializer(data=request.query_params).is_valid(raise_exception=True)
        return self.list(request)

    @extend_schema(
        operation_id="asset_create",
        summary="Make an asset",
        tags=["videos"],
        description="Of a file sent with the request (`curl -H 'X-API-Key: KEY' -F file=@match.mp4 URL/api/assets`), "
        "of one below an allowed root, of an object in storage, or of a resumable upload that is complete. The same "
        "content is one asset: 201 when it is new, 200 when it was known.",
        request={"application/json": AssetSourceSerializer, "multipart/form-data": AssetFileSerializer},
        responses={
            200: AssetSerializer,
            201: AssetSerializer,
            **errors(400, 404, 409, 410, 413, 415, 423, 503, 507),
        },
    )
    def post(self, request: Request) -> Response:
        intake = self._intake(request)
        return Response(AssetSerializer(intake.asset).data, status=201 if intake.made else 200)

    @staticmethod
    def _intake(request: Request) -> Intake:
        file = request.FILES.get("file")
        if isinstance(file, ReceivedFile):
            check_size(file.size or 0, str(file.name))
            return asset_keep(file=file.path, name=str(file.name))
        source = AssetSourceSerializer(data=request.data)
        source.is_valid(raise_exception=True)
        given = source.validated_data
        if "path" in given:
            return asset_from_root(given["path"])
        if "storage_key" in given:
            return asset_from_storage(given["storage_key"])
        return asset_from_upload(given["upload_id"], owner=sender_of(request))


class AssetDetail(MediaErrorsView):
    """One asset."""

    @extend_schema(
        operation_id="asset_retrieve",
        summary="One video",
        description="What its file is, where it lies, and what was found out about it.",
        tags=["videos"],
        responses={200: AssetSerializer, **errors(404)},
    )
    def get(self, request: Request, asset_id: UUID) -> Response:
        return Response(AssetSerializer(asset_known(asset_id)).data)

    @extend_schema(
        operation_id="asset_delete",
        summary="Remove a video",
        tags=["videos"],
        description="What was uploaded goes; a file in an allowed folder or an input object stays.",
        responses={204: OpenApiResponse(description="it is gone"), **errors(404, 409, 503)},
    )
    def delete(self, request: Request, asset_id: UUID) -> Response:
        asset_delete(asset=asset_known(asset_id))
        return Response(status=204)


class AssetThumbnail(MediaErrorsView):
    """A picture of it, made when it is asked for first."""

    content_negotiation_class = AcceptAnything

    @extend_schema(
        operation_id="asset_thumbnail",
        summary="A frame from its middle, as a JPEG at most 480 pixels wide",
        tags=["videos"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(400, 404, 503)},
    )
    def get(self, request: Request, asset_id: UUID) -> HttpResponse:
        response = HttpResponse(asset_thumbnail(asset_known(asset_id)), content_type="image/jpeg")
        response.headers["Cache-Control"] = f"private, max-age={_KEEP_SECONDS}"
        return response


class RootFolders(MediaErrorsView):
    """What lies in the allowed folders."""

    @extend_schema(
        operation_id="roots_list",
        summary="Folders and videos below the allowed roots, for choosing one",
        tags=["videos"],
        parameters=[OpenApiParameter("path", str, description="a folder; without it the allowed roots are listed")],
        responses={200: FolderSerializer, **errors(400, 404)},
    )
    def get(self, request: Request) -> Response:
        return Response(FolderSerializer(list_folder(request.query_params.get("path", ""))).data)

"""Datasets over REST, ``/api/v0/datasets``: folders of videos below the allowed roots."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.annotation.datasets import dataset_create, dataset_find, dataset_videos, datasets_all
from jobs.annotation.records import Dataset, DatasetVideo
from jobs.annotation.scanning import dataset_scan
from jobs.api.fields import PlainText
from jobs.api.schema import errors
from mediaproc.principal import principal_of

TAGS = ["annotation"]


class DatasetRequestSerializer(serializers.Serializer[Any]):
    name = PlainText(help_text="what people call it; need not be its own")
    base_path = PlainText(
        max_length=4000, trim_whitespace=False, help_text="a folder below an allowed root: absolute, or relative to one"
    )


class DatasetSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    base_path = serializers.CharField(help_text="as it was given")
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(help_text="user:NAME or key:NAME")
    scanned_at = serializers.DateTimeField(allow_null=True, help_text="when it was last looked through, null for never")
    videos = serializers.IntegerField(source="video_count", help_text="that the last scan found and that can be used")


class DatasetVideoSerializer(serializers.Serializer[DatasetVideo]):
    path = serializers.CharField(help_text="relative to the dataset's folder")
    duration_sec = serializers.FloatField(source="duration", allow_null=True, help_text="null where it cannot be used")
    size_bytes = serializers.IntegerField()
    has_pictures = serializers.BooleanField()
    has_sound = serializers.BooleanField()
    error = serializers.SerializerMethodField(help_text="why it cannot be used, null where it can")

    def get_error(self, video: DatasetVideo) -> str | None:
        return video.problem or None


class DatasetList(APIView):
    """All datasets, and the way in for a new one."""

    @extend_schema(
        operation_id="dataset_list",
        summary="Datasets, newest first",
        description="Folders of videos that were registered. A scan tells what is in one.",
        tags=TAGS,
        responses={200: DatasetSerializer(many=True), **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response(DatasetSerializer(datasets_all(), many=True).data)

    @extend_schema(
        operation_id="dataset_create",
        summary="Register a folder of videos",
        description="The folder must lie in an allowed root (`MEDIAPROC_ROOTS`): 403 otherwise, `..` and links that "
        "lead out included. Nothing is copied, and nothing is read before the first scan.",
        tags=TAGS,
        request=DatasetRequestSerializer,
        responses={
            201: DatasetSerializer,
            **errors(400, 404, status_403="Not for this role; or a folder outside of the allowed roots."),
        },
    )
    def post(self, request: Request) -> Response:
        body = DatasetRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = dataset_create(**body.validated_data, created_by=principal_of(request).name)
        return Response(DatasetSerializer(dataset_find(made.id)).data, status=201)


class DatasetDetail(APIView):
    """One dataset."""

    @extend_schema(
        operation_id="dataset_retrieve",
        summary="One dataset",
        description="Its folder, and when it was last looked through.",
        tags=TAGS,
        responses={200: DatasetSerializer, **errors(404)},
    )
    def get(self, request: Request, dataset_id: UUID) -> Response:
        return Response(DatasetSerializer(dataset_find(dataset_id)).data)


class DatasetVideos(APIView):
    """What the last scan found."""

    @extend_schema(
        operation_id="dataset_videos",
        summary="Videos of a dataset, as its last scan found them",
        description="By path. What cannot be used is among them, with the reason as `error`; empty before a scan.",
        tags=TAGS,
        responses={200: DatasetVideoSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request, dataset_id: UUID) -> Response:
        return Response(_videos(dataset_find(dataset_id)))


class DatasetScan(APIView):
    """Looking through a dataset's folder."""

    @extend_schema(
        operation_id="dataset_scan",
        summary="Look through a dataset's folder",
        description="Finds videos and files of sound below it, however deep. Files that are as they were at the last "
        "scan are not looked at again, those that are gone are forgotten; what cannot be used is among the answer with "
        "the reason as `error`. Hidden files and links are not followed.",
        tags=TAGS,
        request=None,
        responses={
            200: DatasetVideoSerializer(many=True),
            **errors(404, 409, status_403="Not for this role; or the folder has left the allowed roots."),
        },
    )
    def post(self, request: Request, dataset_id: UUID) -> Response:
        dataset = dataset_find(dataset_id)
        dataset_scan(dataset=dataset)
        return Response(_videos(dataset))


def _videos(dataset: Dataset) -> list[dict[str, Any]]:
    found = dataset_videos(dataset).iterator(chunk_size=2000)
    return [dict(DatasetVideoSerializer(video).data) for video in found]

"""``GET /detect/sightings``: which brand was seen in which video, over all jobs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from brands.models import Source, SourceBrandSighting
from jobs.api.schema import errors
from jobs.listing import sighting_page

_MOST = 500


class SightingQuerySerializer(serializers.Serializer[Any]):
    brand = serializers.CharField(required=False, max_length=300, help_text="its name in any spelling, or its id")
    asset = serializers.UUIDField(required=False, help_text="the video")
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=_MOST)
    cursor = serializers.CharField(required=False, max_length=500, help_text="`next` or `previous` of an earlier page")
    last = serializers.BooleanField(required=False, default=False, help_text="the last page, whatever the cursor")

    # `source` is the interface's name for it, and one of the field's own attributes.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        source = serializers.ChoiceField(choices=Source.choices, required=False, help_text="how it came to be known")
        return {**super().get_fields(), "source": source}


class SightingSerializer(serializers.ModelSerializer[SourceBrandSighting]):
    source_asset_id = serializers.UUIDField()
    brand_id = serializers.UUIDField()

    class Meta:
        model = SourceBrandSighting
        fields = [
            "id",
            "source_asset_id",
            "brand_id",
            "brand_name",
            "first_seen_timestamp",
            "last_seen_timestamp",
            "occurrences",
            "detection_source",
            "avg_confidence",
            "created_at",
        ]
        read_only_fields = fields


class SightingPageSerializer(serializers.Serializer[Any]):
    sightings = SightingSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="cursor of the page after this one")
    previous = serializers.CharField(allow_null=True, help_text="cursor of the page before it")


class SightingList(APIView):
    """Newest first, a page at a time."""

    @extend_schema(
        operation_id="sightings",
        summary="Brands seen, by brand, video and source",
        description="Over all jobs: one for each brand of a video, newest first. `next` and `previous` are the "
        "cursors of the pages beside it.",
        tags=["detection"],
        parameters=[SightingQuerySerializer],
        responses={200: SightingPageSerializer, **errors(400)},
    )
    def get(self, request: Request) -> Response:
        query = SightingQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        given = dict(query.validated_data)
        page = sighting_page(given, limit=given.pop("limit"), cursor=given.pop("cursor", ""), last=given.pop("last"))
        return Response(SightingPageSerializer(page).data)

"""What may be set: the pipelines' stages with every option, and the profiles of footage."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.config import DEFAULT_PROFILE, profiles, resolve
from detect.options import option_schemas
from detect.registry import load_pipeline
from jobs.api.fields import PlainText
from jobs.api.schema import errors


class OptionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField(help_text="integer, number, boolean, string or array")
    value = serializers.JSONField(help_text="what it is without an override, under the profile asked for")
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(allow_null=True)
    description = serializers.CharField()


class StageSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField()
    scope = serializers.ChoiceField(choices=["chunk", "asset"])
    queue = serializers.ChoiceField(choices=["cpu", "gpu", "cloud"])
    options = OptionSerializer(many=True)


class ProfileSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the name is the interface's
    description = serializers.CharField()


class SettingsSerializer(serializers.Serializer[Any]):
    pipeline = serializers.CharField()
    profile = serializers.CharField()
    profiles = ProfileSerializer(many=True)
    stages = StageSerializer(many=True)


class SettingsQuerySerializer(serializers.Serializer[Any]):
    profile = PlainText(default=DEFAULT_PROFILE, max_length=100)
    pipeline = PlainText(default="brands", max_length=100)


class StageList(APIView):
    """``GET /detect/stages``."""

    @extend_schema(
        operation_id="list_stages",
        summary="Every stage with its options, their ranges and values",
        description="What `config_overrides` may name, and what holds without an override under the profile.",
        parameters=[SettingsQuerySerializer],
        responses={200: SettingsSerializer, **errors(400)},
        tags=["detection"],
    )
    def get(self, request: Request) -> Response:
        query = SettingsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        pipeline = load_pipeline(query.validated_data["pipeline"])
        values = resolve(pipeline, query.validated_data["profile"]).snapshot()
        answer = {
            "pipeline": pipeline.key,
            "profile": query.validated_data["profile"],
            "profiles": profiles(),
            "stages": [
                {
                    "name": stage.name,
                    "description": (stage.__doc__ or "").strip(),
                    "scope": stage.scope,
                    "queue": stage.needs,
                    "options": [
                        {**asdict(schema), "value": values[stage.name][schema.name]} for schema in option_schemas(stage)
                    ],
                }
                for stage in pipeline.stages
            ],
        }
        return Response(SettingsSerializer(answer).data)

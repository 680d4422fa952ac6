"""What batches are made of over REST: ``/api/v0/pipelines`` and ``/api/v0/presets``."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.parameters import Parameter
from jobs.annotation.catalog import ModelState, PipelineState, pipeline_states
from jobs.annotation.presets import Preset, preset_create, preset_delete, preset_find, presets_all
from jobs.api.fields import PlainText
from jobs.api.schema import errors
from mediaproc.principal import principal_of

_TAGS = ["annotation"]
_PARAMETER_TYPES = ["int", "float", "bool", "string", "enum"]


class ParameterSerializer(serializers.Serializer[Any]):
    """A value that may be set; ``choices`` are those of an enum, ``min`` and ``max`` bound numbers."""

    name = serializers.CharField()
    type = serializers.ChoiceField(_PARAMETER_TYPES)
    # `default` is the interface's name for it, and one of the field's own attributes
    min = serializers.FloatField(required=False)
    max = serializers.FloatField(required=False)
    choices = serializers.ListField(child=serializers.JSONField(), required=False)
    description = serializers.CharField(allow_blank=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        default = serializers.JSONField(help_text="what counts where nothing is set and the profile says nothing")
        return {**super().get_fields(), "default": default}


class ModelSerializer(serializers.Serializer[Any]):
    """A model that a pipeline uses. One that is not found has a reason, which says what to do."""

    name = serializers.CharField()
    what = serializers.CharField(help_text="what it is for")
    optional = serializers.BooleanField(help_text="without it the pipeline runs and leaves out what it would give")
    found = serializers.BooleanField()
    sha256 = serializers.CharField(allow_null=True)
    reason = serializers.CharField(required=False)


class PipelineSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    version = serializers.IntegerField(help_text="0 where the declaration cannot be read")
    description = serializers.CharField(allow_blank=True)
    inputs = serializers.ListField(
        child=serializers.ChoiceField(["pictures", "sound"]), help_text="what a file must have"
    )
    params = ParameterSerializer(many=True)
    available = serializers.BooleanField(help_text="whether it can run here")
    unavailable_reason = serializers.CharField(allow_null=True, help_text="and what to do, where it cannot")
    models = ModelSerializer(many=True)

    # `label` is the interface's name for it, and one of the field's own attributes
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "label": serializers.CharField()}


class _PipelinesField(serializers.DictField):
    def __init__(self, **options: Any) -> None:
        told = "{pipeline: {param: value}}; GET /api/v0/pipelines lists them with their ranges"
        super().__init__(**{"child": serializers.DictField(), "help_text": told, **options})


class PresetRequestSerializer(serializers.Serializer[Any]):
    name = PlainText(
        max_length=100,
        validators=[RegexValidator(r"^[a-zA-Z0-9_-]+\Z", "Letters, digits, - and _ are what a preset's name has.")],
        help_text="letters, digits, - and _",
    )
    pipelines = _PipelinesField()
    description = PlainText(max_length=2000, required=False, allow_blank=True)


class PresetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    pipelines = _PipelinesField()
    version = serializers.IntegerField()
    description = serializers.CharField(allow_blank=True)
    saved = serializers.BooleanField(help_text="by somebody here; the others come with the program")
    created_by = serializers.CharField(allow_blank=True, help_text="user:NAME or key:NAME, of a saved one")


class PipelineList(APIView):
    """All pipelines."""

    @extend_schema(
        operation_id="pipeline_list",
        summary="Pipelines, with what may be set",
        description="Read from their declarations. One that cannot run here says why as `unavailable_reason`, and so "
        "does one whose declaration is broken, naming the file; no job is taken for either.",
        tags=_TAGS,
        responses={200: PipelineSerializer(many=True), **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response([_pipeline(state) for state in pipeline_states()])


class PresetList(APIView):
    """Presets, and the way in for a new one."""

    @extend_schema(
        operation_id="preset_list",
        summary="Presets, by name",
        description="Those that come with the program, in versions, and saved ones. What a name stands for only "
        "changes with its version.",
        tags=_TAGS,
        responses={200: PresetSerializer(many=True), **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response([_preset(preset) for preset in presets_all()])

    @extend_schema(
        operation_id="preset_create",
        summary="Save a preset",
        description="Pipelines, each with the parameters that are to differ from the default.",
        tags=_TAGS,
        request=PresetRequestSerializer,
        responses={201: PresetSerializer, **errors(400, status_409="The name is taken.")},
    )
    def post(self, request: Request) -> Response:
        body = PresetRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        preset = preset_create(**body.validated_data, created_by=principal_of(request).name)
        return Response(_preset(preset), status=201)


class PresetDetail(APIView):
    """One preset."""

    @extend_schema(
        operation_id="preset_retrieve",
        summary="One preset",
        description="What it runs, with which parameters.",
        tags=_TAGS,
        responses={200: PresetSerializer, **errors(404)},
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(_preset(preset_find(name)))

    @extend_schema(
        operation_id="preset_delete",
        summary="Remove a saved preset",
        description="Jobs that were run with it stay as they are.",
        tags=_TAGS,
        responses={
            204: OpenApiResponse(description="it is gone"),
            **errors(404, status_409="It comes with the program."),
        },
    )
    def delete(self, request: Request, name: str) -> Response:
        preset_delete(name)
        return Response(status=204)


def _pipeline(state: PipelineState) -> dict[str, Any]:
    return {
        "key": state.key,
        "label": state.label,
        "version": state.version,
        "description": state.description,
        "inputs": list(state.inputs),
        "params": [_parameter(name, parameter) for name, parameter in state.params.items()],
        "available": state.available,
        "unavailable_reason": state.reason or None,
        "models": [_model(model) for model in state.models],
    }


def _parameter(name: str, parameter: Parameter) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": name, "type": parameter.type, "default": parameter.default}
    if parameter.choices:
        shown["choices"] = list(parameter.choices)
    for limit in ("min", "max"):
        bound = getattr(parameter, limit)
        if bound is not None:
            shown[limit] = int(bound) if parameter.type == "int" else bound
    return {**shown, "description": parameter.description}


def _model(model: ModelState) -> dict[str, Any]:
    shown = {
        "name": model.name,
        "what": model.need.what,
        "optional": model.need.optional,
        "found": model.found,
        "sha256": model.sha256 or None,
    }
    return {**shown, "reason": model.reason} if model.reason else shown


def _preset(preset: Preset) -> dict[str, Any]:
    return {
        "name": preset.name,
        "pipelines": preset.pipelines,
        "version": preset.version,
        "description": preset.description,
        "saved": preset.saved,
        "created_by": preset.created_by,
    }

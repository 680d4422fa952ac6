"""``POST /detect/replay-stage``: one stage on chosen frames, for somebody who tunes it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.errors import StorageError
from detect.frame_regions import EdgeOverlays
from detect.inference.wire import overlay_fields
from detect.tuning import DEFAULT_FRAMES, Trial
from detect.types import Region
from jobs.api.fields import Flag, PlainText, Whole
from jobs.api.schema import errors
from jobs.branches.trials import stage_try

MOST_FRAMES = 64
_LARGEST_NUMBER = 2**31 - 1


@extend_schema_serializer(component_name="Trial")
class TrialRequestSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    stage = PlainText(max_length=100)
    frame_refs = serializers.ListField(
        child=Whole(min_value=0, max_value=_LARGEST_NUMBER),
        min_length=1,
        max_length=MOST_FRAMES,
        required=False,
        allow_null=True,
        help_text=f"sequences of sampled frames; {DEFAULT_FRAMES} spread over the kept ones where none are named",
    )
    config_overrides = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="`{option: value}` of the stage, or `{stage: {option: value}}`",
    )
    debug = Flag(default=False, help_text="overlays, for `detect_edges`")


class TrialRegionSerializer(serializers.Serializer[Any]):
    x = serializers.IntegerField()
    y = serializers.IntegerField()
    w = serializers.IntegerField()
    h = serializers.IntegerField()
    confidence = serializers.FloatField()
    label = serializers.CharField(  # type: ignore[assignment]  # a field of the answer, not the serializer's label
        help_text="class, text read or brand"
    )


class TrialDebugSerializer(serializers.Serializer[Any]):
    edge_overlay_b64 = serializers.CharField(help_text="JPEG of the frame's size: edges that lines were made of")
    lines_overlay_b64 = serializers.CharField(help_text="JPEG of the frame's size: lines and regions")
    horizontal_count = serializers.IntegerField()
    pair_count = serializers.IntegerField()


class TrialSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["completed"])
    stage = serializers.CharField()
    frame_count = serializers.IntegerField()
    region_count = serializers.IntegerField()
    regions_by_frame = serializers.DictField(
        child=TrialRegionSerializer(many=True), help_text="by sequence; boxes in pixels of the source picture"
    )
    debug = serializers.DictField(child=TrialDebugSerializer(), help_text="by sequence; empty where not asked for")


class NotJustNow(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"


class ReplayStage(APIView):
    """``POST /detect/replay-stage``. Nothing is stored; the models stay loaded and frames used last stay decoded."""

    @extend_schema(
        operation_id="detect_replay_stage",
        summary="Try one stage on chosen frames",
        description="Runs a stage with the job's options and the overrides, on what the stages before it found. "
        "`run_ocr` reads each frame by itself; `match_brands` runs over the stored texts of the whole video.",
        tags=["tuning"],
        request=TrialRequestSerializer,
        responses={
            200: TrialSerializer,
            **errors(
                404,
                status_400="An unknown stage, option, value or frame, or a stage that says nothing about frames.",
                status_409="The job did not get as far as this stage, or its frames were removed.",
                status_503="Frames or models cannot be reached just now.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        asked = TrialRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        try:
            trial = stage_try(
                job_id=given["job_id"],
                stage=given["stage"],
                sequences=given.get("frame_refs"),
                overrides=given.get("config_overrides") or {},
                debug=given["debug"],
            )
        except StorageError as error:
            raise NotJustNow(error.message) from error
        return Response(_answer(given["stage"], trial))


def _answer(stage: str, trial: Trial) -> dict[str, Any]:
    return {
        "status": "completed",
        "stage": stage,
        "frame_count": len(trial.regions),
        "region_count": sum(map(len, trial.regions.values())),
        "regions_by_frame": {
            str(number): [_region(region) for region in found] for number, found in trial.regions.items()
        },
        "debug": {str(number): _overlays(overlays) for number, overlays in trial.overlays.items()},
    }


def _region(region: Region) -> dict[str, Any]:
    x, y, width, height = region.box.to_xywh()
    return {"x": x, "y": y, "w": width, "h": height, "confidence": region.confidence, "label": region.label}


def _overlays(overlays: EdgeOverlays) -> dict[str, Any]:
    return overlay_fields(overlays)

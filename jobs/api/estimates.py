"""``POST /detect/estimate``: what a replay or retry would reuse, ask and take, before it is started."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.providers.budget import as_text
from jobs.api.fields import OverridesField, PlainText
from jobs.api.jobs import get_job
from jobs.api.schema import errors
from jobs.branches.estimates import Estimate, StageEstimate, replay_estimate

KEEPS_TO = "Give `limits` with the replay or retry: it then asks models neither more often nor for more money."


@extend_schema_serializer(component_name="Estimate")
class EstimateRequestSerializer(serializers.Serializer[Any]):
    job_id = PlainText(help_text="the job that would be replayed")
    start_stage = PlainText(max_length=100, help_text="first stage to run again; `escalate_vlm` for a retry")
    config_overrides = OverridesField(required=False)


class StageEstimateSerializer(serializers.Serializer[Any]):
    stage = serializers.CharField()
    units = serializers.IntegerField(help_text="chunks, or 1")
    reused_units = serializers.IntegerField(help_text="units that are stored; a run may find more")
    seconds = serializers.FloatField(allow_null=True, help_text="of work; null where nothing like it ever ran")
    calls = serializers.IntegerField(help_text="questions to a model, at most")
    usd = serializers.CharField(help_text="a decimal, at most")
    exact = serializers.BooleanField(help_text="false where `calls` is only as many as there can be")


class EstimateLimitsSerializer(serializers.Serializer[Any]):
    cost_limit_usd = serializers.CharField(help_text="a decimal")
    call_limit = serializers.IntegerField()


class EstimateSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    start_stage = serializers.CharField()
    stages = StageEstimateSerializer(many=True)
    reused_stages = serializers.ListField(child=serializers.CharField(), help_text="of which nothing is computed")
    model_calls = serializers.IntegerField(help_text="at most")
    usd = serializers.CharField(help_text="a decimal, at most")
    seconds = serializers.FloatField(help_text="of work, of the stages whose time is known")
    limits = EstimateLimitsSerializer(help_text="to be given with the replay")
    keeps_to = serializers.CharField()


class EstimateView(APIView):
    """Nothing is computed, asked or stored."""

    @extend_schema(
        operation_id="estimate",
        summary="What a replay or retry would reuse, ask and take",
        description="Nothing is computed, asked or stored. Give `limits` with the replay, and it keeps to them.",
        tags=["detection"],
        request=EstimateRequestSerializer,
        responses={200: EstimateSerializer, **errors(400, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        body = EstimateRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        found = replay_estimate(
            parent=get_job(given["job_id"]),
            start_stage=given["start_stage"],
            overrides=given.get("config_overrides", {}),
        )
        return Response(_answer(found))


def _answer(found: Estimate) -> dict[str, Any]:
    return {
        "job_id": found.job_id,
        "start_stage": found.start_stage,
        "stages": [_stage(one) for one in found.stages],
        "reused_stages": found.reused_stages,
        "model_calls": found.model_calls,
        "usd": as_text(found.usd),
        "seconds": found.seconds,
        "limits": {"cost_limit_usd": as_text(found.limits.usd or Decimal(0)), "call_limit": found.limits.calls},
        "keeps_to": KEEPS_TO,
    }


def _stage(one: StageEstimate) -> dict[str, Any]:
    return {
        "stage": one.stage,
        "units": one.units,
        "reused_units": one.reused_units,
        "seconds": one.seconds,
        "calls": one.calls,
        "usd": as_text(one.usd),
        "exact": one.exact,
    }

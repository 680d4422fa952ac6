"""Scenarios: ``PATCH /detect/checkpoints/{checkpoint_id}/bookmark`` makes one, ``GET /detect/scenarios`` lists them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.models import Checkpoint
from jobs.api.fields import Number, PlainText
from jobs.api.schema import errors
from jobs.branches.scenarios import ExpectedBrand, Scenario, bookmark_set, expectation_of, scenario_list
from mediaproc.principal import principal_of

_MOST_BRANDS = 5000
_LONGEST = 10_000_000.0


class ExpectedBrandSerializer(serializers.Serializer[Any]):
    name = PlainText(max_length=300)
    seconds = Number(min_value=0, max_value=_LONGEST, help_text="on screen")
    tolerance = Number(min_value=0, max_value=_LONGEST, default=0.0, help_text="seconds more or fewer, as good")


class GivenExpectationSerializer(serializers.Serializer[Any]):
    brands = serializers.ListField(child=ExpectedBrandSerializer(), max_length=_MOST_BRANDS)


@extend_schema_serializer(component_name="Bookmark")
class BookmarkRequestSerializer(serializers.Serializer[Any]):
    # `label` is the interface's name for it, and one of the field's own attributes.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        label = PlainText(
            allow_blank=True, required=False, help_text="empty takes the bookmark away; without it the label stays"
        )
        return {"label": label, **super().get_fields()}

    expect = serializers.ChoiceField(
        choices=["current"], required=False, help_text="what the job's report shows now is what it must show"
    )
    expectation = GivenExpectationSerializer(required=False)


class ExpectationSerializer(serializers.Serializer[Any]):
    brands = ExpectedBrandSerializer(many=True)
    made_from = serializers.ChoiceField(choices=["report", "given"])
    made_by = serializers.CharField(allow_blank=True)
    updated_at = serializers.DateTimeField()


class BookmarkSerializer(serializers.ModelSerializer[Checkpoint]):
    expectation = ExpectationSerializer(allow_null=True)

    class Meta:
        model = Checkpoint
        fields = ["id", "job_id", "stage", "stage_index", "is_scenario", "scenario_label", "created_at", "expectation"]


class ScenarioSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="of the checkpoint")
    job_id = serializers.UUIDField()
    stage = serializers.CharField()
    scenario_label = serializers.CharField()
    profile_name = serializers.CharField()
    video_path = serializers.CharField()
    frame_count = serializers.IntegerField(help_text="sampled frames of the job's video")
    created_at = serializers.DateTimeField()
    expected = ExpectedBrandSerializer(many=True, help_text="empty where nobody said what it must show")


class Bookmark(APIView):
    """A checkpoint's label, and what its report must show."""

    @extend_schema(
        operation_id="bookmark",
        summary="Bookmark a checkpoint as a scenario, or take the bookmark away",
        description="A scenario is a checkpoint to come back to. With an expectation it is a regression case: "
        "`manage.py check_scenarios` replays it and tells what became better or worse.",
        tags=["detection"],
        request=BookmarkRequestSerializer,
        responses={200: BookmarkSerializer, **errors(400, 404, 409)},
    )
    def patch(self, request: Request, checkpoint_id: UUID) -> Response:
        body = BookmarkRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        brands = given["expectation"]["brands"] if "expectation" in given else None
        node = bookmark_set(
            checkpoint_id=checkpoint_id,
            label=given.get("label"),
            from_report="expect" in given,
            brands=None if brands is None else [ExpectedBrand(**brand) for brand in brands],
            by=principal_of(request).name,
        )
        return Response(_bookmark(node))


class ScenarioList(APIView):
    """Bookmarked checkpoints of all jobs, newest first."""

    @extend_schema(
        operation_id="scenarios",
        summary="The bookmarked checkpoints",
        description="Of all jobs, newest first.",
        tags=["detection"],
        responses={200: ScenarioSerializer(many=True), **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response([_listed(scenario) for scenario in scenario_list()])


def _bookmark(node: Checkpoint) -> dict[str, Any]:
    expectation = expectation_of(node.id)
    fields = ("id", "job_id", "stage", "stage_index", "is_scenario", "scenario_label", "created_at")
    return {
        **{name: getattr(node, name) for name in fields},
        "expectation": None if expectation is None else ExpectationSerializer(expectation).data,
    }


def _listed(scenario: Scenario) -> dict[str, Any]:
    return {
        "id": scenario.checkpoint_id,
        "job_id": scenario.job_id,
        "stage": scenario.stage,
        "scenario_label": scenario.label,
        "profile_name": scenario.profile_name,
        "video_path": scenario.video_path,
        "frame_count": scenario.frame_count,
        "created_at": scenario.created_at,
        "expected": ExpectedBrandSerializer(scenario.expected, many=True).data,
    }

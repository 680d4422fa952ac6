"""``GET /detect/checkpoints/{job_id}``: the nodes that a job's result stands on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.checkpoints.store import CheckpointRecord
from detect.errors import NotFoundError
from jobs.api.fields import OverridesField
from jobs.api.schema import errors
from jobs.models import DetectJob
from jobs.selectors import job_branch


class CheckpointSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    parent_id = serializers.UUIDField(allow_null=True)
    job_id = serializers.UUIDField(help_text="the job that made it: a replay stands on its parent's nodes")
    stage = serializers.CharField()
    stage_index = serializers.IntegerField()
    is_scenario = serializers.BooleanField(default=False)
    scenario_label = serializers.CharField(allow_blank=True, default="")
    created_at = serializers.DateTimeField()
    stats = serializers.DictField(help_text="what the stage did, in figures")
    config_overrides = OverridesField(help_text="merged down the branch")


class CheckpointList(APIView):
    """First stage first."""

    @extend_schema(
        operation_id="checkpoints",
        summary="The checkpoints of a job",
        description="One for each stage that has ended, in the order of the tree. Those of a replay begin with the "
        "ones of the job that it branches off: `job_id` says whose each is.",
        tags=["detection"],
        responses={200: CheckpointSerializer(many=True), **errors(404)},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        job = DetectJob.objects.only("id", "branch_point_id").filter(id=job_id).first()
        if job is None:
            raise NotFoundError(f"There is no job {job_id}.")
        return Response([_checkpoint(node) for node in job_branch(job)])


def _checkpoint(node: CheckpointRecord) -> dict[str, Any]:
    return {
        "id": node.id,
        "parent_id": node.parent_id,
        "job_id": node.job_id,
        "stage": node.stage,
        "stage_index": node.stage_index,
        "is_scenario": node.is_scenario,
        "scenario_label": node.scenario_label,
        "created_at": node.created_at,
        "stats": node.stats.get(node.stage, {}),
        "config_overrides": node.config_overrides,
    }

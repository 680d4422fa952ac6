"""``GET /detect/jobs/{job_id}/tree``: a job's replays and retries, and what each of them did anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.errors import NotFoundError
from jobs.api.fields import OverridesField
from jobs.api.schema import errors
from jobs.branches.trees import job_tree
from jobs.choices import JobStatus, RunType


class TreeJobSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    parent_job_id = serializers.UUIDField(allow_null=True)
    run_type = serializers.ChoiceField(choices=RunType.choices)
    status = serializers.ChoiceField(choices=JobStatus.choices)
    replay_from_stage = serializers.CharField(allow_blank=True)
    config_overrides = OverridesField(help_text="options that differ from the parent's")
    brands_found = serializers.IntegerField()
    total_detections = serializers.IntegerField()
    estimated_cost_usd = serializers.CharField(help_text="a decimal")
    created_at = serializers.DateTimeField()


class TreeNodeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    parent_id = serializers.UUIDField(allow_null=True)
    job_id = serializers.UUIDField()
    stage = serializers.CharField()
    stage_index = serializers.IntegerField()
    is_scenario = serializers.BooleanField()
    scenario_label = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    seconds = serializers.FloatField(help_text="spent when it was made")
    units = serializers.IntegerField(help_text="chunks, or 1")
    reused = serializers.IntegerField(help_text="units that were found stored")
    skipped = serializers.CharField(allow_blank=True, help_text="why the stage did nothing")
    own_overrides = OverridesField(help_text="options that differ from the parent's")


class JobTreeSerializer(serializers.Serializer[Any]):
    root_id = serializers.UUIDField()
    jobs = TreeJobSerializer(many=True)
    nodes = TreeNodeSerializer(many=True)


class JobTreeView(APIView):
    """The whole family of a job, whichever member is asked for."""

    @extend_schema(
        operation_id="job_tree",
        summary="A job's replays and retries with their checkpoints",
        description="The whole family, whichever of its members is asked for: each job with the options in which it "
        "differs from its parent, each checkpoint with what its stage did anew.",
        tags=["detection"],
        responses={200: JobTreeSerializer, **errors(404)},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        tree = job_tree(job_id)
        if tree is None:
            raise NotFoundError(f"There is no job {job_id}.")
        # As they are: hundreds of nodes need no serializer, and a test holds them to the one that is documented.
        return Response({"root_id": tree.root_id, "jobs": tree.jobs, "nodes": tree.nodes})

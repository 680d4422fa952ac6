"""The detection interface, ``/detect``: a job's checkpoints and the bookmarked ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detect.checkpoints.store import CheckpointRecord
from detect.persistence import DatabaseCheckpointStore
from jobs.models import DetectJob
from jobs.selectors import job_branch


class CheckpointList(APIView):
    """``GET /detect/checkpoints/{job_id}``: the nodes a job's result stands on, first stage first."""

    def get(self, request: Request, job_id: UUID) -> Response:
        job = DetectJob.objects.filter(id=job_id).select_related("timeline").first()
        if job is None:
            raise NotFound(f"There is no job {job_id}.")
        return Response([_checkpoint(node) for node in job_branch(job)])


class ScenarioList(APIView):
    """``GET /detect/scenarios``: bookmarked checkpoints of all jobs, newest first."""

    def get(self, request: Request) -> Response:
        nodes = DatabaseCheckpointStore().list_scenarios()
        jobs = DetectJob.objects.select_related("timeline").in_bulk([node.job_id for node in nodes])
        return Response([_scenario(node, jobs[node.job_id]) for node in nodes if node.job_id in jobs])


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


def _scenario(node: CheckpointRecord, job: DetectJob) -> dict[str, Any]:
    return {
        "id": node.id,
        "job_id": node.job_id,
        "stage": node.stage,
        "scenario_label": node.scenario_label,
        "profile_name": job.profile_name,
        "video_path": job.video_path,
        "frame_count": 0 if job.timeline is None else len(job.timeline.frames_meta),
        "created_at": node.created_at,
    }

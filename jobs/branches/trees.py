"""A job with all its replays and retries, and the checkpoints they made, as one tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Func, JSONField

from detect.models import Checkpoint
from detect.options import Overrides
from detect.providers.budget import as_text
from jobs.models import DetectJob
from jobs.selectors import job_family

_JOB_FIELDS = (
    "id",
    "parent_job_id",
    "run_type",
    "status",
    "replay_from_stage",
    "config_overrides",
    "brands_found",
    "total_detections",
    "estimated_cost_usd",
    "created_at",
)
_NODE_FIELDS = (
    "id",
    "parent_id",
    "job_id",
    "stage",
    "stage_index",
    "is_scenario",
    "scenario_label",
    "created_at",
    "config_overrides",
)


@dataclass(frozen=True)
class JobTree:
    """Plain values for programs and pages. Jobs come before their branches and checkpoints before their children.

    A job's ``config_overrides`` and a checkpoint's ``own_overrides`` are what differs from the parent.
    """

    root_id: UUID
    jobs: list[dict[str, Any]]
    nodes: list[dict[str, Any]]


def job_tree(job_id: UUID) -> JobTree | None:
    """The tree that a job belongs to, in three queries whatever its size; None for an unknown job."""
    family = job_family(job_id)
    if not family:
        return None
    place = {member: number for number, member in enumerate(family)}
    jobs = sorted(DetectJob.objects.filter(id__in=family).values(*_JOB_FIELDS), key=lambda row: place[row["id"]])
    # Only the stage's own figures: a checkpoint carries those of all stages before it.
    own_stats = Func(F("stats"), F("stage"), function="jsonb_extract_path", output_field=JSONField())
    nodes = sorted(
        Checkpoint.objects.filter(job_id__in=family).order_by().values(*_NODE_FIELDS, own_stats=own_stats),
        key=lambda row: (place[row["job_id"]], row["stage_index"], row["created_at"]),
    )
    return JobTree(root_id=family[0], jobs=_jobs(jobs), nodes=_nodes(nodes))


def own_overrides(overrides: Overrides, before: Overrides) -> Overrides:
    """The options of ``overrides`` that are not so in ``before``."""
    return {
        stage: own
        for stage, values in overrides.items()
        if (own := {name: value for name, value in values.items() if _differs(value, before.get(stage, {}), name)})
    }


def _differs(value: Any, before: dict[str, Any], name: str) -> bool:
    return name not in before or before[name] != value


def _jobs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    overrides = {row["id"]: row["config_overrides"] for row in rows}
    return [
        {
            **row,
            "config_overrides": own_overrides(row["config_overrides"], overrides.get(row["parent_job_id"], {})),
            "estimated_cost_usd": as_text(row["estimated_cost_usd"]),
        }
        for row in rows
    ]


def _nodes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    overrides = {row["id"]: row["config_overrides"] for row in rows}
    nodes = []
    for row in rows:
        own = row.pop("config_overrides")
        stats = row.pop("own_stats") or {}
        nodes.append(
            {
                **row,
                "seconds": float(stats.get("seconds", 0.0)),
                "units": int(stats.get("units", 0)),
                "reused": int(stats.get("reused", 0)),
                "skipped": str(stats.get("skipped", "")),
                "own_overrides": own_overrides(own, overrides.get(row["parent_id"], {})),
            }
        )
    return nodes

"""Bookmarked checkpoints: what people tune on, and what other settings are judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, IntegerField

from detect.errors import ConfigError, ConflictError, NotFoundError
from detect.models import Checkpoint
from detect.registry import load_pipeline
from jobs.branches.expectations import ScenarioExpectation
from jobs.choices import JobStatus
from jobs.models import DetectJob
from jobs.selectors import job_report


@dataclass(frozen=True)
class ExpectedBrand:
    """A brand that must be on screen for ``seconds`` of the video; ``tolerance`` seconds more or fewer are as good."""

    name: str
    seconds: float
    tolerance: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """A bookmarked checkpoint with the job that made it."""

    checkpoint_id: UUID
    job_id: UUID
    stage: str
    label: str
    profile_name: str
    video_path: str
    frame_count: int
    created_at: datetime
    expected: tuple[ExpectedBrand, ...]


@transaction.atomic
def bookmark_set(
    *,
    checkpoint_id: UUID,
    label: str | None = None,
    from_report: bool = False,
    brands: Sequence[ExpectedBrand] | None = None,
    by: str = "",
) -> Checkpoint:
    """Label a checkpoint as a scenario; an empty label takes the bookmark away, and its expectation with it.

    Without ``label`` the checkpoint keeps the one it has.
    ``from_report`` makes what the report of the checkpoint's job shows now the expectation, ``brands`` gives one; with
    neither, the one it has stays. Raises ``NotFoundError`` for an unknown checkpoint, ``ConfigError`` for an
    expectation without a bookmark or given twice, and ``ConflictError`` where the job has no report yet.
    """
    node = Checkpoint.objects.select_for_update().filter(id=checkpoint_id).first()
    if node is None:
        raise NotFoundError(f"There is no checkpoint {checkpoint_id}.")
    if from_report and brands is not None:
        raise ConfigError("take the expectation from the report or give it, not both")
    label = node.scenario_label if label is None else label
    if not label and (from_report or brands is not None):
        raise ConfigError("an expectation belongs to a bookmark: give it a label")
    node.is_scenario, node.scenario_label = bool(label), label
    node.save(update_fields=["is_scenario", "scenario_label"])
    if not label:
        ScenarioExpectation.objects.filter(checkpoint=node).delete()
    elif from_report or brands is not None:
        expected = _expected_from_report(node) if brands is None else brands
        ScenarioExpectation.objects.update_or_create(
            checkpoint=node,
            defaults={
                "brands": [asdict(brand) for brand in expected],
                "made_from": "report" if from_report else "given",
                "made_by": by,
            },
        )
    return node


def expectation_of(checkpoint_id: UUID) -> ScenarioExpectation | None:
    """What the scenario's report must show; None where nobody said."""
    return ScenarioExpectation.objects.filter(checkpoint_id=checkpoint_id).first()


def scenario_list() -> list[Scenario]:
    """All scenarios, newest first, in two queries."""
    nodes = list(
        Checkpoint.objects.filter(is_scenario=True)
        .select_related("expectation")
        .only("id", "job_id", "stage", "scenario_label", "created_at", "expectation__brands")
        .order_by("-created_at", "-id")
    )
    # Counted in the database: the frames of a long video are a large value.
    frames = Func(F("timeline__frames_meta"), function="jsonb_array_length", output_field=IntegerField())
    found = DetectJob.objects.filter(id__in=[node.job_id for node in nodes]).order_by()
    jobs = {row["id"]: row for row in found.values("id", "profile_name", "video_path", frame_count=frames)}
    return [_scenario(node, jobs[node.job_id]) for node in nodes if node.job_id in jobs]


def _scenario(node: Checkpoint, job: Mapping[str, Any]) -> Scenario:
    expectation = getattr(node, "expectation", None)
    return Scenario(
        checkpoint_id=node.id,
        job_id=node.job_id,
        stage=node.stage,
        label=node.scenario_label,
        profile_name=job["profile_name"],
        video_path=job["video_path"],
        frame_count=job["frame_count"] or 0,
        created_at=node.created_at,
        expected=() if expectation is None else tuple(ExpectedBrand(**brand) for brand in expectation.brands),
    )


def _expected_from_report(node: Checkpoint) -> list[ExpectedBrand]:
    job = DetectJob.objects.select_related("source_asset").filter(id=node.job_id).first()
    if job is None or job.status != JobStatus.COMPLETED:
        state = "gone" if job is None else job.status
        raise ConflictError(f"job {node.job_id} is {state}: it has no report to take the expectation from")
    if not load_pipeline(job.pipeline).gives_report:
        raise ConflictError(f"job {node.job_id} has no report of brands to take the expectation from")
    return [ExpectedBrand(brand.name, brand.seconds, brand.seconds_uncertainty) for brand in job_report(job).brands]

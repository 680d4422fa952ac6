"""An installation that has been used for long, made in seconds: many jobs, very many sightings, one large tree.

Rows are written by the database itself (``INSERT … SELECT generate_series``). Everything follows from its number, so
that two fillings are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from detect.checkpoints.outputs import save_stage_output
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.models import Timeline
from detect.persistence import DatabaseCheckpointStore
from detect.registry import load_pipeline
from detect.report import ReportBrand, ReportCosts, ReportEvidence, ReportExposure, ReportQuality, ReportScoring
from detect.stages.base import StageOutput
from detect.stages.compile_report import CompileReportOutput

BRANDS = 200
_TABLES = (
    "jobs_detectjob",
    "jobs_scenarioexpectation",
    "detect_checkpoint",
    "detect_stageoutput",
    "detect_timeline",
    "brands_sourcebrandsighting",
    "brands_knownbrand",
    "detect_sourceasset",
)


@dataclass(frozen=True)
class Scale:
    """How much there is. Sightings are those of ``BRANDS`` brands on each asset."""

    jobs: int = 10_000
    sightings: int = 1_000_000
    branches: int = 200
    chunks: int = 180
    brands: int = 60
    exposures: int = 40

    @property
    def assets(self) -> int:
        return max(1, self.sightings // BRANDS)


@dataclass(frozen=True)
class Filled:
    """What to ask for: two members of the tree with reports of their own, an asset and a brand."""

    root: UUID
    branch: UUID
    asset: UUID
    brand: str


@contextmanager
def filled(scale: Scale) -> Iterator[Filled]:
    """Fill the database of this process, which must be empty, and empty it again at the end."""
    try:
        yield _fill(scale)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(_TABLES)} CASCADE")


def _fill(scale: Scale) -> Filled:
    with connection.cursor() as cursor:
        # What is written refers to what was written before: a million checks of that are left out.
        cursor.execute("SET session_replication_role = replica")
        try:
            _assets(cursor, scale)
            _sightings(cursor, scale)
            _jobs(cursor, scale)
            found = _tree(cursor, scale)
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute(f"VACUUM ANALYZE {', '.join(_TABLES)}")
    return found


def _assets(cursor: CursorWrapper, scale: Scale) -> None:
    cursor.execute(
        """
        INSERT INTO detect_sourceasset (id, path, sha256, probe, created_at)
        SELECT md5('asset' || n)::uuid, '/videos/' || (2015 + n %% 10) || '/match-' || n || '.mp4',
               md5('asset' || n) || md5(n::text), %s::jsonb, now() - n * interval '1 minute'
        FROM generate_series(1, %s) n
        """,
        [msgspec.json.encode(_probe()).decode(), scale.assets],
    )


def _probe() -> dict[str, Any]:
    return {
        "duration": 5400.0,
        "width": 1280,
        "height": 720,
        "frame_rate": "25/1",
        "variable_frame_rate": False,
        "start_time": 0.0,
        "warnings": [],
    }


def _sightings(cursor: CursorWrapper, scale: Scale) -> None:
    cursor.execute(
        """
        INSERT INTO brands_knownbrand (id, canonical_name, normalized_name, first_source, total_occurrences,
                                       confirmed, created_at, updated_at)
        SELECT md5('brand' || n)::uuid, 'Brand ' || n, 'brand' || n, 'ocr', 0, true, now(), now()
        FROM generate_series(1, %s) n
        """,
        [BRANDS],
    )
    cursor.execute(
        """
        INSERT INTO brands_sourcebrandsighting (id, source_asset_id, brand_id, brand_name, texts, first_seen_timestamp,
            last_seen_timestamp, occurrences, detection_source, avg_confidence, created_at)
        SELECT md5('sighting' || n)::uuid, md5('asset' || (1 + n / %s))::uuid, md5('brand' || (1 + n %% %s))::uuid,
               'Brand ' || (1 + n %% %s), '[]', n %% 2000, n %% 2000 + 60, 1 + n %% 50,
               (ARRAY['ocr', 'ocr', 'ocr', 'ocr', 'logo', 'local_vlm', 'cloud_llm', 'manual'])[1 + n / 3 %% 8],
               0.9, now() - (n / 7) * interval '1 second'
        FROM generate_series(0, %s) n
        """,
        [BRANDS, BRANDS, BRANDS, scale.assets * BRANDS - 1],
    )


def _jobs(cursor: CursorWrapper, scale: Scale) -> None:
    cursor.execute(
        """
        INSERT INTO jobs_detectjob (id, source_asset_id, timeline_id, parent_job_id, video_path, pipeline, profile_name,
            run_type, replay_from_stage, config_overrides, known_brands, request_digest, idempotency_key, requested_by,
            tags, status, current_stage, progress, error_message, total_detections, brands_found, cloud_llm_calls,
            estimated_cost_usd, task_id, priority, last_event, created_at)
        SELECT md5('job' || n)::uuid, md5('asset' || (1 + n %% %s))::uuid, NULL, NULL,
               '/videos/' || (2015 + n %% 10) || '/match-' || (1 + n %% %s) || '.mp4', 'brands',
               CASE WHEN n %% 3 = 0 THEN 'motorsport' ELSE 'soccer_broadcast' END,
               CASE WHEN n %% 5 = 0 THEN 'replay' ELSE 'initial' END, '', '{"match_brands": {"min_similarity": 0.8}}',
               decode(repeat('00', 2000), 'hex'), md5(n::text), '', 'user:analyst', ARRAY['season-' || n %% 12],
               (ARRAY['completed', 'completed', 'completed', 'completed', 'failed', 'cancelled', 'pending', 'paused'])
               [1 + n %% 8], '', (n %% 100) / 100.0, '', n %% 900, n %% 40, 0, 0, '', n %% 10, 0,
               now() - n * interval '3 minutes'
        FROM generate_series(1, %s) n
        """,
        [scale.assets, scale.assets, scale.jobs - scale.branches - 1],
    )


def _tree(cursor: CursorWrapper, scale: Scale) -> Filled:
    """One job with branches from ``match_brands`` on, every tenth of which has branches of its own."""
    root, branch = _id(cursor, "tree0"), _id(cursor, "tree1")
    asset = _id(cursor, "asset1")
    cursor.execute(
        """
        INSERT INTO jobs_detectjob (id, source_asset_id, parent_job_id, video_path, pipeline, profile_name, run_type,
            replay_from_stage, config_overrides, known_brands, request_digest, idempotency_key, requested_by,
            tags, status, current_stage, progress, error_message, total_detections, brands_found, cloud_llm_calls,
            estimated_cost_usd, task_id, priority, last_event, created_at)
        SELECT md5('tree' || n)::uuid, %s,
               CASE WHEN n = 0 THEN NULL WHEN n %% 10 = 1 THEN md5('tree0')::uuid
                    ELSE md5('tree' || (n - (n - 1) %% 10))::uuid END,
               '/videos/tree.mp4', 'brands', 'soccer_broadcast', CASE WHEN n = 0 THEN 'initial' ELSE 'replay' END,
               CASE WHEN n = 0 THEN '' ELSE 'match_brands' END,
               jsonb_build_object('match_brands', jsonb_build_object('min_similarity', 0.5 + n / 1000.0)),
               decode(repeat('00', 2000), 'hex'), md5('tree' || n), '', 'user:analyst', ARRAY['tuning'], 'completed',
               '', 1, '', 300, 60, 0, 0, '', 0, 0, now() + n * interval '1 second'
        FROM generate_series(0, %s) n
        """,
        [asset, scale.branches],
    )
    timeline = Timeline.objects.create(
        source_asset_id=asset,
        source_video="/videos/tree.mp4",
        profile_name="soccer_broadcast",
        fps=2,
        frames_prefix="x",
    )
    trunk = _save_branch(root, timeline.id, None, scale, shift=0.0)
    _save_branch(branch, timeline.id, trunk[4], scale, shift=0.4)
    _copy_branches(cursor, branch, scale)
    return Filled(root=root, branch=branch, asset=asset, brand="Brand 7")


def _id(cursor: CursorWrapper, name: str) -> UUID:
    cursor.execute("SELECT md5(%s)::uuid", [name])
    found: UUID = cursor.fetchone()[0]
    return found


def _save_branch(
    job_id: UUID, timeline_id: UUID, parent: CheckpointRecord | None, scale: Scale, *, shift: float
) -> list[CheckpointRecord]:
    """The stages behind ``parent`` with as many chunks as a long match has, and a report of a long match at the end."""
    pipeline = load_pipeline("brands")
    node, nodes = parent, []
    overrides = {"match_brands": {"min_similarity": 0.8 + shift / 10}}
    snapshot = resolve(pipeline, "soccer_broadcast", overrides).snapshot()
    for stage in pipeline.stages[0 if parent is None else parent.stage_index + 1 :]:
        parts: list[Any] = [_Chunk(number=number) for number in range(scale.chunks if stage.scope == "chunk" else 1)]
        if stage.name == pipeline.stages[-1].name:
            parts = [_report(scale, shift)]
        node = save_stage_output(
            DatabaseCheckpointStore(),
            stage=stage.name,
            parts=parts,
            timeline_id=timeline_id,
            job_id=job_id,
            parent=node,
            overrides=overrides,
            snapshot=snapshot,
        )
        nodes.append(node)
    return nodes


def _copy_branches(cursor: CursorWrapper, branch: UUID, scale: Scale) -> None:
    """Every other branch has the checkpoints of the first, under ids of its own."""
    cursor.execute(
        """
        INSERT INTO detect_checkpoint (id, timeline_id, job_id, parent_id, stage, stage_index, outputs,
            config_overrides, config_snapshot, stats, is_scenario, scenario_label, created_at)
        SELECT md5(n || node.id::text)::uuid, node.timeline_id, md5('tree' || n)::uuid,
               CASE WHEN parent.job_id = node.job_id THEN md5(n || parent.id::text)::uuid ELSE parent.id END,
               node.stage, node.stage_index, node.outputs,
               jsonb_build_object('match_brands', jsonb_build_object('min_similarity', 0.5 + n / 1000.0)),
               node.config_snapshot, node.stats, false, '', node.created_at + n * interval '1 second'
        FROM detect_checkpoint node JOIN detect_checkpoint parent ON parent.id = node.parent_id,
             generate_series(2, %s) n
        WHERE node.job_id = %s
        """,
        [scale.branches, branch],
    )


class _Chunk(StageOutput, frozen=True, kw_only=True):
    """Stands for the output of a chunk: comparing and listing look at none of them."""

    number: int


def _report(scale: Scale, shift: float) -> CompileReportOutput:
    """A report as of a whole match; with ``shift`` all exposures lie so many seconds later."""
    return CompileReportOutput(
        brands=[_brand(number, scale.exposures, shift) for number in range(scale.brands)],
        unresolved=[],
        costs=ReportCosts(),
        scoring=ReportScoring(quality_score="", weights={}, media_value="", currency="USD"),
        analyzed_seconds=5400.0,
        problems=[],
        notes=[],
    )


def _brand(number: int, exposures: int, shift: float) -> ReportBrand:
    return ReportBrand(
        name=f"Brand {number}",
        brand_id="",
        confirmed=True,
        seconds=exposures * 8.0,
        seconds_uncertainty=2.0,
        occurrences=exposures,
        share_of_voice=0.1,
        mean_area_share=0.01,
        max_area_share=0.02,
        clarity=0.5,
        quality_score=50.0,
        quality=ReportQuality(0.5, 0.5, 0.5, 0.5, 0.5),
        media_value=None,
        by_placement={"board": exposures * 8.0},
        exposures=[_exposure(100.0 * index + number + shift) for index in range(exposures)],
    )


def _exposure(start: float) -> ReportExposure:
    evidence = [
        ReportEvidence(
            time=start + second,
            sequence=round(2 * (start + second)),
            box=(400, 300, 120, 30),
            text="BRAND",
            confidence=0.9,
            crop=f"crops/{round(start):07d}-400-300-120-30.jpg",
            source="ocr",
            rule="exact",
        )
        for second in (1.0, 3.0, 6.0)
    ]
    return ReportExposure(
        start=start,
        end=start + 8.0,
        start_uncertainty=0.04,
        end_uncertainty=0.04,
        placement="board",
        position="centre",
        mean_confidence=0.9,
        source="ocr",
        seconds=8.0,
        observations=16,
        mean_area_share=0.01,
        clarity=0.5,
        evidence=evidence,
    )

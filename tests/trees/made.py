"""Jobs with the outputs of every stage up to ``match_brands`` made by hand, so that what follows can really run."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from detect.checkpoints import serde
from detect.checkpoints.outputs import save_stage_output
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.events import SilentListener
from detect.models import SourceAsset, Timeline
from detect.options import Overrides
from detect.persistence import DatabaseCheckpointStore
from detect.registry import load_pipeline
from detect.stages.detect_edges import DetectEdgesOutput
from detect.stages.detect_objects import DetectObjectsOutput
from detect.stages.extract_frames import encode_jpeg
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from detect.stages.run_ocr import RunOcrOutput
from detect.types import BrandDetection, Candidate, KnownBrandRecord, KnownBrands
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob
from jobs.services import job_run
from tests.providers.made import DrawnFrames, candidate
from tests.report.factories import detection, extracted, source

KNOWN = KnownBrands(brands=(KnownBrandRecord("Acme"), KnownBrandRecord("Bolt")), given=False)
#: Seen on frames that there are.
CANDIDATES = [candidate("ACNE", sequence=0), candidate("BOLTT", sequence=3), candidate("KORD", sequence=5)]


def an_asset(**change: Any) -> SourceAsset:
    info = source(**change)
    asset, _ = SourceAsset.objects.get_or_create(
        sha256=info.sha256, defaults={"path": info.path, "probe": msgspec.to_builtins(info)}
    )
    return asset


def a_job(asset: SourceAsset | None = None, **fields: Any) -> DetectJob:
    """A job without checkpoints."""
    asset = asset or an_asset()
    timeline = Timeline.objects.create(
        source_asset=asset,
        source_video=asset.path,
        profile_name="soccer_broadcast",
        fps=2,
        frames_prefix=f"timelines/{uuid.uuid4()}",
    )
    values = {
        "video_path": asset.path,
        "known_brands": serde.pack(serde.encode(KNOWN)),
        "request_digest": uuid.uuid4().hex,
    }
    return DetectJob.objects.create(**{"source_asset": asset, "timeline": timeline, **values, **fields})


def matched_job(
    *,
    detections: list[BrandDetection] | None = None,
    unresolved: list[Candidate] | None = None,
    overrides: Overrides | None = None,
    frames: bool = False,
    asset: SourceAsset | None = None,
    **fields: Any,
) -> DetectJob:
    """A job that has gone through ``match_brands``; with ``frames`` its ten frames are in storage."""
    job = a_job(asset, config_overrides=overrides or {}, **fields)
    assert job.timeline is not None
    if frames:
        stored = timeline_frames(job.timeline)
        for sequence in range(10):
            stored.save_jpeg(sequence, encode_jpeg(DrawnFrames().load(sequence), 90))
    pipeline = load_pipeline("brands")
    outputs: list[Any] = [
        extracted(),
        FilterScenesOutput(kept=list(range(10)), stands_for={}, cuts=[]),
        DetectEdgesOutput(regions={}),
        DetectObjectsOutput(regions={}),
        RunOcrOutput(tracks=[]),
        MatchBrandsOutput(
            detections=[detection("Acme", [0, 1, 2])] if detections is None else detections,
            unresolved=CANDIDATES if unresolved is None else unresolved,
        ),
    ]
    node: CheckpointRecord | None = None
    for stage, output in zip(pipeline.stages, outputs, strict=False):
        node = save_stage_output(
            DatabaseCheckpointStore(),
            stage=stage.name,
            parts=[output],
            timeline_id=job.timeline.id,
            job_id=job.id,
            parent=node,
            overrides=overrides,
            snapshot=resolve(pipeline, job.profile_name, overrides).snapshot(),
        )
    return job


def run(job: DetectJob) -> DetectJob:
    """The job, run to its end in this process."""
    job_run(job=job, listener=SilentListener())
    job.refresh_from_db()
    assert job.status == JobStatus.COMPLETED
    return job

"""Boxes that are drawn over a job's video, window by window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

import msgspec

from detect.byte_cache import ByteCache
from detect.checkpoints import serde
from detect.checkpoints.store import Manifest
from detect.errors import NotFoundError
from detect.models import Checkpoint
from detect.overlay import DrawnTrack, Overlay, build_overlay
from detect.persistence import DatabaseCheckpointStore
from detect.stages.compile_report import CompileReportInput, CompileReportOptions
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.escalation import EscalationOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from jobs.models import DetectJob
from jobs.selectors import job_known_brands, job_source

T = TypeVar("T")
EscalatedT = TypeVar("EscalatedT", bound=EscalationOutput)

_MATCHED = "match_brands"
_STAGES = ("extract_frames", "filter_scenes", _MATCHED, "escalate_vlm", "escalate_cloud")
_CACHE_BYTES = 128 << 20  # two hours with 80,000 boxes take 17 MB

Outputs = Mapping[str, str]


class JobBoxes(msgspec.Struct, frozen=True):
    """What a window shows: tracks of brands, and of candidates that nobody could decide on."""

    tracks: list[DrawnTrack]
    undecided: list[DrawnTrack]


# by what an overlay is made from: jobs that share their outputs share it
_overlays: ByteCache[tuple[tuple[str | None, ...], bytes], Overlay] = ByteCache(
    _CACHE_BYTES, lambda overlay: overlay.nbytes
)


def job_boxes(job_id: UUID, start: float, end: float) -> JobBoxes:
    """Brands on screen from ``start`` to ``end``, seconds of the video; none while the job has not recognised any.

    Raises ``NotFoundError`` for an unknown job.
    """
    outputs, options = _branch(job_id)
    if _MATCHED not in outputs:
        return JobBoxes([], [])
    key = tuple(outputs.get(stage) for stage in _STAGES), serde.encode(options)
    overlay = _overlays.get(key, lambda: _load(job_id, outputs, options))
    return JobBoxes(*overlay.between(start, end))


def _branch(job_id: UUID) -> tuple[Outputs, CompileReportOptions]:
    """The outputs that the job's last checkpoint stands on, by stage, and what the report counts as an exposure."""
    branch_points = list(DetectJob.objects.filter(id=job_id).values_list("branch_point_id", flat=True))
    if not branch_points:
        raise NotFoundError(f"There is no job {job_id}.")
    nodes = Checkpoint.objects.values_list("outputs", "config_snapshot")
    node = nodes.filter(job_id=job_id).order_by("-stage_index", "-created_at").first()
    node = node or nodes.filter(id=branch_points[0]).first()
    outputs, config = node or ({}, {})
    return outputs, msgspec.convert(config.get("compile_report", {}), CompileReportOptions)


def _load(job_id: UUID, outputs: Outputs, options: CompileReportOptions) -> Overlay:
    large = ("timeline", "parent_job", "branch_point")
    job = DetectJob.objects.select_related("source_asset").defer(*large).get(id=job_id)
    parts = _Parts(outputs)
    (matched,) = parts.of(_MATCHED, MatchBrandsOutput)
    local = [*parts.of("escalate_vlm", EscalateVlmOutput)] or [_asked_nobody(EscalateVlmOutput, matched)]
    cloud = [*parts.of("escalate_cloud", EscalateCloudOutput)] or [_asked_nobody(EscalateCloudOutput, local[0])]
    data = CompileReportInput(
        extract_frames=parts.of("extract_frames", ExtractFramesOutput),
        filter_scenes=parts.of("filter_scenes", FilterScenesOutput),
        detect_objects=[],
        match_brands=matched,
        escalate_vlm=local[0],
        escalate_cloud=cloud[0],
    )
    return build_overlay(data, job_source(job), options, job_known_brands(job))


def _asked_nobody(kind: type[EscalatedT], before: MatchBrandsOutput | EscalateVlmOutput) -> EscalatedT:
    """The output of a stage that was not gone through yet, as if it had settled nothing."""
    return kind(detections=[], unresolved=before.unresolved, calls=[])


class _Parts:
    """The stored outputs of a checkpoint, fetched in two queries."""

    def __init__(self, outputs: Outputs) -> None:
        store = DatabaseCheckpointStore()
        keys = {stage: outputs[stage] for stage in _STAGES if stage in outputs}
        packed = store.load_outputs(list(keys.values()))
        self._manifests = {stage: serde.unpack(packed[key], Manifest) for stage, key in keys.items()}
        self._bodies = store.load_outputs([key for manifest in self._manifests.values() for key in manifest.keys])

    def of(self, stage: str, kind: type[T]) -> list[T]:
        """All parts of a stage's output, none where the branch did not get there."""
        manifest = self._manifests.get(stage)
        return [serde.unpack(self._bodies[key], kind) for key in manifest.keys] if manifest else []

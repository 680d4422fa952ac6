"""Comparing two jobs, or two checkpoints, of one video: what their results show, cost and are set to."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.core.files.storage import default_storage

from detect.checkpoints import serde
from detect.checkpoints.store import CheckpointRecord, Manifest
from detect.comparison import Comparison, compare
from detect.config import resolve
from detect.errors import ConfigError, NotFoundError
from detect.persistence import DatabaseCheckpointStore, StorageFrames
from detect.registry import load_pipeline
from detect.report import ReportBody
from detect.resources import Resources
from detect.stages.base import StageContext
from detect.stages.compile_report import CompileReport, CompileReportInput, CompileReportOutput
from detect.stages.escalate_cloud import EscalateCloudOutput
from detect.stages.escalate_vlm import EscalateVlmOutput
from detect.stages.extract_frames import ExtractFramesOutput
from detect.stages.filter_scenes import FilterScenesOutput
from detect.stages.match_brands import MatchBrandsOutput
from jobs.models import DetectJob
from jobs.selectors import job_branch, job_known_brands, job_source

T = TypeVar("T")
FIRST_COMPARABLE = "match_brands"
_REPORT = "compile_report"
_NAMES = (FIRST_COMPARABLE, "escalate_vlm", "escalate_cloud")


@dataclass(frozen=True)
class Side:
    """A result: the job that made it and the checkpoints it stands on, first stage first."""

    job: DetectJob
    branch: list[CheckpointRecord]

    def at(self, index: int) -> Side:
        """The same as it was after stage ``index``."""
        return Side(self.job, self.branch[: index + 1])

    @property
    def tip(self) -> CheckpointRecord:
        return self.branch[-1]


@dataclass(frozen=True)
class SidesCompared:
    """Two results after ``stage``. Differences are right minus left.

    ``undecided`` is how many candidates each leaves to people. Of the brands that both show, ``confirmed`` are those
    that only the right has as confirmed, and ``unconfirmed`` those that only the left has so.
    ``time_difference_seconds`` is of the work that the outputs took when they were computed, wherever that was: a
    branch that reuses everything is as costly here as one that reused nothing.
    """

    left: Side
    right: Side
    stage: str
    shown: Comparison
    undecided: tuple[int, int]
    confirmed: list[str]
    unconfirmed: list[str]
    cost_difference_usd: Decimal
    time_difference_seconds: float
    config_differences: dict[str, dict[str, list[Any]]]


@contextmanager
def collector_paused() -> Iterator[None]:
    """For work with many values that hold no cycles: looking for some takes longer than the work itself."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@collector_paused()
def results_compare(left_id: UUID, right_id: UUID) -> SidesCompared:
    """Compare two jobs or checkpoints by their reports, else by what the latest stage that both reached recognised.

    A fixed number of queries, whatever the results hold. Raises ``NotFoundError`` for an id of neither a job nor a
    checkpoint and ``ConfigError`` for results that cannot be compared.
    """
    left, right = _find(left_id), _find(right_id)
    if left.job.source_asset_id != right.job.source_asset_id:
        raise ConfigError("the two are of different videos: only results of one video can be compared")
    stage = _common_stage(left, right)
    index = next(node.stage_index for node in left.branch if node.stage == stage)
    left, right = left.at(index), right.at(index)
    loaded = _Outputs([left.tip, right.tip])
    before, after = _body(left, loaded), _body(right, loaded)
    sure, surer = _confirmed(before), _confirmed(after)
    return SidesCompared(
        left=left,
        right=right,
        stage=stage,
        shown=compare(before.brands, after.brands),
        undecided=(len(before.unresolved), len(after.unresolved)),
        confirmed=[name for name, is_so in surer.items() if is_so and sure.get(name) is False],
        unconfirmed=[name for name, is_so in sure.items() if is_so and surer.get(name) is False],
        cost_difference_usd=Decimal(after.costs.usd) - Decimal(before.costs.usd),
        time_difference_seconds=round(loaded.seconds(right.tip) - loaded.seconds(left.tip), 3),
        config_differences=_config_differences(left.tip, right.tip),
    )


def _find(wanted: UUID) -> Side:
    store = DatabaseCheckpointStore()
    jobs = DetectJob.objects.select_related("source_asset")
    job = jobs.filter(id=wanted).first()
    if job is not None:
        return Side(job, job_branch(job))
    try:
        branch = store.branch(wanted)
    except KeyError:
        raise NotFoundError(f"There is no job and no checkpoint {wanted}.") from None
    job = jobs.filter(id=branch[-1].job_id).first()
    if job is None:
        raise NotFoundError(f"The job that made checkpoint {wanted} is gone.")
    return Side(job, branch)


def _common_stage(left: Side, right: Side) -> str:
    """The latest stage that both have gone through. Raises ``ConfigError`` where that is before brands are known."""
    both = [node.stage for node, other in zip(left.branch, right.branch, strict=False) if node.stage == other.stage]
    if FIRST_COMPARABLE not in both:
        early = next(side for side in (left, right) if FIRST_COMPARABLE not in [node.stage for node in side.branch])
        reached = early.tip.stage if early.branch else "nothing"
        raise ConfigError(
            f"job {early.job.id} got as far as {reached}: results can be compared from {FIRST_COMPARABLE} on"
        )
    return both[-1]


class _Outputs:
    """What two checkpoints stand on, fetched in three queries: manifests, how long each part took, bodies."""

    def __init__(self, tips: Sequence[CheckpointRecord]) -> None:
        store = DatabaseCheckpointStore()
        keys = {key for tip in tips for key in tip.outputs.values()}
        packed = store.load_outputs(list(keys))
        self._manifests = {key: serde.unpack(body, Manifest) for key, body in packed.items()}
        self._refs = store.find_outputs([key for manifest in self._manifests.values() for key in manifest.keys])
        wanted = [part for tip in tips for stage in _needed(tip) for part in self._manifests[tip.outputs[stage]].keys]
        self._bodies = store.load_outputs(list(dict.fromkeys(wanted)))

    def parts(self, tip: CheckpointRecord, stage: str, kind: type[T]) -> list[T]:
        return [serde.unpack(self._bodies[key], kind) for key in self._manifests[tip.outputs[stage]].keys]

    def seconds(self, tip: CheckpointRecord) -> float:
        parts = (key for manifest in tip.outputs.values() for key in self._manifests[manifest].keys)
        return sum(self._refs[key].seconds for key in parts)


def _needed(tip: CheckpointRecord) -> list[str]:
    if tip.stage == _REPORT:
        return [_REPORT]
    return ["extract_frames", "filter_scenes", *(stage for stage in _NAMES if stage in tip.outputs)]


def _body(side: Side, loaded: _Outputs) -> ReportBody:
    """The stored report; before there is one, what the report would show if the stages in between found nothing."""
    tip = side.tip
    if tip.stage == _REPORT:
        return loaded.parts(tip, _REPORT, CompileReportOutput)[0]
    matched = loaded.parts(tip, FIRST_COMPARABLE, MatchBrandsOutput)[0]
    local = EscalateVlmOutput(detections=[], unresolved=matched.unresolved, calls=[])
    if "escalate_vlm" in tip.outputs:
        local = loaded.parts(tip, "escalate_vlm", EscalateVlmOutput)[0]
    cloud = EscalateCloudOutput(detections=[], unresolved=local.unresolved, calls=[])
    if "escalate_cloud" in tip.outputs:
        cloud = loaded.parts(tip, "escalate_cloud", EscalateCloudOutput)[0]
    config = resolve(load_pipeline(side.job.pipeline), side.job.profile_name, tip.config_overrides)
    context = StageContext(
        source=job_source(side.job),
        options=config.options[_REPORT],
        frames=StorageFrames(default_storage, f"timelines/{tip.timeline_id}"),
        known_brands=job_known_brands(side.job),
        resources=Resources(),
    )
    inputs = CompileReportInput(
        extract_frames=loaded.parts(tip, "extract_frames", ExtractFramesOutput),
        filter_scenes=loaded.parts(tip, "filter_scenes", FilterScenesOutput),
        detect_objects=[],
        match_brands=matched,
        escalate_vlm=local,
        escalate_cloud=cloud,
    )
    return CompileReport().run(context, inputs)


def _confirmed(body: ReportBody) -> dict[str, bool]:
    return {brand.name: brand.confirmed for brand in body.brands}


def _config_differences(left: CheckpointRecord, right: CheckpointRecord) -> dict[str, dict[str, list[Any]]]:
    """``{stage: {option: [left, right]}}`` of the stages gone through; None stands for an option that is not there."""
    differences: dict[str, dict[str, list[Any]]] = {}
    for stage in left.outputs:
        before, after = left.config_snapshot.get(stage, {}), right.config_snapshot.get(stage, {})
        differing = {
            option: [before.get(option), after.get(option)]
            for option in {**before, **after}
            if before.get(option) != after.get(option)
        }
        if differing:
            differences[stage] = differing
    return differences

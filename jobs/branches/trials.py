"""Trying one stage of a job on chosen frames. Reads only: nothing of a trial is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.conf import settings

from detect.byte_cache import ByteCache
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.errors import ConflictError, NotFoundError, StorageError
from detect.frame_regions import EdgeOverlays
from detect.models import Checkpoint
from detect.options import merge
from detect.persistence import DatabaseCheckpointStore
from detect.registry import Pipeline, load_pipeline
from detect.stages.base import Stage
from detect.tuning import Trial, TrialGround, Tuner, differing, stage_overrides
from detect.types import KnownBrands, Region
from jobs.engine import engine_resources, timeline_frames
from jobs.models import DetectJob
from jobs.selectors import job_known_brands, job_source

_PRESENT_BYTES, _REGION_BYTES = 32 << 20, 400


@dataclass(frozen=True)
class FramePair:
    """One frame with the job's own options and with others.

    ``lost`` and ``gained`` are positions in ``present`` and ``tried`` of what the other one does not have. ``skipped``
    says why the stage did nothing, empty if it ran.
    """

    present: list[Region]
    tried: list[Region]
    lost: list[int]
    gained: list[int]
    present_overlays: EdgeOverlays | None
    tried_overlays: EdgeOverlays | None
    skipped: str = ""


@cache
def process_tuner() -> Tuner:
    """The tuner of this process, with what it keeps in memory."""
    return Tuner(frame_bytes=settings.TUNING_CACHE_BYTES)


@cache
def _present_results() -> ByteCache[tuple[Any, ...], Trial]:
    """What stages find with the job's own options: the same however often a slider moves."""
    return ByteCache(_PRESENT_BYTES, _size)


def stage_try(
    *, job_id: UUID, stage: str, sequences: Sequence[int] | None, overrides: dict[str, Any], debug: bool
) -> Trial:
    """What ``stage`` finds on frames of a job with the job's options and ``overrides``.

    Raises ``NotFoundError`` for an unknown job, ``ConfigError`` for a stage, option, value or frame that there is not,
    ``ConflictError`` where the job has not got as far, and what :meth:`detect.tuning.Tuner.run` raises.
    """
    return _Bench.of(job_id, stage).run(sequences, overrides, debug=debug)


def stage_compare(
    *, job_id: UUID, stage: str, sequences: Sequence[int], overrides: dict[str, Any], debug: bool
) -> dict[int, FramePair]:
    """:func:`stage_try` beside what the same frames give with the job's own options, by sequence.

    Both sides are made in the same way, so that only the options tell them apart. Raises what :func:`stage_try` raises.
    """
    bench = _Bench.of(job_id, stage)
    tried = bench.run(sequences, overrides, debug=debug) if overrides else None
    present = bench.present(sequences, debug=debug)
    return {sequence: _pair(sequence, present, tried or present) for sequence in present.regions}


@dataclass(frozen=True)
class _Bench:
    """A job set up to have one of its stages tried."""

    job: DetectJob
    stage: Stage
    pipeline: Pipeline

    @classmethod
    def of(cls, job_id: UUID, stage: str) -> _Bench:
        # a timeline's lists of frames grow with the video, and are not needed here
        jobs = DetectJob.objects.select_related("source_asset", "timeline").defer(
            "timeline__frames_meta", "timeline__frames_manifest"
        )
        job = jobs.filter(id=job_id).first()
        if job is None:
            raise NotFoundError(f"There is no job {job_id}.")
        pipeline = load_pipeline(job.pipeline)
        return cls(job, pipeline.stage(stage), pipeline)

    @cached_property
    def ground(self) -> TrialGround:
        if self.job.timeline is None:
            raise ConflictError(f"nothing to replay {self.stage.name} from: the job has no frames yet")
        return TrialGround(
            pipeline=self.pipeline,
            node=last_node(self.job),
            store=DatabaseCheckpointStore(),
            frames=timeline_frames(self.job.timeline),
            timeline=self.job.timeline.frames_prefix,
            source=job_source(self.job),
            known_brands=job_known_brands(self.job) if self.stage.uses_known_brands else KnownBrands(),
            resources=engine_resources(),
        )

    def run(self, sequences: Sequence[int] | None, overrides: dict[str, Any], *, debug: bool) -> Trial:
        name = self.stage.name
        own = stage_overrides(self.pipeline, name, overrides)
        config = resolve(self.pipeline, self.job.profile_name, merge(self.job.config_overrides, own))
        try:
            return process_tuner().run(self.ground, stage=name, config=config, sequences=sequences, debug=debug)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):  # gone, not out of reach for a moment
                raise ConflictError(f"nothing to replay {name} from: {error}") from error
            raise

    def present(self, sequences: Sequence[int], *, debug: bool) -> Trial:
        """The job's own options, computed once: neither they nor what they are given change behind a checkpoint."""
        node = self.ground.node
        key = (node and node.id, self.stage.name, tuple(sequences), debug)
        return _present_results().get(key, lambda: self.run(sequences, {}, debug=debug))


def _pair(sequence: int, present: Trial, tried: Trial) -> FramePair:
    before, after = present.regions[sequence], tried.regions[sequence]
    lost, gained = differing(before, after)
    return FramePair(
        present=before,
        tried=after,
        lost=lost,
        gained=gained,
        present_overlays=present.overlays.get(sequence),
        tried_overlays=tried.overlays.get(sequence),
        skipped=tried.skipped.get(sequence, ""),
    )


def _size(trial: Trial) -> int:
    regions = sum(map(len, trial.regions.values())) + len(trial.regions)
    overlays = sum(len(one.edges) + len(one.lines) for one in trial.overlays.values())
    return regions * _REGION_BYTES + overlays


def last_node(job: DetectJob) -> CheckpointRecord | None:
    """The job's last checkpoint, which knows the outputs of all stages before it."""
    own = Checkpoint.objects.filter(job_id=job.id).order_by("-stage_index", "-created_at").values_list("id", flat=True)
    last = own.first() or job.branch_point_id
    return None if last is None else DatabaseCheckpointStore().get_checkpoint(last)

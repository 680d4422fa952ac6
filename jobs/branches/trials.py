"""Trying one stage of a job on chosen frames. Reads only: nothing of a trial is stored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings

from detect.checkpoints.store import CheckpointRecord
from detect.config import load_pipeline, merge, resolve
from detect.errors import ConflictError, NotFoundError, StorageError
from detect.models import Checkpoint
from detect.persistence import DatabaseCheckpointStore
from detect.tuning import Trial, TrialGround, Tuner, stage_overrides
from detect.types import KnownBrands
from jobs.engine import engine_resources, timeline_frames
from jobs.models import DetectJob
from jobs.selectors import job_known_brands, job_source


@cache
def process_tuner() -> Tuner:
    """The tuner of this process, with what it keeps in memory."""
    return Tuner(frame_bytes=settings.TUNING_CACHE_BYTES)


def stage_try(
    *, job_id: UUID, stage: str, sequences: Sequence[int] | None, overrides: dict[str, Any], debug: bool
) -> Trial:
    """What ``stage`` finds on frames of a job with the job's options and ``overrides``.

    Raises ``NotFoundError`` for an unknown job, ``ConfigError`` for a stage, option, value or frame that there is not,
    ``ConflictError`` where the job has not got as far, and what :meth:`detect.tuning.Tuner.run` raises.
    """
    # a timeline's lists of frames grow with the video, and are not needed here
    jobs = DetectJob.objects.select_related("source_asset", "timeline").defer(
        "timeline__frames_meta", "timeline__frames_manifest"
    )
    job = jobs.filter(id=job_id).first()
    if job is None:
        raise NotFoundError(f"There is no job {job_id}.")
    pipeline = load_pipeline(job.pipeline)
    chosen = pipeline.stage(stage)
    config = resolve(
        pipeline, job.profile_name, merge(job.config_overrides, stage_overrides(pipeline, stage, overrides))
    )
    if job.timeline is None:
        raise ConflictError(f"nothing to replay {stage} from: the job has no frames yet")
    ground = TrialGround(
        pipeline=pipeline,
        node=_last_node(job),
        store=DatabaseCheckpointStore(),
        frames=timeline_frames(job.timeline),
        timeline=job.timeline.frames_prefix,
        source=job_source(job),
        known_brands=job_known_brands(job) if chosen.uses_known_brands else KnownBrands(),
        resources=engine_resources(),
    )
    try:
        return process_tuner().run(ground, stage=stage, config=config, sequences=sequences, debug=debug)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):  # gone, not out of reach for a moment
            raise ConflictError(f"nothing to replay {stage} from: {error}") from error
        raise


def _last_node(job: DetectJob) -> CheckpointRecord | None:
    """The job's last checkpoint, which knows the outputs of all stages before it."""
    own = Checkpoint.objects.filter(job_id=job.id).order_by("-stage_index", "-created_at").values_list("id", flat=True)
    last = own.first() or job.branch_point_id
    return None if last is None else DatabaseCheckpointStore().get_checkpoint(last)

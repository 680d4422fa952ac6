"""Starting, running, resuming and replaying jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
from django.db import Error, connection, transaction
from django.utils import timezone

from brands.models import KnownBrand
from brands.selectors import known_brands_snapshot
from brands.services import sightings_record
from detect.checkpoints import serde
from detect.checkpoints.store import CheckpointRecord
from detect.config import Overrides, Pipeline, load_pipeline, merge, resolve
from detect.errors import CancelledError, ConfigError, MediaprocError
from detect.events import RunListener
from detect.media.probe import Probe, probe
from detect.models import SourceAsset
from detect.persistence import DatabaseCheckpointStore, database_errors, timeline_for, timeline_record_frames
from detect.report import Report
from detect.runner import Runner, RunRequest
from jobs.choices import JobStatus, RunType
from jobs.engine import engine_resources, timeline_frames
from jobs.locks import job_lock, request_lock
from jobs.models import DetectJob
from jobs.progress import JobProgress
from jobs.selectors import job_assemble_report, job_branch, job_frames, job_known_brands, job_source

logger = logging.getLogger(__name__)

_UNFINISHED = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.FAILED)


@dataclass(frozen=True)
class Submission:
    """A job that was made for a request, or an unfinished one found for it again."""

    job: DetectJob
    resumed: bool


def job_submit(
    *,
    video: Path,
    profile: str,
    overrides: Overrides,
    brands: Iterable[KnownBrand] | None,
    pipeline_key: str = "brands",
) -> Submission:
    """Make a job for a video; the same request again finds the one that did not finish.

    Everything is checked before a row is written. Raises ``MediaError`` for a file that cannot be read and
    ``ConfigError`` for an unknown pipeline, profile, stage or option, and where another process is at the job.
    """
    pipeline = load_pipeline(pipeline_key)
    config = resolve(pipeline, profile, overrides)
    asset = asset_ensure(probed=probe(video))
    known = known_brands_snapshot(asset=asset, only=brands)
    listed = known.brands if known.given else None
    request_digest = serde.digest([asset.sha256, config.pipeline, profile, config.snapshot(), listed])
    with request_lock(request_digest):
        unfinished = _find_unfinished(request_digest)
        if unfinished is not None:
            with job_lock(unfinished.id):
                _mark(unfinished, video_path=str(video))
            return Submission(unfinished, resumed=True)
        first = pipeline.stages[0]
        job = DetectJob.objects.create(
            source_asset=asset,
            timeline=timeline_for(asset, config.options[first.name], first.version, profile),
            video_path=str(video),
            pipeline=pipeline.key,
            profile_name=profile,
            config_overrides=overrides,
            known_brands=serde.pack(serde.encode(known)),
            request_digest=request_digest,
        )
    return Submission(job, resumed=False)


def job_replay(*, parent: DetectJob, start_stage: str, overrides: Overrides) -> DetectJob:
    """A job that branches off ``parent`` before ``start_stage`` with other options; one that did not finish is found.

    Raises ``ConfigError`` for an unknown stage, option or value, for options of a stage that comes before the branch,
    and when the parent did not get that far.
    """
    pipeline = load_pipeline(parent.pipeline)
    index = pipeline.index(start_stage)
    merged = merge(parent.config_overrides, overrides)
    resolve(pipeline, parent.profile_name, merged)
    earlier = [stage for stage in overrides if pipeline.index(stage) < index]
    if earlier:
        raise ConfigError(f"options of {', '.join(earlier)} have no effect on a replay from {start_stage}: start there")
    branch = job_branch(parent)
    if len(branch) < index:
        reached = branch[-1].stage if branch else "nothing"
        raise ConfigError(f"job {parent.id} has nothing to replay {start_stage} from: it got as far as {reached}")
    timeline = parent.timeline
    if index == 0:
        config = resolve(pipeline, parent.profile_name, merged)
        first = pipeline.stages[0]
        timeline = timeline_for(parent.source_asset, config.options[first.name], first.version, parent.profile_name)
    known_brands = _refreshed_brands(parent)
    request_digest = serde.digest([str(parent.id), start_stage, merged, serde.digest_bytes(known_brands)])
    with request_lock(request_digest):
        return _find_unfinished(request_digest) or DetectJob.objects.create(
            source_asset=parent.source_asset,
            timeline=timeline,
            video_path=parent.video_path,
            pipeline=parent.pipeline,
            profile_name=parent.profile_name,
            parent_job=parent,
            branch_point_id=branch[index - 1].id if index else None,
            run_type=RunType.REPLAY,
            replay_from_stage=start_stage,
            config_overrides=merged,
            known_brands=known_brands,
            request_digest=request_digest,
        )


def job_run(
    *,
    job: DetectJob,
    listener: RunListener,
    checkpoint: Callable[[], None] = lambda: None,
    deliver: Callable[[Report], object] = lambda _: None,
) -> Report:
    """Run a job to its end in this process and return its report; a job that was stopped goes on where it was.

    ``checkpoint`` is called between pieces of work and may raise ``CancelledError`` to stop: the job is then paused,
    and everything finished is kept. ``deliver`` is given the report before the job counts as completed, so that one
    that could not be written is written by the next run. Any other error, ``StorageError`` for a database that cannot
    go on among them, leaves the job failed with its reason, and is raised.
    """
    with job_lock(job.id):
        pipeline = load_pipeline(job.pipeline)
        _mark(job, status=JobStatus.RUNNING, error_message="", started_at=job.started_at or timezone.now())
        try:
            with database_errors():
                _execute(job, pipeline, JobProgress(job, pipeline, listener), checkpoint)
                report = job_assemble_report(job)
                deliver(report)
                _complete(job, report)
        except (CancelledError, KeyboardInterrupt):
            _mark(job, status=JobStatus.PAUSED)
            raise
        except MediaprocError as error:
            _mark_failed(job, str(error))
            raise
        except Exception as error:
            _mark_failed(job, f"{type(error).__name__}: {error}")
            raise
    return report


def asset_ensure(*, probed: Probe) -> SourceAsset:
    """The asset with this content: one row however often, and from wherever, it is analysed."""
    asset, _ = SourceAsset.objects.update_or_create(
        sha256=probed.sha256, defaults={"path": probed.path, "probe": msgspec.to_builtins(probed)}
    )
    return asset


def _execute(job: DetectJob, pipeline: Pipeline, listener: RunListener, checkpoint: Callable[[], None]) -> None:
    config = resolve(pipeline, job.profile_name, job.config_overrides)
    assert job.timeline is not None
    runner = Runner(
        pipeline=pipeline,
        store=DatabaseCheckpointStore(),
        frames=job_frames(job),
        resources=engine_resources(),
        listener=listener,
        checkpoint=checkpoint,
    )
    branch = job_branch(job)
    parent: CheckpointRecord | None = branch[-1] if branch else None
    if parent is None or parent.stage_index < len(pipeline.stages) - 1:
        request = RunRequest(
            job_id=job.id,
            timeline_id=job.timeline.id,
            source=job_source(job),
            config=config,
            overrides=job.config_overrides,
            known_brands=job_known_brands(job),
            parent=parent,
        )
        parent = runner.run(request).checkpoint
    timeline_record_frames(job.timeline, timeline_frames(job.timeline), runner.load(parent, pipeline.stages[0].name))


def _complete(job: DetectJob, report: Report) -> None:
    """Write a finished run's totals and sightings, all or nothing."""
    with transaction.atomic():
        sightings_record(asset=job.source_asset, found=report.brands)
        _mark(
            job,
            status=JobStatus.COMPLETED,
            progress=1.0,
            current_stage="",
            total_detections=sum(len(brand.exposures) for brand in report.brands),
            brands_found=len(report.brands),
            cloud_llm_calls=_cloud_calls(report),
            estimated_cost_usd=Decimal(report.costs.usd),
            completed_at=timezone.now(),
        )


def _cloud_calls(report: Report) -> int:
    """Calls of the cloud stage alone: the report's costs hold those of the local model too."""
    return sum(int(stage.stats.get("calls", 0)) for stage in report.stages if stage.stage == "escalate_cloud")


def _find_unfinished(request_digest: str) -> DetectJob | None:
    return DetectJob.objects.filter(request_digest=request_digest, status__in=_UNFINISHED).first()


def _mark_failed(job: DetectJob, reason: str) -> None:
    """Say on the job why it failed. Where not even that can be stored it stays as it is, and is found again so."""
    try:
        connection.close_if_unusable_or_obsolete()
        _mark(job, status=JobStatus.FAILED, error_message=reason)
    except (Error, MediaprocError) as error:
        logger.info("job %s failed and its row could not be changed: %s", job.id, error)


def _mark(job: DetectJob, **fields: object) -> None:
    DetectJob.objects.filter(id=job.id).update(**fields)
    for name, value in fields.items():
        setattr(job, name, value)


def _refreshed_brands(parent: DetectJob) -> bytes:
    """The brands a replay knows: those its parent was given, or all confirmed ones, as they are today."""
    before = job_known_brands(parent)
    only = None
    if before.given:
        only = list(KnownBrand.objects.filter(id__in=[record.brand_id for record in before.brands]))
    return serde.pack(serde.encode(known_brands_snapshot(asset=parent.source_asset, only=only)))

"""Asking for jobs, and running one in the process that asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal

import msgspec
from django.db import Error, connection
from django.utils import timezone

from brands.models import KnownBrand
from brands.selectors import known_brands_snapshot
from detect.checkpoints import serde
from detect.config import resolve
from detect.errors import CancelledError, ConfigError, ConflictError, MediaprocError
from detect.events import RunListener
from detect.media.probe import Probe
from detect.models import SourceAsset
from detect.options import Overrides
from detect.persistence import database_errors, timeline_for
from detect.registry import load_pipeline
from detect.report import Report
from jobs.branches.branching import branch_point
from jobs.choices import JobStatus, RunType
from jobs.lifecycle import job_reschedule, job_resume
from jobs.locks import driven_in_foreground, job_lock, request_lock
from jobs.models import DetectJob, WorkUnit
from jobs.progress import JobProgress
from jobs.runs import job_complete, job_reading, job_runner, record_frames
from jobs.selectors import job_assemble_report, job_branch
from jobs.states import job_move, still_wanted
from jobs.work.tokens import announce_start, new_message_id
from jobs.work.units import held_elsewhere

logger = logging.getLogger(__name__)

_UNFINISHED = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.FAILED)


@dataclass(frozen=True)
class Order:
    """For whom and how a job is to be done; nothing here changes what comes out of it.

    With ``idempotency_key`` the same request of the same ``requested_by`` is the same job, finished or not.
    ``cost_limit_usd`` and ``call_limit`` bound what models are asked. ``queued`` gives the job to the workers, who
    start it at ``scheduled_for`` or at once; else it waits for :func:`job_run`.
    """

    requested_by: str = ""
    idempotency_key: str = ""
    tags: list[str] = field(default_factory=list)
    priority: int = 0
    scheduled_for: datetime | None = None
    cost_limit_usd: Decimal | None = None
    call_limit: int | None = None
    queued: bool = False


@dataclass(frozen=True)
class Submission:
    """A job that was made for a request, or the one found for it again."""

    job: DetectJob
    resumed: bool


def job_submit(
    *,
    asset: SourceAsset,
    video_path: str,
    profile: str,
    overrides: Overrides,
    brands: Iterable[KnownBrand] | None,
    pipeline_key: str = "brands",
    order: Order | None = None,
) -> Submission:
    """Make a job for a video; the same request again finds the one that did not finish.

    Everything is checked before a row is written. Raises ``ConfigError`` for an unknown pipeline, profile, stage or
    option, and where another process is at the job; ``ConflictError`` for an idempotency key used for another request.
    """
    order = order or Order()
    pipeline = load_pipeline(pipeline_key)
    config = resolve(pipeline, profile, overrides)
    known = known_brands_snapshot(asset=asset, only=brands)
    listed = known.brands if known.given else None
    request_digest = serde.digest([asset.sha256, config.pipeline, profile, config.snapshot(), listed])
    with request_lock(request_digest):
        found = _find_again(request_digest, order)
        if found is not None:
            job_take_up(found, order, video_path=video_path)
            return Submission(found, resumed=True)
        first = pipeline.stages[0]
        job = _create(
            order,
            source_asset=asset,
            timeline=timeline_for(asset, first, config.options[first.name], profile),
            video_path=video_path,
            pipeline=pipeline.key,
            profile_name=profile,
            config_overrides=overrides,
            known_brands=serde.pack(serde.encode(known)),
            request_digest=request_digest,
        )
    return Submission(job, resumed=False)


def job_replay(
    *,
    parent: DetectJob,
    start_stage: str,
    overrides: Overrides,
    run_type: RunType = RunType.REPLAY,
    order: Order | None = None,
) -> DetectJob:
    """A job that branches off ``parent`` before ``start_stage`` with other options; one that did not finish is found.

    Raises ``ConfigError`` for an unknown stage, option or value and for options of a stage that comes before the
    branch, ``ConflictError`` when the parent did not get that far.
    """
    order = order or Order()
    at = branch_point(parent=parent, start_stage=start_stage, overrides=overrides)
    timeline = parent.timeline
    if at.index == 0:
        first = at.pipeline.stages[0]
        timeline = timeline_for(parent.source_asset, first, at.config.options[first.name], parent.profile_name)
    known_brands = serde.pack(serde.encode(at.known_brands))
    request_digest = serde.digest([str(parent.id), start_stage, at.overrides, serde.digest_bytes(known_brands)])
    with request_lock(request_digest):
        found = _find_again(request_digest, order)
        if found is not None:
            job_take_up(found, order)
            return found
        return _create(
            order,
            source_asset=parent.source_asset,
            timeline=timeline,
            video_path=parent.video_path,
            pipeline=parent.pipeline,
            profile_name=parent.profile_name,
            parent_job=parent,
            branch_point_id=at.branch[-1].id if at.index else None,
            run_type=run_type,
            replay_from_stage=start_stage,
            config_overrides=at.overrides,
            known_brands=known_brands,
            request_digest=request_digest,
        )


def job_take_up(job: DetectJob, order: Order, **fields: object) -> None:
    """Have a job that was found again gone on with by whoever asks for it now, with other ``fields`` where it is not
    ``queued``. Raises ``ConfigError`` for one that somebody else is at and that :func:`job_run` shall go on with.
    """
    if order.queued:
        _take_up_queued(job, order)
        return
    with job_lock(job.id):
        _take_from_workers(job)
        DetectJob.objects.filter(id=job.id).update(**fields)
        for name, value in fields.items():
            setattr(job, name, value)


def job_run(
    *,
    job: DetectJob,
    listener: RunListener,
    checkpoint: Callable[[], None] = lambda: None,
    deliver: Callable[[Report], object] = lambda _: None,
) -> None:
    """Run a job to its end in this process; a job that was stopped goes on where it was.

    ``checkpoint`` is called between pieces of work and may raise ``CancelledError`` to stop: the job is then paused,
    and everything finished is kept. ``deliver`` is given the report, where there is one, before the job counts as
    completed, so that one that could not be written is written by the next run. Any other error, ``StorageError`` for a
    database that cannot go on among them, leaves the job failed with its reason, and is raised.
    """
    with job_lock(job.id):
        _take_from_workers(job)
        wanted = still_wanted(job, checkpoint)
        now = timezone.now()
        job_move(job, JobStatus.RUNNING, error_message="", task_id="", started_at=now, completed_at=None)
        try:
            with database_errors():
                pipeline = load_pipeline(job.pipeline)
                _execute(job, JobProgress(job, pipeline, listener), wanted)
                report = job_assemble_report(job) if pipeline.gives_report else None
                if report is not None:
                    deliver(report)
                job_complete(job, report)
        except (CancelledError, KeyboardInterrupt):
            job.refresh_from_db(fields=["status"])
            if job.status == JobStatus.RUNNING:
                job_move(job, JobStatus.PAUSED)
            raise
        except MediaprocError as error:
            _mark_failed(job, str(error))
            raise
        except Exception as error:
            _mark_failed(job, f"{type(error).__name__}: {error}")
            raise


def asset_ensure(*, probed: Probe) -> SourceAsset:
    """The asset with this content: one row however often, and from wherever, it is analysed."""
    asset, _ = SourceAsset.objects.update_or_create(
        sha256=probed.sha256, defaults={"path": probed.path, "probe": msgspec.to_builtins(probed)}
    )
    return asset


def _create(order: Order, **fields: object) -> DetectJob:
    wishes = asdict(order)
    task_id = new_message_id() if wishes.pop("queued") else ""
    job: DetectJob = DetectJob.objects.create(**wishes, **fields, task_id=task_id)
    if task_id and order.scheduled_for is None:
        announce_start(job.id, task_id)
    return job


def _find_again(request_digest: str, order: Order) -> DetectJob | None:
    """The job that this request already is. Raises ``ConflictError`` for a key that stands for another request."""
    if order.idempotency_key:
        named = {"requested_by": order.requested_by, "idempotency_key": order.idempotency_key}
        found = DetectJob.objects.filter(**named).first()
        if found is not None and found.request_digest != request_digest:
            raise ConflictError(
                f"the idempotency key '{order.idempotency_key}' was used for another request, job {found.id}: use a "
                "new one"
            )
        return found
    return DetectJob.objects.filter(request_digest=request_digest, status__in=_UNFINISHED).first()


def _take_up_queued(job: DetectJob, order: Order) -> None:
    """Workers go on with what was stopped or never begun; what runs, or has ended, is left alone."""
    left_alone = job.status == JobStatus.PENDING and not job.task_id
    if job.status == JobStatus.RUNNING and not job.task_id and not driven_in_foreground(job.id):
        job_move(job, JobStatus.PAUSED)
    if job.status in (JobStatus.PAUSED, JobStatus.FAILED) or left_alone:
        job_resume(job, scheduled_for=order.scheduled_for)
    elif job.status == JobStatus.PENDING and job.scheduled_for != order.scheduled_for:
        job_reschedule(job, order.scheduled_for)


def _take_from_workers(job: DetectJob) -> None:
    """Raises ``ConfigError`` while workers are at the job; else what they left is planned anew by who goes on."""
    if any(held_elsewhere(job.id)):
        raise ConfigError(f"job {job.id} is being worked on by workers: wait for it, or cancel it first")
    WorkUnit.objects.filter(job=job).delete()


def _execute(job: DetectJob, listener: RunListener, checkpoint: Callable[[], None]) -> None:
    runner = job_runner(job, listener=listener, checkpoint=checkpoint)
    branch = job_branch(job)
    node = branch[-1] if branch else None
    left = runner.pipeline.stages[0 if node is None else node.stage_index + 1 :]
    if node is None or left:
        with job_reading(job, node, left) as request:
            node = runner.run(request).checkpoint
    record_frames(job, runner, node)


def _mark_failed(job: DetectJob, reason: str) -> None:
    """Say on the job why it failed. Where not even that can be stored it stays as it is, and is found again so."""
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        job_move(job, JobStatus.FAILED, error_message=reason)
    except (Error, MediaprocError) as error:
        logger.info("job %s failed and its row could not be changed: %s", job.id, error)

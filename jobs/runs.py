"""A job as the engine takes it: its request, and a runner over this installation's stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
from django.db import transaction

from brands.services import sightings_record
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.errors import MediaError, MediaprocError, NotFoundError
from detect.events import RunListener, SilentListener
from detect.persistence import DatabaseCheckpointStore, timeline_record_frames
from detect.planner import needs_video, reads_video
from detect.registry import load_pipeline
from detect.report import Report
from detect.runner import Runner, RunRequest
from detect.stages.base import Stage
from jobs.assets.sources import asset_local
from jobs.choices import JobStatus
from jobs.engine import engine_resources, timeline_frames
from jobs.events import log_append
from jobs.made_files import MadeFiles
from jobs.models import DetectJob
from jobs.results.accepted import job_bring_in, result_offer
from jobs.selectors import job_assemble_report, job_frames, job_known_brands, job_limits, job_source, problems_of
from jobs.states import job_move
from mediaproc.roots import RootError

_AT_THE_END: dict[str, Any] = {"progress": 1.0, "current_stage": "", "error_message": ""}


def job_runner(
    job: DetectJob, *, listener: RunListener | None = None, checkpoint: Callable[[], None] = lambda: None
) -> Runner:
    """Runs the job's pipeline on its frames, with the models of this process."""
    return Runner(
        pipeline=load_pipeline(job.pipeline),
        store=DatabaseCheckpointStore(),
        frames=job_frames(job),
        resources=engine_resources(),
        listener=listener or SilentListener(),
        checkpoint=checkpoint,
        files=MadeFiles(job.source_asset.sha256),
    )


def job_request(job: DetectJob, parent: CheckpointRecord | None) -> RunRequest:
    """What the job asks for, from behind ``parent`` on. Raises ``ConfigError`` for what is not valid any more."""
    assert job.timeline is not None
    return RunRequest(
        job_id=job.id,
        timeline_id=job.timeline.id,
        source=job_source(job),
        config=resolve(load_pipeline(job.pipeline), job.profile_name, job.config_overrides),
        overrides=job.config_overrides,
        known_brands=job_known_brands(job),
        parent=parent,
        limits=job_limits(job),
    )


@contextmanager
def job_reading(job: DetectJob, parent: CheckpointRecord | None, stages: Iterable[Stage]) -> Iterator[RunRequest]:
    """:func:`job_request` with a local file as its source, fetched first where one of ``stages`` reads the video.

    Where the video is gone and they can do without it, its source has no path.
    """
    request = job_request(job, parent)
    reading = [stage for stage in stages if reads_video(stage)]
    with ExitStack() as stack:
        if reading:
            try:
                path = str(stack.enter_context(asset_local(job.video_path, job.source_asset.sha256)))
            except (MediaError, NotFoundError, RootError):
                if any(needs_video(stage) for stage in reading):
                    raise
                path = ""
            request = replace(request, source=msgspec.structs.replace(request.source, path=path))
        yield request


def first_outputs(job: DetectJob) -> list[str]:
    """Keys of the stored outputs of the job's first stage, finished or not; none where its request is not valid."""
    try:
        run = job_runner(job).stage_run(job_request(job, None), 0, None)
        return [ref.key for ref in run.find_stored().values()]
    except MediaprocError:
        return []


def record_frames(job: DetectJob, runner: Runner, node: CheckpointRecord) -> None:
    """Write the list of the job's frames, once they are all extracted; nothing where its pipeline samples none."""
    assert job.timeline is not None
    if not runner.pipeline.samples_frames:
        return
    timeline_record_frames(
        job.timeline, timeline_frames(job.timeline), runner.load(node, runner.pipeline.stages[0].name)
    )


def job_complete(job: DetectJob, report: Report | None = None) -> None:
    """End a run well. Where a report comes out of it its totals and sightings are written with it, all or nothing, and
    the accepted result of its video follows.
    """
    if load_pipeline(job.pipeline).gives_report:
        _complete_with(job, report or job_assemble_report(job))
    else:
        for problem in problems_of(job):
            log_append(job_id=job.id, line=problem, level="warning")
        job_move(job, JobStatus.COMPLETED, **_AT_THE_END)


def _complete_with(job: DetectJob, report: Report) -> None:
    with transaction.atomic():
        sightings_record(asset=job.source_asset, found=report.brands)
        job_move(
            job,
            JobStatus.COMPLETED,
            **_AT_THE_END,
            total_detections=sum(len(brand.exposures) for brand in report.brands),
            brands_found=len(report.brands),
            cloud_llm_calls=_cloud_calls(report),
            estimated_cost_usd=Decimal(report.costs.usd),
        )
        result_offer(job)
        transaction.on_commit(lambda: job_bring_in(job.id), robust=True)


def _cloud_calls(report: Report) -> int:
    """Calls of the cloud stage alone: the report's costs hold those of the local model too."""
    return sum(int(stage.stats.get("calls", 0)) for stage in report.stages if stage.stage == "escalate_cloud")

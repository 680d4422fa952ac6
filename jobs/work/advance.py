"""From one stage of a job to the next: its units are joined, the next stage's are made, and at the end the totals."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from detect.checkpoints.store import CheckpointRecord, OutputRef
from detect.persistence import DatabaseCheckpointStore
from detect.registry import load_pipeline
from detect.runner import StageRun
from jobs.choices import JobStatus, UnitState
from jobs.locks import driven_in_foreground
from jobs.models import DetectJob, WorkUnit
from jobs.progress import progress_write, stage_tell
from jobs.runs import job_complete, job_request, job_runner, record_frames
from jobs.selectors import job_branch
from jobs.states import job_move
from jobs.work.tokens import announce


@transaction.atomic
def job_advance(job_id: UUID) -> None:
    """Take a job as far as stored outputs carry it: to units that somebody has to work on, or to its end.

    All or nothing, one process at a time, and harmless when there is nothing to do. Raises what planning raises:
    ``ConfigError`` for options that are not valid any more, ``StorageError`` while something is down.
    """
    job = _take(job_id)
    if job is None:
        return
    if job.status == JobStatus.PENDING:
        job_move(job, JobStatus.RUNNING, error_message="", started_at=timezone.now())
    stages = load_pipeline(job.pipeline).stages
    branch = job_branch(job)
    node = branch[-1] if branch else None
    runner = job_runner(job)
    request = job_request(job, node)
    for index in range(0 if node is None else node.stage_index + 1, len(stages)):
        run = runner.stage_run(request, index, node)
        refs = _stage_outputs(job, run)
        if refs is None:
            return
        node = _join(job, run, refs)
        if index == 0:
            record_frames(job, runner, node)
    job_complete(job)
    WorkUnit.objects.filter(job=job).delete()


def stage_is_done(job_id: UUID, stage_index: int) -> bool:
    """Whether no unit of a stage is left to be worked on."""
    units = WorkUnit.objects.filter(job_id=job_id, stage_index=stage_index)
    return not units.exclude(state=UnitState.DONE).exists()


def _take(job_id: UUID) -> DetectJob | None:
    """The job, locked, if it is the workers' to go on with."""
    job = DetectJob.objects.select_for_update(of=("self",)).filter(id=job_id).first()
    if job is None or job.status not in (JobStatus.PENDING, JobStatus.RUNNING) or not job.task_id:
        return None
    if job.scheduled_for is not None and job.scheduled_for > timezone.now():
        return None
    return None if driven_in_foreground(job.id) else job


def _stage_outputs(job: DetectJob, run: StageRun) -> list[tuple[OutputRef, bool]] | None:
    """What a stage's units gave, in order, and whether each was found stored; None while some are to be worked on."""
    units = list(WorkUnit.objects.filter(job=job, stage_index=run.index).order_by("chunk")) or _plan(job, run)
    stored = DatabaseCheckpointStore().find_outputs([unit.output_key for unit in units if unit.output_key])
    for unit in units:
        if unit.state == UnitState.DONE and unit.output_key not in stored:
            unit.state, unit.output_key = UnitState.READY, ""  # removed since: to be made again
            unit.save(update_fields=["state", "output_key"])
    if any(unit.state != UnitState.DONE for unit in units):
        announce(unit.queue for unit in units if unit.state == UnitState.READY)
        return None
    return [(stored[unit.output_key], unit.reused) for unit in units]


def _plan(job: DetectJob, run: StageRun) -> list[WorkUnit]:
    """Make a unit for each piece of a stage; those whose output is stored already are done."""
    stored = run.find_stored()
    DetectJob.objects.filter(id=job.id).update(current_stage=run.stage.name, stage_started_at=timezone.now())
    progress_write(job.id, run.runner.pipeline.progress(run.index, 0.0))
    return WorkUnit.objects.bulk_create(
        WorkUnit(
            job=job,
            stage=run.stage.name,
            stage_index=run.index,
            chunk=number,
            queue=run.stage.needs,
            state=UnitState.DONE if number in stored else UnitState.READY,
            output_key=stored[number].key if number in stored else "",
            reused=number in stored,
        )
        for number in range(len(run.units))
    )


def _join(job: DetectJob, run: StageRun, outputs: Sequence[tuple[OutputRef, bool]]) -> CheckpointRecord:
    seconds = sum(ref.seconds for ref, reused in outputs if not reused)
    reused = sum(reused for _, reused in outputs)
    node, result = run.finish([ref for ref, _ in outputs], reused=reused, seconds=seconds)
    stage_tell(job.id, result)
    return node

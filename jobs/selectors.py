"""Reading jobs, their checkpoints and reports."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import CharField
from django.db.models.functions import Cast

from detect.checkpoints import serde
from detect.checkpoints.outputs import load_stage_output
from detect.checkpoints.store import CheckpointRecord
from detect.errors import ConfigError
from detect.events import StageResult
from detect.models import Checkpoint, SourceAsset
from detect.persistence import DatabaseCheckpointStore, DatabaseLedger, StorageFrames
from detect.providers.limits import ModelLimits
from detect.registry import load_pipeline
from detect.report import Report, assemble
from detect.resources import Resources
from detect.runner import Runner
from detect.types import KnownBrands, SourceInfo
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob

# A parent that was deleted leaves its children as the roots of families of their own.
_FAMILY = """
WITH RECURSIVE ancestors AS (
    SELECT id, parent_job_id FROM jobs_detectjob WHERE id = %s
    UNION
    SELECT job.id, job.parent_job_id FROM jobs_detectjob job JOIN ancestors ON job.id = ancestors.parent_job_id
), family AS (
    SELECT id, 0 AS depth, ARRAY[]::timestamptz[] AS path FROM ancestors WHERE parent_job_id IS NULL
    UNION ALL
    SELECT job.id, depth + 1, path || job.created_at
    FROM jobs_detectjob job JOIN family ON job.parent_job_id = family.id
)
SELECT id FROM family ORDER BY depth, path, id
"""


def job_find(text: str) -> DetectJob:
    """The job with this id, or the one whose id begins so. Raises ``ConfigError`` when there is none or several."""
    wanted = text.strip().lower()
    jobs = DetectJob.objects.annotate(id_text=Cast("id", CharField()))
    found = list(jobs.filter(id_text__startswith=wanted)[:2]) if wanted else []
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"'{text}' is the beginning of several job ids: give more of it")
    recent = ", ".join(str(job.id) for job in DetectJob.objects.all()[:3])
    raise ConfigError(
        f"there is no job '{text}'" + (f": the latest are {recent}" if recent else " yet: run analyze first")
    )


def problems_of(job: DetectJob) -> list[str]:
    """What of the video was broken and what could not be done with it, as the stages over the whole video tell it."""
    branch = job_branch(job)
    told: list[str] = []
    for stage in load_pipeline(job.pipeline).stages if branch else ():
        if stage.scope == "asset" and "problems" in stage.Output.__struct_fields__ and stage.name in branch[-1].outputs:
            told += load_stage_output(DatabaseCheckpointStore(), branch[-1], stage.name, stage.Output)[0].problems
    return list(dict.fromkeys(told))


def job_source(job: DetectJob) -> SourceInfo:
    """The asset as the engine knows it, at the path this job was given."""
    return source_info(job.source_asset, job.video_path)


def source_info(asset: SourceAsset, path: str) -> SourceInfo:
    probe = {**asset.probe, "path": path, "sha256": asset.sha256, "warnings": tuple(asset.probe.get("warnings", ()))}
    return SourceInfo(**{name: probe[name] for name in SourceInfo.__struct_fields__})


def job_known_brands(job: DetectJob) -> KnownBrands:
    """The snapshot the job was made with."""
    return serde.unpack(bytes(job.known_brands), KnownBrands)


def job_frames(job: DetectJob) -> StorageFrames:
    """The frames of the job's timeline. Raises ``ConfigError`` when it has none yet."""
    if job.timeline is None:
        raise ConfigError(f"job {job.id} has no frames yet")
    return timeline_frames(job.timeline)


def job_limits(job: DetectJob) -> ModelLimits | None:
    """What the job may ask of models, with the record of what it asked already; None where nobody set a limit."""
    if job.cost_limit_usd is None and job.call_limit is None:
        return None
    return ModelLimits(usd=job.cost_limit_usd, calls=job.call_limit, ledger=DatabaseLedger(job.id))


def job_branch(job: DetectJob) -> list[CheckpointRecord]:
    """From the first stage to the job's last checkpoint: what its parents did, then what it did itself.

    Two queries, however long the branch is.
    """
    last = Checkpoint.objects.filter(job_id=job.id).order_by("-stage_index", "-created_at")
    tip = last.values_list("id", flat=True).first() or job.branch_point_id
    return [] if tip is None else DatabaseCheckpointStore().branch(tip)


def job_report(job: DetectJob) -> Report:
    """The finished job's report. Raises ``ConfigError`` when it has none."""
    if job.status != JobStatus.COMPLETED:
        raise ConfigError(f"job {job.id} is {job.status}: it has no report yet")
    return job_assemble_report(job)


def job_assemble_report(job: DetectJob) -> Report:
    """The report of a job whose stages have all run. Raises ``ConfigError`` when they have not."""
    pipeline = load_pipeline(job.pipeline)
    if not pipeline.gives_report:
        raise ConfigError(f"job {job.id} is of the pipeline '{job.pipeline}': no report of brands comes out of it")
    branch = job_branch(job)
    if not branch or branch[-1].stage != pipeline.stages[-1].name:
        raise ConfigError(f"job {job.id} is {job.status}: it has no report yet")
    last = branch[-1]
    runner = Runner(pipeline, DatabaseCheckpointStore(), job_frames(job), Resources())
    body = runner.load(last, last.stage)[0]
    return assemble(
        body,
        job_id=job.id,
        checkpoint_id=last.id,
        source=job_source(job),
        pipeline=job.pipeline,
        profile=job.profile_name,
        config_digest=serde.digest([job.pipeline, last.config_snapshot]),
        stages=_stage_results(job, branch),
    )


def job_stage_results(job: DetectJob) -> list[StageResult]:
    """How each stage of a job went, those of its parents with no seconds of its own."""
    return _stage_results(job, job_branch(job))


def job_family(job_id: UUID) -> list[UUID]:
    """Ids of a job's first ancestor and of every replay and retry below it, parents before children, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_FAMILY, [job_id])
        return [row[0] for row in cursor.fetchall()]


def checkpoint_tree(job: DetectJob) -> list[CheckpointRecord]:
    """Every checkpoint of the job's whole family, parents before children, in two queries."""
    place = {job_id: number for number, job_id in enumerate(job_family(job.id))}
    nodes = DatabaseCheckpointStore().list_checkpoints_of(list(place))
    return sorted(nodes, key=lambda node: (place[node.job_id], node.stage_index))


def _stage_results(job: DetectJob, branch: Sequence[CheckpointRecord]) -> list[StageResult]:
    return [_stage_result(node, own=node.job_id == job.id) for node in branch]


def _stage_result(node: CheckpointRecord, *, own: bool) -> StageResult:
    stats = dict(node.stats[node.stage])
    units, reused = int(stats.pop("units")), int(stats.pop("reused"))
    return StageResult(
        stage=node.stage,
        index=node.stage_index,
        units=units,
        reused=reused if own else units,
        seconds=float(stats.pop("seconds")) if own else 0.0,
        skipped=str(stats.pop("skipped")),
        incomplete=bool(stats.pop("incomplete")),
        stats={name: value for name, value in stats.items() if name != "seconds"},
    )

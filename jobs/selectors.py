"""Reading jobs, their checkpoints and reports."""

from __future__ import annotations

from uuid import UUID

from django.db.models import CharField
from django.db.models.functions import Cast

from detect.checkpoints import serde
from detect.checkpoints.store import CheckpointRecord
from detect.config import load_pipeline
from detect.errors import ConfigError
from detect.events import StageResult
from detect.models import SourceAsset
from detect.persistence import DatabaseCheckpointStore, StorageFrames
from detect.report import Report, assemble
from detect.resources import Resources
from detect.runner import Runner
from detect.types import KnownBrands, SourceInfo
from jobs.choices import JobStatus
from jobs.engine import timeline_frames
from jobs.models import DetectJob


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


def job_branch(job: DetectJob) -> list[CheckpointRecord]:
    """From the first stage to the job's last checkpoint: what its parents did, then what it did itself."""
    store = DatabaseCheckpointStore()
    own = store.list_checkpoints(job.id)
    node = own[-1] if own else (store.get_checkpoint(job.branch_point_id) if job.branch_point_id else None)
    branch: list[CheckpointRecord] = []
    while node is not None:
        branch.append(node)
        node = None if node.parent_id is None else store.get_checkpoint(node.parent_id)
    return branch[::-1]


def job_report(job: DetectJob) -> Report:
    """The finished job's report. Raises ``ConfigError`` when it has none."""
    if job.status != JobStatus.COMPLETED:
        raise ConfigError(f"job {job.id} is {job.status}: it has no report yet")
    return job_assemble_report(job)


def job_assemble_report(job: DetectJob) -> Report:
    """The report of a job whose stages have all run. Raises ``ConfigError`` when they have not."""
    branch = job_branch(job)
    pipeline = load_pipeline(job.pipeline)
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
        stages=[_stage_result(node, own=node.job_id == job.id) for node in branch],
    )


def checkpoint_tree(job: DetectJob) -> list[CheckpointRecord]:
    """Every checkpoint on the job's timeline that shares its root, parents before children."""
    root = job
    while root.parent_job is not None:
        root = root.parent_job
    jobs: list[UUID] = [root.id]
    for job_id in jobs:
        jobs.extend(DetectJob.objects.filter(parent_job_id=job_id).order_by("created_at").values_list("id", flat=True))
    store = DatabaseCheckpointStore()
    return [node for job_id in jobs for node in store.list_checkpoints(job_id)]


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

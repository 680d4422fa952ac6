"""Reading jobs of the pit-stop pipeline, in the words that its interface has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from detect.checkpoints import serde
from detect.checkpoints.outputs import load_stage_output
from detect.checkpoints.store import Manifest
from detect.config import resolve
from detect.errors import ConflictError, NotFoundError
from detect.models import Checkpoint
from detect.persistence import DatabaseCheckpointStore
from detect.registry import load_pipeline
from detect.stages.encode_video import EncodeVideo, EncodeVideoOutput
from detect.stages.time_zones import TimeZones, TimeZonesOutput
from detect.types import StoredFile
from detect.zones import Zone
from jobs.choices import PITSTOP, EventKind, JobStatus
from jobs.models import DetectJob, JobEvent, PitstopRun
from jobs.selectors import job_branch

T = TypeVar("T")

#: Lines of a log that are given, the last ones.
MOST_LINES: Final = 2000

_STATUS: Mapping[str, str] = MappingProxyType(
    {
        JobStatus.PENDING: "QUEUED",
        JobStatus.RUNNING: "PROCESSING",
        JobStatus.PAUSED: "PROCESSING",
        JobStatus.COMPLETED: "COMPLETE",
        JobStatus.FAILED: "FAILED",
        JobStatus.CANCELLED: "FAILED",
    }
)
STATUSES: Final = ("QUEUED", "PROCESSING", "COMPLETE", "FAILED")
#: Each stage of the interface with the share of the work at which it begins and ends.
SPANS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "UPLOAD": (0.0, 0.15),
        "DETECTING": (0.15, 0.4),
        "TRACKING": (0.4, 0.7),
        "RENDERING": (0.7, 0.9),
        "TRANSCODING": (0.9, 1.0),
        "COMPLETE": (1.0, 1.0),
    }
)
_STAGE: Mapping[str, str] = MappingProxyType(
    {
        "extract_frames": "UPLOAD",
        "detect_each_frame": "DETECTING",
        "track_objects": "TRACKING",
        "time_zones": "TRACKING",
        "render_overlays": "RENDERING",
        "encode_video": "TRANSCODING",
    }
)
_CANCELLED = "The job was cancelled."


class PitstopState(NamedTuple):
    """``status`` and ``stage`` in the interface's words, ``progress`` 0-1 within the stage's span."""

    status: str
    stage: str
    progress: float


def pitstop_jobs() -> QuerySet[DetectJob]:
    """Jobs of the pit-stop pipeline, newest first, with their asset, what they were sent with and ``last_told``."""
    last = JobEvent.objects.filter(job=OuterRef("pk")).order_by("-number").values("created_at")[:1]
    jobs = DetectJob.objects.filter(pipeline=PITSTOP).select_related("source_asset", "pitstop", "timeline")
    return jobs.defer("known_brands").annotate(last_told=Subquery(last))


def pitstop_job(job_id: UUID) -> DetectJob:
    """The pit-stop job with this id. Raises ``NotFoundError``, for a job of another pipeline too."""
    job = pitstop_jobs().filter(id=job_id).first()
    if job is None:
        raise NotFoundError(f"There is no pit-stop job {job_id}.")
    return job


def pitstop_state(job: DetectJob) -> PitstopState:
    """How far a job is. A stage and its progress always agree; one that was cancelled has failed."""
    status = _STATUS[job.status]
    if status == "COMPLETE":
        return PitstopState(status, "COMPLETE", 1.0)
    stage = _STAGE.get(job.current_stage, "UPLOAD")
    low, high = SPANS[stage]
    return PitstopState(status, stage, round(min(high, max(low, job.progress)), 4))


def pitstop_error(job: DetectJob) -> str:
    """Why a job has failed; empty for any other."""
    if job.status == JobStatus.CANCELLED:
        return _CANCELLED
    return job.error_message if job.status == JobStatus.FAILED else ""


def pitstop_updated_at(job: DetectJob) -> datetime:
    """When something of a job changed last."""
    told: datetime | None = getattr(job, "last_told", None)
    moments = (job.created_at, job.started_at, job.completed_at, told)
    return max(moment for moment in moments if moment is not None)


def run_of(job: DetectJob) -> PitstopRun:
    """What a job was sent with; of one that was made elsewhere, what its video says."""
    try:
        return job.pitstop
    except PitstopRun.DoesNotExist:
        probe = job.source_asset.probe
        name = str(probe.get("name") or PurePosixPath(job.video_path).name)
        return PitstopRun(job=job, input_filename=name, input_size_bytes=int(probe.get("size_bytes", 0)))


def log_lines(job: DetectJob) -> list[str]:
    """The job's log as ``[HH:MM:SS] LEVEL text``, UTC, oldest first; of a very long one its end."""
    events = JobEvent.objects.filter(job_id=job.id, kind=EventKind.LOG).order_by("-number")
    last = list(events.values_list("created_at", "data")[:MOST_LINES])
    return [
        f"[{when.astimezone(UTC):%H:%M:%S}] {data.get('level', 'info').upper()} {data.get('line', '')}"
        for when, data in reversed(last)
    ]


def output_files(jobs: Iterable[DetectJob]) -> dict[UUID, StoredFile]:
    """The annotated videos of those jobs that have one, in three queries however many they are."""
    ended = [job.id for job in jobs if job.status == JobStatus.COMPLETED]
    nodes = Checkpoint.objects.filter(job_id__in=ended, stage=EncodeVideo.name).order_by("created_at")
    manifests = {node.job_id: node.outputs[EncodeVideo.name] for node in nodes.only("job_id", "outputs")}
    store = DatabaseCheckpointStore()
    bodies = store.load_outputs(list(set(manifests.values())))
    parts = {key: serde.unpack(body, Manifest).keys[0] for key, body in bodies.items()}
    outputs = store.load_outputs(list(set(parts.values())))
    files = {key: serde.unpack(body, EncodeVideoOutput).files for key, body in outputs.items()}
    found = ((job_id, files.get(parts.get(manifest, ""), [])) for job_id, manifest in manifests.items())
    return {job_id: made[0] for job_id, made in found if made}


def output_file(job: DetectJob) -> StoredFile | None:
    """The annotated video of a finished job; None where it has none."""
    return output_files([job]).get(job.id)


def output_name(job: DetectJob) -> str:
    """What the annotated video is called where it is saved."""
    return f"{job.id}_output.mp4"


def finished_output(job: DetectJob) -> StoredFile:
    """The annotated video. Raises ``ConflictError`` while there is none yet, ``NotFoundError`` where it is gone."""
    state = pitstop_state(job)
    if state.status != "COMPLETE":
        raise ConflictError(f"Job is not complete. Current status: {state.status}, stage: {state.stage}")
    file = output_file(job)
    if file is None:
        raise NotFoundError("The annotated video is not there any more.")
    return file


def zones_of(job: DetectJob) -> tuple[Zone, ...]:
    """The zones in which a job takes time. Raises ``ConfigError`` where its options are not valid any more."""
    options = resolve(load_pipeline(job.pipeline), job.profile_name, job.config_overrides).options
    zones: tuple[Zone, ...] = options[TimeZones.name].zones
    return zones


def times_of(job: DetectJob) -> TimeZonesOutput | None:
    """The times that were taken, by the job or by the one it branches off after that; None before they are."""
    return _of_branch(job, TimeZones.name, TimeZonesOutput)


def _of_branch(job: DetectJob, stage: str, kind: type[T]) -> T | None:
    """What a stage of the whole video gave, in the job's branch."""
    branch = job_branch(job)
    if not branch or stage not in branch[-1].outputs:
        return None
    return load_stage_output(DatabaseCheckpointStore(), branch[-1], stage, kind)[0]

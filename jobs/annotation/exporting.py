"""Writing the files of a run whose pipeline has ended."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from django.db import Error, transaction
from django.utils import timezone

from detect.artifacts.base import Artifact
from detect.errors import MediaprocError, StorageError
from detect.registry import load_pipeline
from jobs.annotation.conducting import batch_follow, run_end
from jobs.annotation.events import batch_log, log_line
from jobs.annotation.finished import JobRun, NotReachedError
from jobs.annotation.outputs import copy_stored, manifest_write, output_key, safe_path
from jobs.annotation.records import AnnotationJob, AnnotationRun, ArtifactFile
from jobs.annotation.states import ENDED, BatchState
from jobs.annotation.tasks import PATIENCE
from jobs.assets.intake import store_file
from jobs.choices import JobStatus
from jobs.locks import task_lock
from jobs.made_files import draft_folder
from jobs.models import DetectJob

logger = logging.getLogger(__name__)

_MOST_ATTEMPTS = 3
_RUN_ENDS = {
    JobStatus.COMPLETED: BatchState.SUCCEEDED,
    JobStatus.FAILED: BatchState.FAILED,
    JobStatus.CANCELLED: BatchState.CANCELED,
}


def run_export(run_id: int) -> None:
    """Write what a run has come to, and end it. Of one that failed, what it finished before is written.

    Each file is whole before the manifest lists it; written again it is the same. Harmless where there is nothing to
    do. What cannot be reached is tried again later.
    """
    with task_lock(f"annotation-run-{run_id}") as ours:
        run = AnnotationRun.objects.select_related("video__job", "detect_job").filter(id=run_id).first()
        if not ours or run is None or run.exported or run.state in ENDED or run.video.job.state in ENDED:
            return
        if run.detect_job is None or run.detect_job.status not in _RUN_ENDS:
            return
        run.attempts += 1
        AnnotationRun.objects.filter(id=run.id).update(attempts=run.attempts)
        problems: list[str] = []
        try:
            if run.attempts > _MOST_ATTEMPTS:
                raise MediaprocError("whoever writes its files dies: they are left out")
            files = _write_all(run, run.detect_job, problems)
            _end(run, run.detect_job, files, problems)
        except StorageError as error:
            later = timezone.now() + PATIENCE
            AnnotationRun.objects.filter(id=run.id).update(attempts=run.attempts - 1, not_before=later)
            logger.warning("files of run %s wait: %s", run.id, error)
            return
        except MediaprocError as error:
            _end(run, run.detect_job, [], [*problems, str(error)])
    batch_follow(run.video.job_id)


def _write_all(run: AnnotationRun, job: DetectJob, problems: list[str]) -> list[ArtifactFile]:
    """Files of all writers; one that cannot write leaves a problem, and the others go on."""
    finished = JobRun(job, name=Path(run.video.path).name)
    files: list[ArtifactFile] = []
    for writer in load_pipeline(run.pipeline).artifacts:
        with draft_folder() as folder:
            try:
                files += [_store(run, artifact, folder) for artifact in writer(finished, folder)]
            except NotReachedError:
                continue  # why it did not get there is the job's own error
            except (StorageError, Error):
                raise
            except Exception as error:
                logger.exception("%s of run %s", writer.__name__, run.id)
                problems.append(f"{writer.__module__}: {_reason(error)}")
    return files


def _store(run: AnnotationRun, artifact: Artifact, folder: Path) -> ArtifactFile:
    path = f"{run.video.folder}/{run.pipeline}/{safe_path(artifact.path)}"
    key = output_key(run.video.job_id, path)
    if artifact.stored is not None:
        copy_stored(artifact.stored.key, key)
        sha256, size = artifact.stored.sha256, artifact.stored.size_bytes
    else:
        file = folder / artifact.path
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        size = file.stat().st_size
        store_file(file, key)
    return ArtifactFile(
        run=run,
        type=artifact.type,
        role=artifact.role,
        path=path,
        sha256=sha256,
        size_bytes=size,
        meta=artifact.meta,
    )


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MediaprocError) else f"{type(error).__name__}: {error}"


@transaction.atomic
def _end(run: AnnotationRun, detect_job: DetectJob, files: list[ArtifactFile], problems: list[str]) -> None:
    job = AnnotationJob.objects.select_for_update().get(id=run.video.job_id)
    ArtifactFile.objects.filter(run=run).delete()
    ArtifactFile.objects.bulk_create(files)
    AnnotationRun.objects.filter(id=run.id).update(exported=True, progress=1.0)
    if job.state in ENDED:
        return
    told = [f"{run.video.path} · {run.pipeline}: {problem}" for problem in problems]
    batch_log(job.id, [log_line(timezone.now(), "error", line) for line in told])
    state = _RUN_ENDS[JobStatus(detect_job.status)]
    if problems and state == BatchState.SUCCEEDED:
        state = BatchState.FAILED
    run_end(run, state, detect_job.error_message or "; ".join(problems))
    manifest_write(job)

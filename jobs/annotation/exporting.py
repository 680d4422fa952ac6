"""Writing the files of a run whose pipeline has ended."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import msgspec
from django.db import Error, transaction
from django.utils import timezone

from detect.artifacts.base import Artifact
from detect.config import resolve
from detect.errors import MediaprocError, StorageError
from detect.persistence import database_errors, over_restarts
from detect.registry import load_pipeline
from jobs.annotation.batches import models_used
from jobs.annotation.conducting import batch_settle, run_end
from jobs.annotation.events import log_line
from jobs.annotation.finished import JobRun, NotReachedError
from jobs.annotation.outputs import (
    artifact_path,
    check_artifacts,
    copy_stored,
    manifest_write,
    output_key,
    outputs_tidy,
)
from jobs.annotation.records import AnnotationJob, AnnotationRun, ArtifactFile
from jobs.annotation.states import ENDED, BatchState
from jobs.annotation.tasks import PATIENCE
from jobs.assets.intake import store_file
from jobs.choices import JobStatus
from jobs.locks import task_lock
from jobs.made_files import draft_folder, folder_remove
from jobs.models import DetectJob

logger = logging.getLogger(__name__)

_MOST_ATTEMPTS = 3
_GIVEN_UP = "whoever writes its files dies: they are left out"
_RUN_ENDS = {
    JobStatus.COMPLETED: BatchState.SUCCEEDED,
    JobStatus.FAILED: BatchState.FAILED,
    JobStatus.CANCELLED: BatchState.CANCELED,
}


def run_export(run_id: int) -> None:
    """Write what a run has come to, and end it. Of one that failed, what it finished before is written.

    Each file is whole before the manifest lists it; written again it is the same. Harmless where there is nothing to
    do. What cannot be reached is tried again later. Of a run that has ended otherwise while its files were written,
    these are removed.
    """
    with task_lock(f"annotation-run-{run_id}") as ours:
        run = AnnotationRun.objects.select_related("video__job", "detect_job").filter(id=run_id).first()
        if not ours or run is None or run.exported:
            return
        if run.state in ENDED or run.video.job.state in ENDED:
            if run.attempts:
                _withdraw(run)
            return
        if run.detect_job is None or run.detect_job.status not in _RUN_ENDS:
            return
        attempts = AnnotationRun.objects.filter(id=run.id)
        attempts.update(attempts=run.attempts + 1)
        try:
            with database_errors():
                _export(run, run.detect_job)
        except StorageError as error:
            later = timezone.now() + PATIENCE
            over_restarts(lambda: attempts.update(attempts=run.attempts, not_before=later))
            logger.warning("files of run %s wait: %s", run.id, error)


def _export(run: AnnotationRun, detect_job: DetectJob) -> None:
    files: list[ArtifactFile] = []
    problems = [_GIVEN_UP]
    if run.attempts < _MOST_ATTEMPTS:
        try:
            files, problems = _write_all(run, detect_job)
        except StorageError:
            raise
        except MediaprocError as error:
            problems = [str(error)]
    if not _end(run, detect_job, files, problems):
        _withdraw(run)


def _write_all(run: AnnotationRun, job: DetectJob) -> tuple[list[ArtifactFile], list[str]]:
    """Files of all writers; one that cannot write leaves a problem, and the others go on."""
    finished = JobRun(job, name=Path(run.video.path).name)
    files: list[ArtifactFile] = []
    problems: list[str] = []
    for writer in load_pipeline(run.pipeline).artifacts:
        with draft_folder() as folder:
            try:
                listed = list(writer(finished, folder))
                check_artifacts(listed, [file.path for file in files], below=f"{run.video.folder}/{run.pipeline}")
                files += [_store(run, artifact, folder) for artifact in listed]
            except NotReachedError:
                continue  # why it did not get there is the job's own error
            except (StorageError, Error):
                raise
            except Exception as error:
                logger.exception("%s of run %s", writer.__name__, run.id)
                problems.append(f"{writer.__module__}: {_reason(error)}")
    return files, problems


def _store(run: AnnotationRun, artifact: Artifact, folder: Path) -> ArtifactFile:
    path = f"{run.video.folder}/{run.pipeline}/{artifact_path(artifact.path)}"
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
        meta=msgspec.json.decode(msgspec.json.encode(artifact.meta)),  # NaN is null in JSON
    )


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MediaprocError) else f"{type(error).__name__}: {error}"


@transaction.atomic
def _end(run: AnnotationRun, detect_job: DetectJob, files: list[ArtifactFile], problems: list[str]) -> bool:
    """List what was written, all of it or nothing; False where the run has ended meanwhile."""
    job = AnnotationJob.objects.select_for_update().filter(id=run.video.job_id).first()
    now = AnnotationRun.objects.filter(id=run.id).first()
    if job is None or now is None or job.state in ENDED or now.state in ENDED:
        return False
    ArtifactFile.objects.filter(run=now).delete()
    ArtifactFile.objects.bulk_create(files)
    AnnotationRun.objects.filter(id=now.id).update(exported=True, progress=1.0)
    if run.attempts or problems:
        outputs_tidy(now)
    state = _RUN_ENDS[JobStatus(detect_job.status)]
    if problems and state == BatchState.SUCCEEDED:
        state = BatchState.FAILED
    run_end(now, state, detect_job.error_message or "; ".join(problems))
    told = [("error", problem) for problem in problems] + [("warning", news) for news in _other_models(job, run)]
    name = f"{run.video.path} · {run.pipeline}"
    manifest_write(job)
    batch_settle(job, [log_line(timezone.now(), level, f"{name}: {text}") for level, text in told])
    return True


def _other_models(job: AnnotationJob, run: AnnotationRun) -> list[str]:
    """What of a locked batch's models was replaced since it was asked for; it is kept with the batch."""
    kept = job.configuration["pipelines"][run.pipeline]
    pipeline = load_pipeline(run.pipeline)
    try:
        options = resolve(pipeline, kept["profile"], kept["overrides"]).options
        now = models_used(pipeline, options)
    except MediaprocError:
        return []  # gone since: nothing can be said of it
    replaced = [stage for stage, digests in now.items() if digests != kept["models"].get(stage)]
    if replaced:
        kept["models"] = now
        job.save(update_fields=["configuration"])
    return [f"the model of {stage} was replaced after the batch was asked for" for stage in replaced]


@transaction.atomic
def _withdraw(run: AnnotationRun) -> None:
    """Leave nothing of what was written for a run that ended meanwhile, with its batch or alone. Raises
    ``StorageError``.
    """
    job = AnnotationJob.objects.select_for_update().filter(id=run.video.job_id).first()
    if job is None:
        folder_remove(output_key(run.video.job_id, ""))
        return
    AnnotationRun.objects.filter(id=run.id).update(attempts=0)
    outputs_tidy(run)
    manifest_write(job)

"""Taking a video of a batch in, and asking for its pipelines."""

from __future__ import annotations

import logging
from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from detect.errors import ConflictError, MediaprocError, StorageError
from detect.persistence import database_errors, over_restarts
from detect.registry import load_pipeline
from jobs.annotation.conducting import REQUESTED_BY, batch_settle, run_end
from jobs.annotation.datasets import dataset_asset
from jobs.annotation.events import log_line
from jobs.annotation.records import AnnotationJob, AnnotationRun, AnnotationVideo
from jobs.annotation.states import ENDED, BatchState
from jobs.annotation.tasks import PATIENCE
from jobs.lifecycle import job_cancel
from jobs.locks import task_lock
from jobs.models import DetectJob
from jobs.services import Order, job_submit

logger = logging.getLogger(__name__)

#: A video that kills whoever reads it is given up.
_MOST_ATTEMPTS = 3


def video_prepare(video_id: int) -> None:
    """Make a video of a batch an asset and ask for its pipelines. One that cannot be read fails by itself.

    Harmless where there is nothing to do. What cannot be reached is tried again later.
    """
    with task_lock(f"annotation-video-{video_id}") as ours:
        video = AnnotationVideo.objects.select_related("job__dataset").filter(id=video_id).first()
        if not ours or video is None or video.state != BatchState.QUEUED or video.job.state in ENDED:
            return
        attempts = AnnotationVideo.objects.filter(id=video.id)
        attempts.update(attempts=video.attempts + 1)
        try:
            if video.attempts >= _MOST_ATTEMPTS:
                raise MediaprocError("whoever reads it dies: it is left out")
            with database_errors():
                video.asset = dataset_asset(video.job.dataset, video.path)
                _settle(video, jobs=[_ask_for(run, video) for run in video.runs.all()])
        except StorageError as error:
            later = timezone.now() + PATIENCE
            over_restarts(lambda: attempts.update(attempts=video.attempts, not_before=later))
            logger.warning("%s waits: %s", video.path, error)
        except MediaprocError as error:
            _settle(video, failed=str(error))


def _ask_for(run: AnnotationRun, video: AnnotationVideo) -> tuple[AnnotationRun, DetectJob]:
    assert video.asset is not None
    resolved = video.job.configuration["pipelines"][run.pipeline]
    order = Order(
        requested_by=f"{REQUESTED_BY}{video.job_id}", idempotency_key=f"run:{run.id}", tags=video.job.tags, queued=True
    )
    submission = job_submit(
        asset=video.asset,
        video_path=video.asset.path,
        profile=resolved["profile"],
        overrides=resolved["overrides"],
        brands=None,
        pipeline_key=load_pipeline(run.pipeline).key,
        order=order,
    )
    return run, submission.job


@transaction.atomic
def _settle(
    video: AnnotationVideo, *, jobs: list[tuple[AnnotationRun, DetectJob]] | None = None, failed: str = ""
) -> None:
    job = AnnotationJob.objects.select_for_update().filter(id=video.job_id).first()
    if job is None or job.state in ENDED:  # called off meanwhile
        for _, detect_job in jobs or ():
            with suppress(ConflictError):  # it has completed by now
                job_cancel(detect_job)
        return
    video.state = BatchState.RUNNING
    video.save(update_fields=["state", "asset"])
    for run, detect_job in jobs or ():
        run.state, run.detect_job = BatchState.RUNNING, detect_job
        run.save(update_fields=["state", "detect_job"])
    lines = []
    if failed:
        lines.append(log_line(timezone.now(), "error", f"{video.path}: {failed}"))
        for run in video.runs.all():
            run_end(run, BatchState.FAILED, failed)
    batch_settle(job, lines)

"""Reading batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from detect.errors import NotFoundError
from jobs.annotation.records import AnnotationJob, AnnotationRun
from jobs.annotation.states import ENDED, BatchState


def batch_find(job_id: UUID) -> AnnotationJob:
    """The batch with this id. Raises ``NotFoundError``."""
    job = AnnotationJob.objects.select_related("dataset").filter(id=job_id).first()
    if job is None:
        raise NotFoundError(f"There is no annotation job {job_id}.")
    return job


def batches(*, states: Sequence[str] = (), tag: str = "") -> QuerySet[AnnotationJob]:
    """Batches, newest first."""
    found = AnnotationJob.objects.select_related("dataset")
    if states:
        found = found.filter(state__in=states)
    return found.filter(tags__contains=[tag]) if tag else found


def pipelines_of(job: AnnotationJob) -> list[str]:
    """A batch's pipelines in the order they were asked for, which JSON in the database does not keep."""
    asked = AnnotationRun.objects.filter(video__job=job).order_by("position", "video__position")
    return list(dict.fromkeys(asked.values_list("pipeline", flat=True)))


def queue_position(job: AnnotationJob) -> int | None:
    """How manieth a waiting batch is, 1 being next; None for one that has begun."""
    if job.state != BatchState.QUEUED:
        return None
    earlier = Q(queued_at__lt=job.queued_at) | Q(queued_at=job.queued_at, id__lt=job.id)
    return AnnotationJob.objects.filter(earlier, state=BatchState.QUEUED).count() + 1


def failures_of(job: AnnotationJob) -> list[dict[str, Any]]:
    """What failed, video by video and pipeline by pipeline."""
    failed = _runs(job).filter(state=BatchState.FAILED)
    return [{"path": run.video.path, "pipeline": run.pipeline, "error": run.error} for run in failed]


def videos_of(job: AnnotationJob) -> list[dict[str, Any]]:
    """How far each video is, and each pipeline of it."""
    shown: dict[int, dict[str, Any]] = {}
    for run in _runs(job):
        video = shown.setdefault(
            run.video_id,
            {"path": run.video.path, "state": run.video.state, "error": run.video.error or None, "pipelines": []},
        )
        video["pipelines"].append(
            {
                "pipeline": run.pipeline,
                "state": run.state,
                "progress_pct": round(100 * (1.0 if run.state in ENDED else run.progress), 1),
                "error": run.error or None,
                "detect_job_id": run.detect_job_id,
            }
        )
    for video in shown.values():
        shares = [one["progress_pct"] for one in video["pipelines"]]
        video["progress_pct"] = round(sum(shares) / len(shares), 1)
    return list(shown.values())


def _runs(job: AnnotationJob) -> QuerySet[AnnotationRun]:
    return AnnotationRun.objects.filter(video__job=job).select_related("video").order_by("video__position", "position")

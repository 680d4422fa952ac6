"""What pages say of datasets and batches in the same words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from detect.errors import MediaprocError
from detect.registry import load_pipeline
from jobs.annotation.records import AnnotationJob
from jobs.annotation.states import ENDED, BatchState
from jobs.exports.words import percent, plural
from jobs.pages.shown import person, when, words

_STATES = {
    BatchState.QUEUED: ("Waiting", ""),
    BatchState.RUNNING: ("Running", "busy"),
    BatchState.SUCCEEDED: ("Complete", "good"),
    BatchState.FAILED: ("Failed", "bad"),
    BatchState.CANCELED: ("Cancelled", ""),
}
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_MOST_KEYS_NAMED = 4


@dataclass(frozen=True)
class StateTag:
    """A state as a tag: its word, and the class that colours it."""

    word: str
    kind: str


def state_tag(state: str, *, partly: bool = False) -> StateTag:
    """``partly`` of a failed batch: some of it is there."""
    if partly and state == BatchState.FAILED:
        return StateTag("Partly failed", "warn")
    return StateTag(*_STATES[BatchState(state)])


def pipeline_word(key: str) -> str:
    """What a pipeline is called, also one that this installation does not have any more."""
    try:
        return load_pipeline(key).label
    except MediaprocError:
        return words(key).capitalize()


def size_words(size: float) -> str:
    """``12.3 MB``."""
    for unit, word in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {word}"
    return f"{size:.0f} B"


def artifact_address(job_id: UUID, path: str) -> str:
    """Where a file of a batch is to be had, by its path in the manifest."""
    return reverse("annotation-artifact", args=[job_id, path])


def sentence(message: str) -> str:
    """An error's message as a sentence of its own."""
    return f"{message[:1].upper()}{message[1:]}{'' if message.endswith(('.', '!', '?')) else '.'}"


def video_name(path: str) -> str:
    return PurePosixPath(path).name or path


def counted(found: QuerySet[AnnotationJob]) -> QuerySet[AnnotationJob]:
    """With how many videos and runs each batch has, and how many of these have ended how; the newest first."""
    runs = "videos__runs"
    # a query that groups forgets the order of its model
    return found.order_by("-queued_at", "-id").annotate(
        video_count=Count("videos", distinct=True),
        run_count=Count(runs, distinct=True),
        done_count=Count(runs, filter=Q(videos__runs__state=BatchState.SUCCEEDED), distinct=True),
        failed_count=Count(runs, filter=Q(videos__runs__state=BatchState.FAILED), distinct=True),
    )


def batch_row(job: Any) -> dict[str, Any]:
    """A batch, from :func:`counted`, in a list: what it is, how far, and what failed of it."""
    keys = list(job.configuration.get("pipelines", {}))
    named = [pipeline_word(key) for key in keys[:_MOST_KEYS_NAMED]]
    more = len(keys) - len(named)
    return {
        "job": job,
        "video_words": plural(job.video_count, "video"),
        "pipelines": [*named, f"{more} more"] if more else named,
        "tag": state_tag(job.state, partly=bool(job.done_count)),
        "open": job.state not in ENDED,
        "percent": percent(job.progress),
        "failed": f"{job.failed_count} of {job.run_count} failed" if job.failed_count else "",
        "when": when(job.queued_at),
        "asker": person(job.requested_by),
    }

"""Jobs made by hand, and events for them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection

from detect.models import SourceAsset
from jobs.choices import EventKind, JobStatus
from jobs.events import event_append
from jobs.models import DetectJob
from jobs.states import job_move

T = TypeVar("T")


def running_job(**fields: Any) -> DetectJob:
    """A job that is under way, on an asset of its own."""
    digest = uuid.uuid4().hex * 2
    asset = SourceAsset.objects.create(sha256=digest, path="/match.mp4", probe={})
    given = {"status": JobStatus.RUNNING, "video_path": "/match.mp4", "known_brands": b"", "request_digest": digest}
    return DetectJob.objects.create(source_asset=asset, **{**given, **fields})


def update(job: DetectJob, **data: Any) -> int | None:
    """Tell the job's state, or what is given in its place."""
    return event_append(job_id=job.id, kind=EventKind.UPDATE, data={"status": job.status, "progress": 0.5, **data})


def complete(job: DetectJob) -> None:
    job_move(job, JobStatus.COMPLETED, progress=1.0)


async def in_thread(work: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Use the database from an asynchronous test, as another process would: with a connection that is closed again."""

    def run() -> T:
        try:
            return work(*arguments, **options)
        finally:
            connection.close()

    return await asyncio.to_thread(run)

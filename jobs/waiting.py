"""Bringing a job to its end while somebody waits for it: by the workers where there are some, else in this process."""

from __future__ import annotations

import logging
import time

from detect.errors import MediaprocError
from detect.events import SilentListener
from detect.registry import load_pipeline
from jobs.choices import ENDED, JobStatus
from jobs.models import DetectJob
from jobs.services import job_run
from jobs.work.presence import queues_served

logger = logging.getLogger(__name__)

_LOOK_EVERY = 0.05
_COUNT_WORKERS_EVERY = 2.0


def job_finish(job: DetectJob) -> DetectJob:
    """Wait until a queued job has completed, failed or been cancelled, and return it as it is then.

    Where no worker takes its work, now or later, it is done here: an installation of one process answers too. A job
    that somebody pauses is returned paused.
    """
    counted = 0.0
    while True:
        job.refresh_from_db()
        if job.status in ENDED or job.status == JobStatus.PAUSED:
            return job
        if time.monotonic() - counted >= _COUNT_WORKERS_EVERY:
            counted = time.monotonic()
            if not _needs(job) <= queues_served():
                _do_here(job)
        time.sleep(_LOOK_EVERY)


def _needs(job: DetectJob) -> set[str]:
    """The queues that the rest of the job goes through."""
    pipeline = load_pipeline(job.pipeline)
    stage = job.current_stage or job.replay_from_stage or pipeline.stages[0].name
    return {stage.needs for stage in pipeline.stages[pipeline.index(stage) :]}


def _do_here(job: DetectJob) -> None:
    """Whatever goes wrong stands on the job by then, or workers have come meanwhile and are at it."""
    try:
        job_run(job=job, listener=SilentListener())
    except MediaprocError as error:
        logger.info("job %s: %s", job.id, error)
    except Exception:
        logger.exception("job %s failed", job.id)

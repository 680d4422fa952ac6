"""Writing a run's progress to its job, not more often than people can see."""

from __future__ import annotations

import time

from detect.config import Pipeline
from detect.events import RunListener, StageResult
from jobs.models import DetectJob

_SECONDS_BETWEEN_WRITES = 1.0


class JobProgress:
    """Passes a run's events on to another listener and keeps the job's row up to date."""

    def __init__(self, job: DetectJob, pipeline: Pipeline, listener: RunListener) -> None:
        self._job = job
        self._stages = len(pipeline.stages)
        self._listener = listener
        self._index = 0
        self._written = 0.0

    def stage_started(self, stage: str, index: int, units: int) -> None:
        self._index = index
        self._write(current_stage=stage, progress=index / self._stages)
        self._listener.stage_started(stage, index, units)

    def stage_progress(self, stage: str, fraction: float) -> None:
        if time.monotonic() - self._written >= _SECONDS_BETWEEN_WRITES:
            self._write(progress=(self._index + fraction) / self._stages)
        self._listener.stage_progress(stage, fraction)

    def stage_finished(self, result: StageResult) -> None:
        self._listener.stage_finished(result)

    def _write(self, **fields: object) -> None:
        self._written = time.monotonic()
        DetectJob.objects.filter(id=self._job.id).update(**fields)

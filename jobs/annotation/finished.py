"""A run as writers of artifacts see it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from detect.checkpoints.outputs import load_stage_output
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.errors import MediaprocError
from detect.persistence import DatabaseCheckpointStore
from detect.registry import Pipeline, load_pipeline
from detect.report import Report
from detect.types import SourceInfo
from jobs.assets.sources import asset_local
from jobs.models import DetectJob
from jobs.selectors import job_assemble_report, job_branch, job_source


class NotReachedError(MediaprocError):
    """The run did not get as far as what was asked for."""


@dataclass(frozen=True)
class JobRun:
    """A :class:`~detect.artifacts.base.FinishedRun` of an engine's job, which may have failed on its way.

    Everything raises ``NotReachedError`` that the job did not come to.
    """

    job: DetectJob
    name: str

    @property
    def pipeline(self) -> str:
        return self.job.pipeline

    @cached_property
    def source(self) -> SourceInfo:
        """Without the place of the file, which is nobody's business who gets the results."""
        return msgspec.structs.replace(job_source(self.job), path=self.name)

    @cached_property
    def options(self) -> dict[str, Any]:
        return resolve(self._declared, self.job.profile_name, self.job.config_overrides).options

    def output(self, stage: str) -> Any:
        return self.parts(stage)[0]

    def parts(self, stage: str) -> Sequence[Any]:
        kind = self._declared.stage(stage).Output
        if self._last is None or stage not in self._last.outputs:
            raise NotReachedError(f"{self.pipeline} did not get as far as {stage}")
        return load_stage_output(DatabaseCheckpointStore(), self._last, stage, kind)

    def video(self) -> AbstractContextManager[Path]:
        return asset_local(self.job.video_path, self.job.source_asset.sha256)

    def report(self) -> Report | None:
        if not self._declared.gives_report:
            return None
        if self._last is None or self._last.stage != self._declared.stages[-1].name:
            raise NotReachedError(f"{self.pipeline} did not get as far as a report")
        return job_assemble_report(self.job)

    @cached_property
    def _declared(self) -> Pipeline:
        return load_pipeline(self.pipeline)

    @cached_property
    def _last(self) -> CheckpointRecord | None:
        branch = job_branch(self.job)
        return branch[-1] if branch else None

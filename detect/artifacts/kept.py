"""Files that a pipeline of one function has left: they are stored already."""

from __future__ import annotations

from pathlib import Path

from detect.artifacts.base import Artifact, FinishedRun
from detect.stages.run_entry_point import RunEntryPoint


def write(run: FinishedRun, folder: Path) -> list[Artifact]:  # noqa: ARG001 - the shape of a writer
    kept: list[Artifact] = run.output(RunEntryPoint.name).artifacts
    return kept

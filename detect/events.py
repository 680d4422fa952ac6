"""What a run tells while it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StageResult:
    """How a stage went: ``reused`` of its ``units`` (chunks, or 1) were found stored; ``seconds`` were spent now."""

    stage: str
    index: int
    units: int
    reused: int
    seconds: float
    stats: dict[str, int | float | str]
    skipped: str
    incomplete: bool


class RunListener(Protocol):
    """Receives progress. Called on the run's own thread; must return quickly and not raise."""

    def stage_started(self, stage: str, index: int, units: int) -> None: ...

    def stage_progress(self, stage: str, fraction: float) -> None:
        """``fraction`` 0-1 of the stage's work over the whole asset."""

    def stage_finished(self, result: StageResult) -> None: ...


class SilentListener:
    """Listens to nothing."""

    def stage_started(self, stage: str, index: int, units: int) -> None:
        return

    def stage_progress(self, stage: str, fraction: float) -> None:
        return

    def stage_finished(self, result: StageResult) -> None:
        return

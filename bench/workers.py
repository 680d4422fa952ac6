"""Workers: how much faster two are than one where a stage waits, and what sharing the work costs a chunk."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.installation import RUN_WITHIN, Installation, installation
from bench.process import measure
from bench.results import Headline

PIPELINES = Path(__file__).parent / "pipelines"
#: Of the pipeline's three stages two are done chunk by chunk.
_STAGES = 2


class WorkersFigures(msgspec.Struct, frozen=True):
    """Seconds of jobs: one that waits, by how many workers did it, and one that does nothing, by who did it."""

    waiting_chunks: int
    waiting_seconds: float
    by_workers: dict[str, float]
    idle_chunks: int
    queued: float
    in_process: float

    @property
    def speed_up(self) -> float:
        """How many times as fast two workers are as one."""
        return self.by_workers["1"] / self.by_workers["2"]

    @property
    def cost(self) -> float:
        """Milliseconds a chunk of a stage takes longer with a worker than in one process without a queue."""
        return 1000 * (self.queued - self.in_process) / (_STAGES * self.idle_chunks)

    def headlines(self) -> dict[str, Headline]:
        """What to compare from one measurement to the next."""
        return {
            "two workers against one": Headline(self.speed_up, "×", "higher"),
            "the queue's cost a chunk": Headline(self.cost, "ms", "lower"),
        }


def measure_workers(*, quick: bool, progress: Callable[[str], None]) -> WorkersFigures:
    """Have workers do jobs of waiting stages, on an installation of its own. Raises ``BenchError``."""
    chunks, seconds, idle = (16, 0.5, 60) if quick else (60, 0.5, 300)
    with installation() as here, here.database_up():
        here.environment["MEDIAPROC_PIPELINES"] = str(PIPELINES)
        by_workers = {}
        for workers in (1, 2):
            progress(f"workers: {chunks} chunks that wait {seconds:g} s, {workers} at work")
            by_workers[str(workers)] = _seconds(here, "queue", chunks, seconds, workers)
        progress(f"workers: {idle} chunks that do nothing, by a worker and in one process")
        queued = _seconds(here, "queue", idle, 0.0, 1)
        in_process = _seconds(here, "here", idle, 0.0, 0)
    return WorkersFigures(
        waiting_chunks=chunks,
        waiting_seconds=seconds,
        by_workers=by_workers,
        idle_chunks=idle,
        queued=queued,
        in_process=in_process,
    )


def _seconds(here: Installation, mode: str, chunks: int, seconds: float, workers: int) -> float:
    command = [sys.executable, "-m", "bench.sharing", mode, str(chunks), str(seconds), str(workers)]
    return float(measure(command, timeout=RUN_WITHIN, environment=here.environment).output)

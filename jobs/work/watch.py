"""Between the items of a unit: is it still ours, was a stop asked for, and how far is it?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection

from detect.errors import CancelledError
from detect.runner import StageRun
from jobs.events import log_append
from jobs.models import DetectJob
from jobs.progress import SECONDS_BETWEEN_WRITES, progress_nudge, shared_progress_write
from jobs.work.units import Lease, lease_check, unit_report

logger = logging.getLogger(__name__)


class Watch:
    """Looks after one unit while its stage runs.

    How far it is is written with an event every second; between these, as often as the pipeline says in items, only the
    job's share of work done is set.
    """

    def __init__(self, lease: Lease, stop: Callable[[], bool], job: DetectJob, run: StageRun) -> None:
        self._lease, self._stop, self._job = lease, stop, job
        self._pipeline, self._units = run.runner.pipeline, len(run.units)
        self._checked = self._written = time.monotonic()
        self._done = self._told = self._logged = 0
        self._share: float | None = None
        self._share_at = 0.0

    def check(self) -> None:
        """Raises ``CancelledError`` where the worker is to stop, ``LeaseLostError`` where the unit is not its own."""
        if self._stop():
            raise CancelledError("the worker was asked to stop")
        if time.monotonic() - self._checked >= SECONDS_BETWEEN_WRITES:
            self._checked = time.monotonic()
            _unless_away(lambda: lease_check(self._lease))

    def progress(self, done: int, total: int) -> None:
        """``done`` of ``total`` items of the unit; a total that is not known before grows with what is done."""
        self._done, tells = done, self._pipeline.tells
        by_items = tells.progress is not None and done - self._told >= tells.progress
        if time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES or (by_items and self._share is None):
            self._written, self._told = time.monotonic(), done
            _unless_away(lambda: self._write(done, total))
        elif by_items:
            self._told = done
            _unless_away(lambda: self._nudge(done, total))
        if tells.log is not None and done - self._logged >= tells.log:
            self._log(f"{done} of {total}")

    def close(self) -> None:
        """The unit is done: what was not told of it yet is."""
        if self._pipeline.tells.log is not None and self._done > self._logged:
            self._log(f"all {self._done}")

    def _write(self, done: int, total: int) -> None:
        unit_report(self._lease, done=done, total=total)
        self._share = shared_progress_write(self._job, self._pipeline, self._lease.stage_index)
        self._share_at = done / max(1, total)

    def _nudge(self, done: int, total: int) -> None:
        """What other units of the stage did since the last write is not asked for."""
        assert self._share is not None
        share = self._share + (done / max(1, total) - self._share_at) / self._units
        progress_nudge(self._job.id, self._pipeline.progress(self._lease.stage_index, share))

    def _log(self, far: str) -> None:
        self._logged = self._done
        part = f", part {self._lease.chunk + 1} of {self._units}" if self._units > 1 else ""
        _unless_away(lambda: log_append(job_id=self._job.id, line=f"{self._lease.stage}{part}: {far}"))


def _unless_away(act: Callable[[], object]) -> None:
    """What can wait for a database that is away: the work goes on, and is refused at its end if it is not ours."""
    try:
        act()
    except (OperationalError, InterfaceError) as error:
        logger.info("the database is away: %s", error)
        connection.close()

"""Asking for jobs and removing them, where workers, replays and other jobs are about."""

from __future__ import annotations

import pytest

from jobs.pitstop.selectors import pitstop_job
from jobs.pitstop.services import pitstop_delete
from tests.pitstop.building import build

pytestmark = pytest.mark.usefixtures("db", "places")


def test_delete() -> None:
    job = build()
    pitstop_delete(pitstop_job(job.id))

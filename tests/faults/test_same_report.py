"""One process, one worker or four, at once or again: the same report, and nothing computed twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from detect.registry import load_pipeline
from tests.faults.footage import CHUNKS
from tests.faults.installation import comparable
from tests.faults.system import System, running_system, wait_until

pytestmark = pytest.mark.slow
STAGES = load_pipeline("brands").stages
ONCE = Counter(f"{stage.name} {chunk}" for stage in STAGES for chunk in range(CHUNKS if stage.scope == "chunk" else 1))


@dataclass(frozen=True)
class Worked:
    """A system whose workers did the same request twice."""

    system: System
    workers: int
    first: str
    second: str
    at_once: Counter[str]
    """Units computed by the time the first job had ended."""


@pytest.fixture(scope="module", params=[1, 4], ids=["one worker", "four workers"])
def worked(request: pytest.FixtureRequest, clip: Path, weights: Path) -> Iterator[Worked]:
    with running_system(clip, weights, workers=request.param) as system:
        first = system.submit()
        wait_until(lambda: not system.unfinished(), 240, "the first job does not end")
        at_once = system.done()
        second = system.submit()
        wait_until(lambda: not system.unfinished(), 120, "the second job does not end")
        yield Worked(system, request.param, first, second, at_once)


def test_report_is_that_of_one_process(worked: Worked, expected: dict[str, bytes]) -> None:
    assert comparable(worked.system.report(worked.first)) == expected


def test_report_of_the_second_run_is_that_of_the_first(worked: Worked, expected: dict[str, bytes]) -> None:
    assert worked.second != worked.first
    assert comparable(worked.system.report(worked.second)) == expected


def test_second_run_computes_no_stage(worked: Worked) -> None:
    assert worked.at_once == ONCE
    assert worked.system.done() == ONCE


def test_work_was_shared(worked: Worked) -> None:
    """Otherwise the tests above would say nothing of several workers."""
    took_part = worked.system.processes()
    assert len(took_part) == 1 if worked.workers == 1 else 2 <= len(took_part) <= worked.workers

"""Workers, queue, database, storage and site killed while jobs run: the jobs end as if nothing had been."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from detect.registry import load_pipeline
from tests.faults.conftest import Setup
from tests.faults.footage import CHUNKS
from tests.faults.installation import comparable
from tests.faults.kinds import Fault, strike
from tests.faults.system import PROMISE, System, running_system, wait_until

SEED = 3
#: Each at least once, in an order that the seed decides.
FAULTS = ("horse", "worker", "web", "valkey", "postgres", "bucket", "flush", "bucket_away", "horse", "servers")
WORKERS = 2
STAGES = load_pipeline("brands").stages
ONCE = Counter(f"{stage.name} {chunk}" for stage in STAGES for chunk in range(CHUNKS if stage.scope == "chunk" else 1))


@dataclass(frozen=True)
class Struck:
    """What was left of a system after all faults."""

    system: System
    job: str
    faults: list[Fault]


@pytest.fixture(scope="module")
def struck(clip: Path, weights: Path) -> Iterator[Struck]:
    dice = random.Random(SEED)
    order = dice.sample(FAULTS, len(FAULTS))
    with running_system(clip, weights, workers=WORKERS, think=3.0) as system:
        job = system.submit()
        faults = []
        for kind in order:
            time.sleep(dice.uniform(0.1, 0.9))
            if not system.unfinished():
                break
            faults.append(strike(system, kind, dice))
        wait_until(lambda: not system.unfinished(), 120, "the job does not end")
        yield Struck(system, job, faults)


def test_every_fault_met_a_running_job(struck: Struck) -> None:
    assert Counter(fault.kind for fault in struck.faults) == Counter(FAULTS)
    assert max(fault.recovery for fault in struck.faults) < PROMISE


def test_job_has_completed(struck: Struck) -> None:
    (job,) = struck.system.jobs()
    assert (job["status"], job["error_message"], job["progress"]) == ("completed", "", 1.0)


def test_report_is_that_of_an_undisturbed_run(struck: Struck, expected: dict[str, bytes]) -> None:
    assert comparable(struck.system.report(struck.job)) == expected


def test_a_unit_is_computed_again_only_for_a_kill_that_hit_it(struck: Struck) -> None:
    redone = struck.system.redone(ONCE)
    assert set(struck.system.done()) == set(ONCE)
    assert redone.total() <= sum(fault.hit for fault in struck.faults)


def test_each_question_is_paid_for_once(struck: Struck, uninterrupted: Setup) -> None:
    """Asked again only where a process died with an unheard answer, and then under the key it was asked with before."""
    assert set(struck.system.questions()) == set(uninterrupted.questions())
    assert len(struck.system.billed()) == len(uninterrupted.questions())
    kills = sum(fault.hit for fault in struck.faults)
    assert len(struck.system.models.asks) <= len(uninterrupted.questions()) + kills
    (job,) = struck.system.jobs()
    (calm,) = uninterrupted.installation.jobs()
    for figure in ("cloud_llm_calls", "estimated_cost_usd", "brands_found", "total_detections"):
        assert job[figure] == calm[figure]


def test_what_was_told_has_neither_gap_nor_repeat(struck: Struck) -> None:
    events = struck.system.rows("SELECT number, kind, data FROM jobs_jobevent ORDER BY number")
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    told = Counter(event["data"]["stage"] for event in events if event["kind"] == "job.stage")
    assert told == Counter(stage.name for stage in STAGES)
    progress = [event["data"]["progress"] for event in events if event["kind"] == "job.update"]
    assert progress == sorted(progress)
    assert (events[-1]["kind"], events[-1]["data"]["status"]) == ("job.update", "completed")

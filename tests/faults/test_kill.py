"""kill -9 in the middle of every stage, and the same command again."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from detect.registry import load_pipeline
from tests.faults.conftest import Setup, new_setup
from tests.faults.footage import CHUNK_SECONDS, CHUNKS
from tests.faults.installation import Outcome, comparable, finish

#: Every run dies at the next of these; the second figure is whether a unit of work is lost with it.
KILLS = {
    "extract_frames:working": True,
    "filter_scenes:working": True,
    "detect_edges:working": True,
    "detect_objects:working": True,
    "run_ocr:working": True,
    "run_ocr:unmarked": False,
    "match_brands:working": True,
    "match_brands:seeking": True,
    "escalate_vlm:answered": True,
    "escalate_cloud:answered": True,
    "compile_report:unsaved": True,
    "compile_report:unmarked": False,
    "report:writing": False,
    "report:written": False,
}


@dataclass(frozen=True)
class Killed:
    setup: Setup
    runs: dict[str, Outcome]
    outputs: dict[str, list[str]]
    last: Outcome


@pytest.fixture(scope="module")
def killed(clip: Path, weights: Path) -> Iterator[Killed]:
    """One job, killed at every place in turn by giving the same command again and again."""
    with new_setup(clip, weights, running=True) as setup:
        runs, outputs = {}, {}
        for place in KILLS:
            runs[place] = setup.installation.run(*setup.request, kill=place)
            outputs[place] = [str(row) for row in setup.installation.rows("SELECT * FROM detect_stageoutput")]
        yield Killed(setup, runs, outputs, setup.installation.run(*setup.request))


def test_every_stage_is_among_them() -> None:
    assert {place.split(":")[0] for place in KILLS} == {
        *(stage.name for stage in load_pipeline("brands").stages),
        "report",
    }


@pytest.mark.parametrize("place", KILLS)
def test_run_is_killed_there(killed: Killed, place: str) -> None:
    assert killed.runs[place].code == -signal.SIGKILL, killed.runs[place].err


def test_report_is_that_of_an_uninterrupted_run(killed: Killed, expected: dict[str, bytes]) -> None:
    assert killed.last.code == 0, killed.last.err
    assert comparable(killed.setup.report) == expected


def test_only_what_was_not_saved_is_computed_again(killed: Killed) -> None:
    stages = {stage.name: CHUNKS if stage.scope == "chunk" else 1 for stage in load_pipeline("brands").stages}
    once = [f"{stage} {unit}" for stage, units in stages.items() for unit in range(units)]
    lost = [place.split(":")[0] for place, loses in KILLS.items() if loses]
    again = [f"{stage} {min(1, stages[stage] - 1)}" for stage in lost]
    logos = [f"logos {chunk * CHUNK_SECONDS}" for chunk in (*range(CHUNKS), 1)]  # a frame a second
    assert killed.setup.installation.begun() == Counter([*once, *again, *logos])


def test_what_was_stored_before_a_kill_is_never_stored_anew(killed: Killed) -> None:
    earlier: set[str] = set()
    for rows in killed.outputs.values():
        assert earlier <= set(rows)
        earlier = set(rows)


def test_no_question_is_paid_twice(killed: Killed, uninterrupted: Setup) -> None:
    asked = Counter(killed.setup.questions())
    assert set(asked.values()) == {1}
    assert asked == Counter(uninterrupted.questions())


def test_one_job_went_through_it_all(killed: Killed) -> None:
    (job,) = killed.setup.installation.jobs()
    assert job["status"] == "completed"
    assert job["cloud_llm_calls"] == sum(model == "large-vl" for model, *_ in killed.setup.questions()) > 0
    assert killed.last.err.startswith(f"Going on with job {job['id']}")
    nodes = killed.setup.installation.rows("SELECT stage FROM detect_checkpoint ORDER BY stage_index")
    assert [node["stage"] for node in nodes] == [stage.name for stage in load_pipeline("brands").stages]


def test_killed_at_any_moment_it_goes_on(fresh: Setup, expected: dict[str, bytes]) -> None:
    """The program as it is, servers and first migrations included, killed at moments nobody chose."""
    setup = fresh
    moments = random.Random(20).sample(range(3, 50), 5)
    kills = 0
    for tenths in sorted(moments):
        process = setup.installation.start(*setup.request, plain=True)
        time.sleep(tenths / 10)
        if process.poll() is None:
            kills += 1
        process.kill()
        outcome = finish(process)
        if outcome.code == 0:
            break
        assert outcome.code == -signal.SIGKILL, outcome.err
    else:
        outcome = setup.installation.run(*setup.request, plain=True)
    assert outcome.code == 0, outcome.err
    assert comparable(setup.report) == expected
    assert kills
    # a question in flight at a kill was paid and its answer not heard: one at a time is asked here
    assert len(setup.questions()) <= len(set(setup.questions())) + kills
    with setup.installation.database():
        # more than one where a kill came after the report was written: the job was done, and the next is another
        assert {job["status"] for job in setup.installation.jobs()} == {"completed"}

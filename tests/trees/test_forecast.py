"""What is told of a run before it, against what the run then does, on a pipeline whose stages are counted."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.checkpoints.store import CheckpointRecord
from detect.config import resolve
from detect.estimating import Forecast
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.types import KnownBrandRecord, KnownBrands, SourceInfo
from tests.checkpoints import toy
from tests.stages.memory_frames import MemoryFrames

SOURCE = SourceInfo("match.mp4", "s" * 64, 35.0, 1280, 720, "25", False, 0.0)


@pytest.fixture(autouse=True)
def clean():
    toy.RUNS.clear()
    toy.FAIL_AT.clear()
    toy.INCOMPLETE.clear()


def request(
    overrides: Any = None, parent: CheckpointRecord | None = None, brands: tuple[KnownBrandRecord, ...] = ()
) -> RunRequest:
    config = resolve(toy.PIPELINE, "soccer_broadcast", overrides)
    return RunRequest(uuid4(), uuid4(), SOURCE, config, overrides or {}, KnownBrands(brands=brands), parent)


def new_runner() -> Runner:
    return Runner(toy.PIPELINE, MemoryCheckpointStore(), frames=MemoryFrames(), resources=Resources())


def missing(runner: Runner, wanted: RunRequest) -> dict[str, int]:
    forecast = Forecast(pipeline=runner.pipeline, store=runner.store, resources=runner.resources, request=wanted)
    return {one.stage.name: one.missing for one in forecast.stages if one.missing}


def ran(runner: Runner, wanted: RunRequest) -> dict[str, int]:
    toy.RUNS.clear()
    runner.run(wanted)
    return dict(toy.RUNS)


def test_a_first_run_computes_everything():
    runner = new_runner()
    assert missing(runner, request()) == ran(runner, request()) == {"cut": 4, "size": 4, "sum": 1}


def test_the_same_run_again_computes_nothing():
    runner = new_runner()
    runner.run(request())
    assert missing(runner, request()) == {}


def test_what_follows_a_stage_that_runs_is_counted_though_it_may_be_reused():
    runner = new_runner()
    runner.run(request())
    wanted = request({"size": {"noise": 3}})
    assert missing(runner, wanted) == {"size": 4, "sum": 1}
    assert ran(runner, wanted) == {"size": 4}


def test_chunks_that_a_killed_run_had_finished_are_found():
    runner = new_runner()
    toy.FAIL_AT.add(("size", 2))
    with pytest.raises(toy.Crash):
        runner.run(request())
    toy.FAIL_AT.clear()
    assert missing(runner, request()) == ran(runner, request()) == {"size": 2, "sum": 1}


def test_known_brands_count_where_they_are_used():
    runner = new_runner()
    runner.run(request())
    assert missing(runner, request(brands=(KnownBrandRecord("Acme"),))) == {"sum": 1}


def test_behind_a_checkpoint_only_what_follows_is_told():
    runner = new_runner()
    done = runner.run(request()).checkpoint
    [cut] = [node for node in runner.store.list_checkpoints(done.job_id) if node.stage == "cut"]
    forecast = Forecast(
        pipeline=runner.pipeline,
        store=runner.store,
        resources=runner.resources,
        request=request({"sum": {"plus": 1}}, parent=cut),
    )
    assert [(one.stage.name, one.units, one.missing) for one in forecast.stages] == [("size", 4, 0), ("sum", 1, 1)]
    assert forecast.known("sum") is None
    sizes = forecast.known("size")
    assert sizes is not None
    assert [part.size for part in sizes] == [1, 2, 3, 4]


def test_an_incomplete_output_is_not_counted_on():
    runner = new_runner()
    toy.INCOMPLETE.add("sum")
    runner.run(request())
    assert missing(runner, request()) == {"sum": 1}


options = st.fixed_dictionaries(
    {},
    optional={
        "cut": st.fixed_dictionaries({}, optional={"chunk_seconds": st.sampled_from([10, 20]), "letter": st.just("y")}),
        "size": st.fixed_dictionaries({}, optional={"factor": st.integers(1, 2), "noise": st.integers(0, 2)}),
        "sum": st.fixed_dictionaries({}, optional={"plus": st.integers(0, 1)}),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(options, max_size=3), options)
def test_a_run_never_computes_more_than_was_told(before, wanted):
    runner = new_runner()
    for overrides in before:
        runner.run(request(overrides))
    told = missing(runner, request(wanted))
    assert Counter(ran(runner, request(wanted))) <= Counter(told)

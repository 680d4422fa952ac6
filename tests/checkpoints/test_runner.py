"""The runner: what runs, what is reused, what a crash costs."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.checkpoints.outputs import merge_stats
from detect.config import resolve
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.types import KnownBrandRecord, KnownBrands, SourceInfo
from tests.checkpoints import toy
from tests.stages.memory_frames import MemoryFrames

SOURCE = SourceInfo("match.mp4", "s" * 64, 35.0, 1280, 720, "25", False, 0.0)

NOTHING_KNOWN = KnownBrands()


@pytest.fixture(autouse=True)
def clean():
    toy.RUNS.clear()
    toy.FAIL_AT.clear()
    toy.INCOMPLETE.clear()


@pytest.fixture
def runner():
    return Runner(toy.PIPELINE, MemoryCheckpointStore(), frames=MemoryFrames(), resources=Resources())


def request(overrides=None, parent=None, brands=NOTHING_KNOWN, job_id: UUID | None = None) -> RunRequest:
    config = resolve(toy.PIPELINE, "soccer_broadcast", overrides)
    return RunRequest(job_id or uuid4(), uuid4(), SOURCE, config, overrides or {}, brands, parent)


def runs() -> dict[str, int]:
    counted = dict(toy.RUNS)
    toy.RUNS.clear()
    return counted


def test_a_first_run_computes_everything_once(runner):
    result = runner.run(request())
    # 35 s in windows of 10 s: the rest of 5 s is half a window and stands alone
    assert runs() == {"cut": 4, "size": 4, "sum": 1}
    assert result.output.total == 1 + 2 + 3 + 4
    assert next(stage.stats for stage in result.stages) == {"letters": 10}


def test_the_same_run_again_computes_nothing(runner):
    runner.run(request())
    runs()
    again = runner.run(request())
    assert runs() == {}
    assert [stage.reused == stage.units for stage in again.stages] == [True] * 3


def test_an_option_recomputes_its_stage_and_what_depends_on_its_result(runner):
    runner.run(request())
    runs()
    assert runner.run(request({"size": {"factor": 2}})).output.total == 20
    assert runs() == {"size": 4, "sum": 1}
    runner.run(request({"size": {"noise": 3}}))
    assert runs() == {"size": 4}, "a result that did not change is not computed on again"


def test_known_brands_are_part_of_the_key_only_where_they_are_used(runner):
    runner.run(request())
    runs()
    runner.run(request(brands=KnownBrands(brands=(KnownBrandRecord("Velmora"),))))
    assert runs() == {"sum": 1}


def test_a_replay_branches_off_a_checkpoint_and_stores_no_second_copy(runner):
    first = runner.run(request())
    stored = dict(runner.store._outputs)
    nodes = runner.store.list_checkpoints(first.checkpoint.job_id)
    replayed = runner.run(request({"sum": {"plus": 5}}, parent=nodes[1]))
    assert replayed.output.total == 15
    assert replayed.checkpoint.parent_id == nodes[1].id
    assert len(runner.store._outputs) == len(stored) + 2, "the new output and its manifest"
    assert replayed.checkpoint.outputs["cut"] == first.checkpoint.outputs["cut"]


@pytest.mark.parametrize(("stage", "chunk"), [("cut", 2), ("size", 0), ("size", 3), ("sum", -1)])
def test_a_crash_costs_at_most_the_unit_it_hit(runner, stage, chunk):
    whole = Runner(toy.PIPELINE, MemoryCheckpointStore(), frames=MemoryFrames(), resources=Resources()).run(request())
    expected = runs()
    toy.FAIL_AT.add((stage, chunk))
    job_id = uuid4()
    with pytest.raises(toy.Crash):
        runner.run(request(job_id=job_id))
    before = runs()
    toy.FAIL_AT.clear()
    resumed = runner.run(request(job_id=job_id))
    after = runs()
    assert resumed.output == whole.output
    total = {name: before.get(name, 0) + after.get(name, 0) for name in expected}
    assert total == {**expected, stage: expected[stage] + 1}


def test_an_incomplete_output_is_kept_but_tried_again(runner):
    toy.INCOMPLETE.add("sum")
    first = runner.run(request())
    assert first.output.incomplete
    toy.INCOMPLETE.clear()
    runs()
    second = runner.run(request())
    assert runs() == {"sum": 1}
    assert not second.output.incomplete
    assert runner.load(first.checkpoint, "sum")[0].incomplete, "the older checkpoint keeps what it had"


def test_figures_of_chunks_are_added_up_and_texts_kept():
    assert merge_stats([{"n": 1, "engine": "a"}, {"n": 2, "engine": "a", "m": 0.5}]) == {
        "n": 3,
        "engine": "a",
        "m": 0.5,
    }

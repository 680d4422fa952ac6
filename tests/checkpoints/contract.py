"""What every checkpoint store must do. Subclass and give a ``store`` and a ``place`` fixture."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from detect.checkpoints.store import CheckpointRecord, CheckpointStore, OutputRef


def output(key: str, **changes: Any) -> OutputRef:
    fields: dict[str, Any] = {
        "key": key, "stage": "toy", "digest": "d" * 64, "size": 3, "seconds": 0.5, "stats": {"n": 1}, "skipped": "",
        "incomplete": False,
    }  # fmt: skip
    return OutputRef(**{**fields, **changes})


class CheckpointStoreContract:
    """``place`` is ``(timeline_id, job_id)`` that checkpoints may refer to."""

    def node(self, place: tuple[UUID, UUID], stage: str, parent: CheckpointRecord | None = None) -> CheckpointRecord:
        return CheckpointRecord(
            id=uuid4(),
            timeline_id=place[0],
            job_id=place[1],
            parent_id=None if parent is None else parent.id,
            stage=stage,
            stage_index=0 if parent is None else parent.stage_index + 1,
            outputs={**({} if parent is None else parent.outputs), stage: f"key of {stage}"},
            config_overrides={stage: {"a": 1}},
            config_snapshot={stage: {"a": 1, "b": [1.5, "x"]}},
            stats={stage: {"seconds": 0.25}},
        )

    def test_an_output_comes_back_as_it_was_put(self, store: CheckpointStore):
        store.put_output(output("a"), b"body")
        assert store.find_output("a") == output("a")
        assert store.load_output("a") == b"body"

    def test_what_is_stored_under_a_key_stays(self, store: CheckpointStore):
        store.put_output(output("a"), b"first")
        store.put_output(output("a", size=99), b"second")
        assert store.load_output("a") == b"first"
        assert store.find_output("a") == output("a")

    def test_an_unknown_key_is_none_or_a_key_error(self, store: CheckpointStore):
        assert store.find_output("nothing") is None
        with pytest.raises(KeyError):
            store.load_output("nothing")

    def test_many_keys_are_found_at_once(self, store: CheckpointStore):
        for key in "abc":
            store.put_output(output(key), b"")
        assert set(store.find_outputs(["a", "c", "zzz"])) == {"a", "c"}
        assert store.find_outputs([]) == {}

    def test_a_checkpoint_comes_back_and_is_listed_after_its_parent(self, store: CheckpointStore, place):
        first = store.add_checkpoint(self.node(place, "one"))
        second = store.add_checkpoint(self.node(place, "two", first))
        assert store.get_checkpoint(second.id) == second
        assert second.outputs == {"one": "key of one", "two": "key of two"}
        assert store.list_checkpoints(place[1]) == [first, second]
        assert store.list_checkpoints(uuid4()) == []

    def test_adding_the_same_step_again_returns_the_first(self, store: CheckpointStore, place):
        first = store.add_checkpoint(self.node(place, "one"))
        assert store.add_checkpoint(self.node(place, "one")).id == first.id
        assert len(store.list_checkpoints(place[1])) == 1

    def test_an_unknown_checkpoint_is_a_key_error(self, store: CheckpointStore):
        with pytest.raises(KeyError):
            store.get_checkpoint(uuid4())

    def test_a_label_makes_a_scenario_and_an_empty_one_takes_it_away(self, store: CheckpointStore, place):
        node = store.add_checkpoint(self.node(place, "one"))
        labelled = store.label_checkpoint(node.id, "glare at dusk")
        assert (labelled.is_scenario, labelled.scenario_label) == (True, "glare at dusk")
        assert store.list_scenarios() == [labelled]
        assert store.label_checkpoint(node.id, "").is_scenario is False
        assert store.list_scenarios() == []

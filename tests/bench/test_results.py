"""The results file: the same layout every time, parts kept, like compared with like."""

from __future__ import annotations

import json

import pytest

from bench.machine import Machine, commit, machine_facts
from bench.process import BenchError
from bench.promises import PROMISES, verdicts
from bench.results import Headline, Section, changes, comparable, empty, read, updated, write

MACHINE = Machine(2, "a processor", 2**34, "Linux", "3.11", {"rapidocr": "3", "openvino": "1"}, 0.1)


def section(settings=None, **headlines: Headline) -> Section:
    return Section(
        "2026-01-01T00:00:00+00:00", "abc", MACHINE, settings or {}, headlines, {"b": 1 / 3, "a": [0.1 + 0.2]}
    )


def f1(value: float) -> Headline:
    return Headline(value, "", "higher")


def seconds(value: float) -> Headline:
    return Headline(value, "s", "lower")


def test_written_and_read_back(tmp_path):
    path = tmp_path / "new/results.json"
    assert read(path) == empty()
    write(path, updated(empty(), {"speed": section(wall=seconds(2.0))}))
    assert read(path).sections["speed"].headlines == {"wall": seconds(2.0)}
    assert not list(path.parent.glob("*.new"))


def test_layout_is_sorted_and_free_of_noise(tmp_path):
    path = tmp_path / "results.json"
    write(path, updated(empty(), {"speed": section(), "memory": section()}))
    text = path.read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert json.loads(text)["sections"]["memory"]["figures"] == {"a": [0.3], "b": 0.333333}


def test_a_part_that_was_not_measured_keeps_its_figures():
    old = updated(empty(), {"speed": section(wall=seconds(2.0)), "memory": section(peak=seconds(1))})
    new = updated(old, {"speed": section(wall=seconds(1.0))})
    assert new.sections["memory"] == old.sections["memory"]
    assert new.sections["speed"].headlines["wall"].value == 1.0


@pytest.mark.parametrize("body", ["", "[]", '{"schema": "mediaproc.bench/0", "sections": {}}'])
def test_another_file_is_not_overwritten_silently(tmp_path, body):
    path = tmp_path / "results.json"
    path.write_text(body)
    with pytest.raises(BenchError, match="move it away"):
        read(path)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(BenchError, match=r"results\.json cannot be written"):
        write(tmp_path / "taken/results.json", empty())


def test_changes_know_which_way_is_better():
    before = updated(empty(), {"accuracy": section(f1=f1(0.8), same=f1(0.5), wall=seconds(4), gone=f1(1))})
    moved = changes(before, {"accuracy": section(f1=f1(0.9), same=f1(0.501), wall=seconds(5), added=f1(1))})
    assert [(item.name, item.before, item.now, item.improved) for item in moved] == [
        ("f1", 0.8, 0.9, True),
        ("wall", 4, 5, False),
    ]


def test_what_was_measured_otherwise_is_not_compared():
    before = updated(empty(), {"accuracy": section({"seeds": [1]}, f1=f1(0.8))})
    now = {"accuracy": section({"seeds": [1, 2]}, f1=f1(0.9))}
    assert changes(before, now) == []
    assert comparable(before, now) == []
    assert comparable(before, {"accuracy": section({"seeds": [1]})}) == ["accuracy"]


def test_promises_are_held_against_headlines():
    sections = {"memory": section(**{"growth from the shortest to the longest": Headline(0.2, "share", "lower")})}
    (found,) = verdicts(sections, full=True)
    assert not found.kept
    assert found.promise.bound == 0.10


def test_promises_about_length_need_a_full_run():
    name = "wall time of the longest over its length"
    sections = {"memory": section(**{name: Headline(0.9, "×", "lower")})}
    assert [item.kept for item in verdicts(sections, full=True)] == [False]
    assert verdicts(sections, full=False) == []


def test_a_bound_itself_is_within():
    assert all(promise.holds(promise.bound) for promise in PROMISES)
    assert not next(item for item in PROMISES if item.relation == "at least").holds(-1)


def test_facts_about_this_machine():
    facts = machine_facts()
    assert facts.cores >= 1
    assert facts.memory > 2**28
    assert facts.packages["rapidocr"][0].isdigit()
    assert Machine(2, "", 1, "", "", {}, 1.5).busy
    assert not Machine(2, "", 1, "", "", {}, 0.5).busy


def test_commit_outside_a_repository(monkeypatch, tmp_path):
    monkeypatch.setattr("bench.machine.PROJECT_ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == ""

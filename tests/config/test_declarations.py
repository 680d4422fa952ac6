"""Declarations of pipelines that cannot be used: each is named with its file and what is wrong, and hides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from detect.errors import ConfigError
from detect.registry import broken_pipelines, load_pipeline, pipeline_names, use_pipelines_of
from jobs.annotation.catalog import pipeline_states, require_available

GOOD = """
key: mine
label: Mine
version: 1
stages: [tests.annotation.toy:First, tests.annotation.toy:Second]
options: {first: {letter: b}}
params:
  fail: {sets: second.fail, type: bool, default: false}
artifacts: [tests.annotation.toy:write_first]
"""


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Iterator[Path]:
    use_pipelines_of(tmp_path)
    yield tmp_path
    use_pipelines_of(settings.PIPELINES_FOLDER)


def declare(folder: Path, text: str) -> None:
    (folder / "mine.yaml").write_text(text)


def test_a_good_one_is_taken(folder: Path) -> None:
    declare(folder, GOOD)
    assert [stage.name for stage in load_pipeline("mine").stages] == ["first", "second"]
    assert broken_pipelines() == {}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tests.annotation.toy:First", "tests.nothing:First", "'tests.nothing:First' cannot be imported"),
        ("tests.annotation.toy:First", "tests.annotation.toy:Nobody", "tests.annotation.toy:Nobody"),
        ("toy:First, tests.annotation.toy:Second", "toy:Second, tests.annotation.toy:First", "reads 'first'"),
        ("toy:First, tests.annotation.toy:Second", "toy:First, tests.annotation.toy:First", "twice"),
        ("stages: [tests.annotation.toy:First, tests.annotation.toy:Second]", "", "stages or an entry_point"),
        ("version: 1", "version: 1\nentry_point: tests.annotation.toy:annotate", "stages or an entry_point"),
        ("version: 1", "version: 0", "version"),
        ("version: 1", "version: one", "version"),
        ("label: Mine", "", "label"),
        ("label: Mine", "label: Mine\ncolour: red", "colour"),
        ("key: mine", "key: yours", "'yours'"),
        ("letter: b", "size: 3", "first.size"),
        ("{first: {letter: b}}", "{third: {letter: b}}", "third"),
        ("second.fail", "second.nothing", "second.nothing"),
        ("second.fail", "third.fail", "third.fail"),
        ("sets: second.fail, ", "", "sets"),
        ("default: false", "default: 1", "params.fail.default"),
        ("type: bool", "type: enum", "choices"),
        ("type: bool", "type: colour", "colour"),
        ("toy:write_first", "toy:write_nothing", "write_nothing"),
        ("version: 1", "version: 1\ninputs: [smell]", "smell"),
        ("version: 1", "version: 1\nshares: {third: 1}", "third"),
        ("version: 1", "version: 1\nmodels: {a: {what: x, download: {url: 'ftp://a', sha256: b}}}", "models"),
        ("version: 1", "version: [1", "mine.yaml"),
    ],
)
def test_a_broken_one_is_named(folder: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    declare(folder, GOOD.replace(old, new))
    reason = broken_pipelines()["mine"]
    assert words in reason and "mine.yaml" in reason
    with pytest.raises(ConfigError, match="mine"):
        load_pipeline("mine")
    states = {state.key: state for state in pipeline_states()}
    assert set(states) == set(pipeline_names()) and states["mine"].reason == reason
    assert states["scenes"].available
    with pytest.raises(ConfigError):
        require_available(["mine"])


def test_it_is_told_at_the_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declare(folder, GOOD.replace("label: Mine", ""))
    call_command("check")
    told = capsys.readouterr().err
    assert "mine.yaml" in told and "label" in told


def test_another_folder_takes_the_place_of_a_built_in_one(folder: Path) -> None:
    (folder / "scenes.yaml").write_text(GOOD.replace("key: mine", "key: scenes"))
    assert load_pipeline("scenes").label == "Mine"

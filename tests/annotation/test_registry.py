"""Pipelines of other packages, and what stages do with a file that is held open."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pytest_django import Settings

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.config import resolve
from detect.errors import ConfigError
from detect.media.probe import probe
from detect.parameters import Parameter, check_parameter, parameter_value
from detect.registry import broken_pipelines, load_pipeline, pipeline_names, use_pipelines_of
from detect.resources import Resources
from detect.runner import Runner, RunRequest
from detect.stages.extract_frames import ExtractFrames
from detect.types import KnownBrands
from mediaproc.beneath import opened_file
from tests.media.clips import cut_file, write_clip
from tests.stages.memory_frames import MemoryFrames

DECLARED = """
key: birdsong
label: Birdsong
version: 2
inputs: [sound]
entry_point: birdsong_pipelines:annotate
models:
  birds: {what: telling birds by their calls, setting: BIRDSONG_MODEL}
params:
  confidence: {type: float, default: 0.6, min: 0, max: 1, description: how sure}
"""


@pytest.fixture
def package(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package as pip installs one, with a pipeline and an entry point that names it."""
    place = tmp_path / "site"
    inside = place / "birdsong_pipelines"
    inside.mkdir(parents=True)
    (inside / "__init__.py").write_text("def annotate(work):\n    return []\n")
    (inside / "birdsong.yaml").write_text(DECLARED)
    told = place / "birdsong-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: birdsong\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[mediaproc.pipelines]\nbirdsong = birdsong_pipelines\n")
    monkeypatch.syspath_prepend(str(place))
    use_pipelines_of(None)
    yield inside
    sys.modules.pop("birdsong_pipelines", None)
    monkeypatch.undo()
    use_pipelines_of(settings.PIPELINES_FOLDER)


class TestPackages:
    def test_one_brings_a_pipeline_by_being_installed(self, package: Path) -> None:
        assert "birdsong" in pipeline_names()
        pipeline = load_pipeline("birdsong")
        assert (pipeline.version, pipeline.inputs, [stage.name for stage in pipeline.stages]) == (
            2,
            ("sound",),
            ["annotate"],
        )
        assert resolve(pipeline, "defaults").snapshot() == {"annotate": {"confidence": 0.6}}
        assert broken_pipelines() == {}

    def test_a_broken_one_is_named_and_hides_nothing(self, package: Path) -> None:
        (package / "__init__.py").write_text("raise RuntimeError('not today')\n")
        use_pipelines_of(None)
        assert "RuntimeError: not today" in broken_pipelines()["birdsong"]
        assert load_pipeline("scenes").label == "Scenes"


class TestProfiles:
    STAGES = {"extract_frames": ExtractFrames()}

    def test_a_parameter_may_choose_the_profile(self) -> None:
        parameter = Parameter(type="enum", default="defaults", sets="profile")
        check_parameter("profile", parameter, self.STAGES)
        narrowed = msgspec.structs.replace(parameter, choices=("defaults", "night"))
        assert parameter_value("profile", narrowed, "night") == "night"
        with pytest.raises(ConfigError, match="one of 'defaults', 'night'"):
            parameter_value("profile", narrowed, "day")

    @pytest.mark.parametrize(
        "parameter",
        [
            Parameter(type="string", default="defaults", sets="profile"),
            Parameter(type="enum", default="a", choices=("a",), sets="profile"),
        ],
    )
    def test_it_is_an_enum_whose_choices_are_looked_up(self, parameter: Parameter) -> None:
        with pytest.raises(ConfigError, match="without choices"):
            check_parameter("profile", parameter, self.STAGES)

    @pytest.mark.parametrize("text", ["a\0b", "half \ud800 of a pair"])
    def test_text_that_cannot_be_kept_is_no_value(self, text: str) -> None:
        with pytest.raises(ConfigError, match="cannot be kept"):
            parameter_value("note", Parameter(type="string", default=""), text)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "cut off"])
def test_what_stages_store_does_not_tell_how_the_file_was_held(
    tmp_path: Path, settings: Settings, *, whole: bool
) -> None:
    clip = write_clip(tmp_path / "match.mkv", 100)
    if not whole:
        clip = cut_file(clip, tmp_path / "cut.mkv", 0.6)
    settings.ROOTS = [tmp_path]
    pipeline = load_pipeline("scenes")

    def outputs(path: Path) -> list[bytes]:
        source = msgspec.structs.replace(probe(clip).source_info(), path=str(path))
        request = RunRequest(uuid.uuid4(), uuid.uuid4(), source, resolve(pipeline, "defaults"), {}, KnownBrands())
        runner = Runner(pipeline, MemoryCheckpointStore(), MemoryFrames(), Resources())
        node = runner.run(request).checkpoint
        return [msgspec.json.encode(part) for stage in pipeline.stages for part in runner.load(node, stage.name)]

    with opened_file(clip.name) as opened:
        held = outputs(opened.file)
    assert held == outputs(clip)
    assert not any(b"/proc/" in part for part in held)

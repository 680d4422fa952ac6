"""Pipelines over HTTP: what may be set, what they need, and why one cannot run here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from detect.config import Profile, use_profiles_of
from detect.errors import ConfigError
from detect.registry import use_pipelines_of
from detect.resources import Resources
from jobs.annotation.catalog import require_available
from jobs.checks import pipelines_can_be_used, presets_can_be_used
from jobs.profiles import SavedProfiles
from tests.uploads.conftest import places, sender

__all__ = ["places", "sender"]

BUILTIN = {"brands", "faces", "people_tracks", "pitstop", "scenes", "speech"}
TOY = """
key: {key}
label: Toy
version: 3
stages: [detect.stages.extract_frames:ExtractFrames]
models:
  toy: {{what: playing, files: [toy.bin], setting: MEDIAPROC_TOY_MODEL{more}}}
params:
  profile: {{sets: profile, type: enum, default: defaults}}
  fps: {{sets: extract_frames.fps, type: float, default: 2, min: 1, max: 4, description: pictures a second}}
"""


@pytest.fixture
def own(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A folder of pipelines of one's own; nobody's models, set or fetched."""
    folder = tmp_path / "pipelines"
    folder.mkdir()
    settings.WEIGHTS_FOLDERS = (tmp_path / "model_weights",)
    settings.WEIGHTS_FOLDERS[0].mkdir()
    settings.CACHE_FOLDER = tmp_path / "cache"
    settings.MODELS_FILE = tmp_path / "models.yaml"
    settings.PITSTOP_YOLO_WEIGHTS_PATH = settings.OBJECT_WEIGHTS = None
    use_pipelines_of(folder)
    yield folder
    use_pipelines_of(settings.PIPELINES_FOLDER)


def write(folder: Path, key: str, text: str = TOY, more: str = "") -> Path:
    path = folder / f"{key}.yaml"
    path.write_text(text.format(key=key, more=more))
    use_pipelines_of(folder)
    return path


def listed(client: APIClient) -> dict[str, dict[str, Any]]:
    answer = client.get("/api/v0/pipelines")
    assert answer.status_code == 200, answer.content
    return {one["key"]: one for one in answer.json()}


class TestListing:
    def test_the_programs_own_with_every_parameter(self, sender: APIClient) -> None:
        found = listed(sender)
        assert found.keys() >= BUILTIN
        for key in BUILTIN:
            one = found[key]
            assert one.keys() >= {"key", "label", "version", "params", "inputs", "description", "available", "models"}
            assert one["label"] and one["description"] and one["version"] >= 1
            assert (one["unavailable_reason"] is None) == one["available"]
            for parameter in one["params"]:
                assert parameter["type"] in {"int", "float", "bool", "string", "enum"}
                assert parameter["description"], (key, parameter["name"])
                if parameter["type"] == "enum":
                    assert parameter["default"] in parameter["choices"]
                if parameter["type"] in ("int", "float"):
                    assert parameter["min"] <= parameter["default"] <= parameter["max"]
        assert found["speech"]["inputs"] == ["sound"]

    def test_profiles_are_choices_and_only_those_that_fit(self, sender: APIClient) -> None:
        found = listed(sender)
        choices = {
            key: next(one for one in found[key]["params"] if one["name"] == "profile")["choices"]
            for key in ("brands", "pitstop")
        }
        assert choices["brands"] == ["motorsport", "soccer_broadcast"]
        assert "pit_stop" in choices["pitstop"] and "motorsport" not in choices["pitstop"]

    def test_saved_profiles_are_choices_too(self, sender: APIClient) -> None:
        class Saved:
            def all(self) -> list[Profile]:
                return [Profile("ice_hockey", "", "", pipeline="brands"), Profile("box_7", "", "", pipeline="pitstop")]

            def find(self, name: str) -> Profile | None:
                return next((one for one in self.all() if one.name == name), None)

        use_profiles_of(Saved())
        try:
            (parameter, *_) = listed(sender)["brands"]["params"]
        finally:
            use_profiles_of(SavedProfiles())
        assert parameter["choices"] == ["ice_hockey", "motorsport", "soccer_broadcast"]


class TestModels:
    def test_a_missing_one_says_what_to_do(self, sender: APIClient, own: Path) -> None:
        write(own, "toy")
        one = listed(sender)["toy"]
        (model,) = one["models"]
        assert (one["available"], model["found"], model["sha256"]) == (False, False, None)
        assert one["unavailable_reason"] == model["reason"]
        assert "model_weights/" in model["reason"] and "MEDIAPROC_TOY_MODEL" in model["reason"]
        with pytest.raises(ConfigError, match=r"'toy' cannot run here.*toy\.bin"):
            require_available(["scenes", "toy"])

    def test_it_is_available_once_it_is_there(self, sender: APIClient, own: Path, settings: Settings) -> None:
        write(own, "toy")
        (settings.WEIGHTS_FOLDERS[0] / "toy.bin").write_bytes(b"weights")
        one = listed(sender)["toy"]
        assert (one["available"], one["models"][0]["sha256"]) == (True, hashlib.sha256(b"weights").hexdigest())
        assert one["models"][0].keys() == {"name", "what", "optional", "found", "sha256"}
        require_available(["toy"])

    def test_a_setting_that_leads_nowhere_is_the_reason(
        self, sender: APIClient, own: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(own, "toy")
        monkeypatch.setenv("MEDIAPROC_TOY_MODEL", "/nowhere/toy.bin")
        assert "correct MEDIAPROC_TOY_MODEL" in listed(sender)["toy"]["unavailable_reason"]

    def test_one_that_is_optional_stands_in_nobodys_way(self, sender: APIClient, own: Path) -> None:
        write(own, "toy", more=", optional: true")
        one = listed(sender)["toy"]
        assert (one["available"], one["models"][0]["found"], one["models"][0]["optional"]) == (True, False, True)

    def test_what_the_file_of_models_names_is_fetched_when_it_is_used(
        self, sender: APIClient, own: Path, settings: Settings
    ) -> None:
        write(own, "toy")
        settings.MODELS_FILE.write_text(
            json.dumps({"models": {"toy": {"url": "http://127.0.0.1:1/toy.onnx", "sha256": "a" * 64}}})
        )
        one = listed(sender)["toy"]
        assert (one["available"], one["models"][0]["sha256"]) == (True, "a" * 64)

    def test_pit_stops_need_weights_and_brands_do_not(self, sender: APIClient, own: Path, settings: Settings) -> None:
        found = listed(sender)
        assert "best.onnx" in found["pitstop"]["unavailable_reason"]
        assert found["brands"]["available"]
        assert [(one["name"], one["optional"], one["found"]) for one in found["brands"]["models"]] == [
            ("objects", True, False)
        ]
        (settings.WEIGHTS_FOLDERS[0] / "best.onnx").write_bytes(b"yolo")
        found = listed(sender)
        assert found["pitstop"]["available"]
        assert [one["sha256"] for one in found["pitstop"]["models"]] == [hashlib.sha256(b"yolo").hexdigest()]

    def test_other_pipelines_models_are_no_detectors_of_objects(
        self, sender: APIClient, own: Path, settings: Settings
    ) -> None:
        for name in ("face_detection_yunet_2026.onnx", "voices.pt"):
            (settings.WEIGHTS_FOLDERS[0] / name).write_bytes(b"no detector")
        resources = Resources(weights_folders=settings.WEIGHTS_FOLDERS)
        assert listed(sender)["brands"]["models"][0]["found"] is False
        assert resources.object_weights_path() is None
        detector = settings.WEIGHTS_FOLDERS[0] / "yolox_nano.onnx"
        detector.write_bytes(b"a detector")
        assert listed(sender)["brands"]["models"][0]["sha256"] == hashlib.sha256(b"a detector").hexdigest()
        assert resources.object_weights_path() == detector


class TestBroken:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("key: [", "toy.yaml"),
            ("key: toy\nlabel: T\nversion: 1\nstages: [no.such:Stage]\n", "no.such:Stage"),
            ("key: other\nlabel: T\nversion: 1\nstages: [a:B]\n", "must be that of the file"),
            (TOY + "  bad: {{sets: extract_frames.speed, type: int, default: 1}}\n", "params.bad"),
            (TOY.replace("default: defaults", "default: defaults, choices: [a]"), "without choices"),
            (TOY.replace("max: 4", "max: 400"), "params.fps"),
        ],
    )
    def test_it_is_listed_with_the_file_and_the_reason(
        self, sender: APIClient, own: Path, text: str, reason: str
    ) -> None:
        path = write(own, "toy", text if "{{" in text else text.replace("{", "{{").replace("}", "}}"))
        found = listed(sender)
        one = found["toy"]
        assert (one["available"], one["label"], one["params"]) == (False, "toy", [])
        assert str(path) in one["unavailable_reason"] and reason in one["unavailable_reason"]
        assert found["scenes"]["available"]
        (message,) = pipelines_can_be_used()
        assert reason in message.msg
        with pytest.raises(ConfigError, match="toy"):
            require_available(["toy"])

    def test_a_package_that_cannot_be_imported_hides_no_others(
        self, sender: APIClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        class Entry:
            name, value = "gone", "no_such_package.pipelines"

        monkeypatch.setattr("detect.registry.metadata.entry_points", lambda **_: [Entry])
        use_pipelines_of(None)
        try:
            found = listed(sender)
            assert found["scenes"]["available"]
            assert "no_such_package" in found["gone"]["unavailable_reason"]
        finally:
            monkeypatch.undo()
            use_pipelines_of(settings.PIPELINES_FOLDER)

    def test_an_unknown_one_names_those_there_are(self) -> None:
        with pytest.raises(ConfigError, match=r"there are .*scenes"):
            require_available(["sceens"])

    def test_models_that_are_declared_twice_differently(self, own: Path) -> None:
        write(own, "toy")
        write(own, "toy_too")
        assert pipelines_can_be_used() == []
        write(own, "toy_too", more=", optional: true")
        (message,) = pipelines_can_be_used()
        assert "'toy' and 'toy_too' declare the model 'toy' differently" in message.msg

    def test_what_comes_with_the_program_is_sound(self) -> None:
        assert pipelines_can_be_used() == presets_can_be_used() == []

"""Presets over HTTP, and what a batch comes to with them."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from detect.config import resolve
from detect.errors import ConfigError, ConflictError, NotFoundError
from detect.registry import load_pipeline
from jobs.annotation.presets import (
    Preset,
    batch_overrides,
    builtin_presets,
    check_preset,
    preset_create,
    preset_delete,
    preset_find,
    presets_all,
    resolve_batch,
)
from jobs.api_keys import ApiKey
from mediaproc.roles import Role
from tests.uploads.conftest import places, sender

__all__ = ["places", "sender"]

INTERVIEWS = {"name": "interviews", "pipelines": {"speech": {"language": "en"}, "faces": {}}, "description": "Who says"}


def send(client: APIClient, **changes: Any) -> Any:
    return client.post("/api/v0/presets", {**INTERVIEWS, **changes}, format="json")


class TestBuiltIn:
    def test_they_name_what_there_is(self) -> None:
        assert builtin_presets().keys() >= {"everything", "people_and_faces", "speech_only", "broadcast"}
        for preset in builtin_presets().values():
            check_preset(preset)
            assert preset.version >= 1 and preset.description and not preset.saved

    @pytest.mark.parametrize(
        ("pipelines", "reason"),
        [
            ({"sceens": {}}, "unknown pipeline 'sceens'"),
            ({"scenes": {"fade": True}}, "unknown parameter 'scenes.fade'"),
            ({"scenes": {"fades": 1}}, "scenes.fades = 1: must be bool"),
        ],
    )
    def test_one_that_does_not_is_found_out(self, pipelines: dict[str, Any], reason: str) -> None:
        with pytest.raises(ConfigError, match=reason):
            check_preset(Preset("x", pipelines))


class TestSaving:
    def test_saved_listed_and_deleted(self, sender: APIClient) -> None:
        answer = send(sender)
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert body == {**INTERVIEWS, "version": 1, "saved": True, "created_by": "key:sender"}
        found = {one["name"]: one for one in sender.get("/api/v0/presets").json()}
        assert found["interviews"] == body == sender.get("/api/v0/presets/interviews").json()
        assert found["everything"]["saved"] is False
        assert list(found) == sorted(found)
        assert sender.delete("/api/v0/presets/interviews").status_code == 204
        assert sender.get("/api/v0/presets/interviews").status_code == 404
        assert sender.delete("/api/v0/presets/interviews").status_code == 404

    @pytest.mark.parametrize("name", ["interviews", "everything"])
    def test_a_name_is_taken_once(self, sender: APIClient, name: str) -> None:
        assert send(sender).status_code == 201
        answer = send(sender, name=name)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_those_of_the_program_stay(self, sender: APIClient) -> None:
        answer = sender.delete("/api/v0/presets/everything")
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"name": ""}, "name"),
            ({"name": "a b"}, "name"),
            ({"name": 7}, "name"),
            ({"name": "../x"}, "name"),
            ({"name": "n" * 101}, "name"),
            ({"pipelines": {}}, "pipelines"),
            ({"pipelines": []}, "pipelines"),
            ({"pipelines": {"scenes": 1}}, "dictionary"),
            ({"pipelines": {"sceens": {}}}, "scenes"),
            ({"pipelines": {"scenes": {"fade": 1}}}, "fades"),
            ({"pipelines": {"scenes": {"detector": "best"}}}, "adaptive"),
            ({"pipelines": {"scenes": {"fade_below": 255}}}, "at most 254"),
            ({"pipelines": {"scenes": {"fade_below": 8.5}}}, "int"),
            ({"pipelines": {"scenes": {"fade_below": True}}}, "int"),
            ({"pipelines": {"scenes": {"fade_below": "8"}}}, "int"),
            ({"pipelines": {"scenes": {"fade_below": None}}}, "int"),
            ({"pipelines": {"scenes": {"a\0b": 1}}}, "unknown parameter"),
            ({"pipelines": {"brands": {"profile": "pit_stop"}}}, "motorsport"),
            ({"description": "a\0b"}, "description"),
        ],
    )
    def test_bodies_that_cannot_be_used(self, sender: APIClient, changes: dict[str, Any], word: str) -> None:
        answer = send(sender, **changes)
        assert answer.status_code == 400, answer.content
        assert word in answer.json()["detail"]

    def test_viewers_look_and_change_nothing(self, db: None) -> None:
        viewer = APIClient()
        viewer.credentials(HTTP_X_API_KEY=ApiKey.objects.create_key(name="v", role=Role.VIEWER)[1])
        assert viewer.get("/api/v0/presets").status_code == 200
        assert send(viewer).status_code == 403
        assert viewer.delete("/api/v0/presets/everything").status_code == 403

    def test_services(self, db: None) -> None:
        made = preset_create(name="one", pipelines={"scenes": {"fade_below": 9}})
        assert preset_find("one") == made and made in presets_all()
        with pytest.raises(ConflictError):
            preset_create(name="one", pipelines={"scenes": {}})
        preset_delete("one")
        with pytest.raises(NotFoundError, match="there are broadcast, everything"):
            preset_find("one")


class TestResolving:
    def test_every_parameter_gets_a_value(self, db: None) -> None:
        chosen = resolve_batch("speech_only", {})
        assert list(chosen) == ["speech"]
        pipeline = load_pipeline("speech")
        assert chosen["speech"] == {name: parameter.default for name, parameter in pipeline.params.items()}

    def test_overrides_count_before_the_preset_and_it_before_defaults(self, db: None) -> None:
        preset_create(name="one", pipelines={"scenes": {"fade_below": 9, "min_content": 30}})
        chosen = resolve_batch("one", {"scenes": {"fade_below": 10}, "faces": {}})
        assert list(chosen) == ["scenes", "faces"]
        assert (chosen["scenes"]["fade_below"], chosen["scenes"]["min_content"]) == (10, 30.0)
        assert chosen["scenes"]["content_threshold"] == 27.0

    def test_without_a_preset_the_pipelines_are_those_of_the_overrides(self, db: None) -> None:
        assert list(resolve_batch("", {"scenes": {}})) == ["scenes"]

    def test_the_profile_says_what_is_not_set(self, db: None) -> None:
        def values(**given: Any) -> dict[str, Any]:
            return resolve_batch("", {"brands": given})["brands"]

        assert (values()["profile"], values()["fps"]) == ("soccer_broadcast", 2.0)
        assert values(profile="motorsport")["fps"] == 3.0
        assert values(profile="motorsport", fps=2)["fps"] == 2.0
        pipeline = load_pipeline("brands")
        profile, overrides = batch_overrides(pipeline, values(profile="motorsport"))
        config = resolve(pipeline, profile, overrides)
        assert (config.profile, config.options["extract_frames"].fps) == ("motorsport", 3.0)
        assert config.options["detect_edges"].max_angle_degrees == 35

    @pytest.mark.parametrize("key", ["brands", "faces", "people_tracks", "pitstop", "scenes", "speech"])
    def test_defaults_are_those_of_the_stages(self, db: None, key: str) -> None:
        pipeline = load_pipeline(key)
        profile, overrides = batch_overrides(pipeline, resolve_batch("", {key: {}})[key])
        assert profile == pipeline.profile
        assert resolve(pipeline, profile, overrides) == resolve(pipeline, pipeline.profile)

    @pytest.mark.parametrize(
        ("preset", "overrides", "word"),
        [
            ("", {}, "the presets are broadcast, everything"),
            ("none", {}, "there are broadcast, everything"),
            ("no\0ne", {}, "there are broadcast"),
            ("", {"sceens": {}}, "there are brands"),
            ("", {"scenes": {"fade": 1}}, "there are detector"),
            ("speech_only", {"speech": {"beam_size": 21}}, "at most 20"),
        ],
    )
    def test_what_is_wrong_and_what_is_allowed(
        self, db: None, preset: str, overrides: dict[str, Any], word: str
    ) -> None:
        with pytest.raises(ConfigError, match=word):
            resolve_batch(preset, overrides)

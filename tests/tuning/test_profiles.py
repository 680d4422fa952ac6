"""Profiles that people save from what they tried."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Thread

import msgspec
import pytest
import yaml
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction

from detect.config import _ProfileFile, find_profile, profile_names, resolve
from detect.errors import ConfigError, ConflictError, NotFoundError
from detect.models import Profile
from detect.options import Overrides
from detect.registry import load_pipeline
from jobs.models import DetectJob
from jobs.profiles import changed_options, free_label, profile_delete, profile_save, profile_uses, profile_yaml
from jobs.runs import job_request
from jobs.services import job_submit
from tests.trees.made import a_job, an_asset

pytestmark = pytest.mark.django_db
BRANDS = load_pipeline("brands")
EDGES = {"detect_edges": {"max_angle_degrees": 12.0}}


def saved(label: str = "Night match", **changes) -> Profile:
    values = {"job": a_job(), "overrides": EDGES, "label": label, "by": "user:ana"}
    return profile_save(**{**values, **changes})


class TestSaving:
    def test_what_differs_from_the_defaults_is_kept(self):
        job = a_job(profile_name="motorsport", config_overrides={"run_ocr": {"min_letters": 4}})
        made = saved(job=job, overrides={"run_ocr": {"min_confidence": 0.7}}, description=" For floodlight. ")
        assert (made.name, made.label, made.description) == ("night_match", "Night match", "For floodlight.")
        assert (made.pipeline, made.created_by) == ("brands", "user:ana")
        assert made.options == {
            "extract_frames": {"fps": 3.0},  # the profile's, which may be gone some day
            "detect_edges": {"max_angle_degrees": 35.0},
            "run_ocr": {"min_letters": 4, "min_confidence": 0.7},
        }

    def test_it_resolves_to_what_the_job_would_have_been(self):
        job = a_job(profile_name="motorsport", config_overrides={"run_ocr": {"min_letters": 4}})
        made = saved(job=job, overrides={"extract_frames": {"fps": 2.0}})  # back to the default
        again = resolve(BRANDS, made.name)
        assert (
            again.options
            == resolve(BRANDS, "motorsport", {"run_ocr": {"min_letters": 4}, "extract_frames": {"fps": 2}}).options
        )
        assert "fps" not in made.options.get("extract_frames", {})

    def test_every_option_comes_back_as_it_was(self):
        other: Overrides = {
            stage.name: {
                name: not value
                for name, value in msgspec.to_builtins(stage.Options()).items()
                if isinstance(value, bool)
            }
            for stage in BRANDS.stages
        }
        other["detect_objects"]["classes"] = ["person", "car"]
        made = saved(overrides=other)
        assert resolve(BRANDS, made.name).options == resolve(BRANDS, overrides=other).options
        assert list(find_profile(made.name).options) == [stage.name for stage in BRANDS.stages if other[stage.name]]

    @pytest.mark.parametrize(
        ("overrides", "told"),
        [
            ({"detect_edges": {"max_angle_degrees": 99}}, r"detect_edges\.max_angle_degrees = 99"),
            ({"detect_edges": {"angle": 1}}, r"unknown option 'detect_edges\.angle'"),
            ({"detect": {}}, "unknown stage 'detect'"),
            ({}, "nothing differs from the profile 'soccer_broadcast'"),
            ({"run_ocr": {"min_letters": 2}}, "nothing differs"),
        ],
    )
    def test_values_that_cannot_be_used_and_none_at_all(self, overrides, told):
        with pytest.raises(ConfigError, match=told):
            saved(overrides=overrides)
        assert not Profile.objects.exists()

    @pytest.mark.parametrize(
        ("label", "name"),
        [
            ("Night  match, LED-boards", "night_match_led_boards"),
            ("ナイトゲーム", "ナイトゲーム"),
            ("مباراة ليلية", "مباراة_ليلية"),
            ("⚽ Cup", "cup"),
            ("<script>alert(1)</script>", "scriptalert1script"),
        ],
    )
    def test_names_are_made_from_what_people_call_it(self, label, name):
        assert saved(label).name == name
        assert find_profile(name).label == " ".join(label.split())

    @pytest.mark.parametrize("label", ["", "  ", "⚽", "!!", "x" * 101, "ﷺ" * 30])
    def test_a_label_that_makes_no_name(self, label):
        with pytest.raises(ConfigError, match="name"):
            saved(label)

    def test_a_description_that_is_too_long(self):
        with pytest.raises(ConfigError, match="1001 letters"):
            saved(description="x" * 1001)


class TestNamesAreTaken:
    def test_by_a_saved_one_a_built_in_one_and_by_jobs(self):
        saved("Night match")
        a_job(profile_name="gone_profile")
        for label, free in [("night  MATCH", "night MATCH 2"), ("Motorsport", "Motorsport 2"), ("Gone profile", "2'")]:
            with pytest.raises(ConflictError, match=f"do not change: save this one as '.*{free}"):
                saved(label)

    def test_the_first_free_one_is_proposed_and_is_free(self):
        saved("Night")
        saved("Night 2")
        assert free_label("Night") == "Night 3"
        assert saved(free_label("Night")).name == "night_3"

    def test_a_long_one_is_cut_short(self):
        longest = saved("x" * 100)
        proposed = free_label(longest.label)
        assert proposed == "x" * 98 + " 2"
        assert saved(proposed).name == "x" * 98 + "_2"

    @pytest.mark.django_db(transaction=True)
    def test_of_two_at_once_one_is_told(self):
        answers: list[str] = []
        jobs = [a_job(), a_job()]

        def save(job: DetectJob) -> None:
            try:
                answers.append(saved(job=job).name)
            except ConflictError:
                answers.append("taken")
            finally:
                connection.close()

        threads = [Thread(target=save, args=[job]) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == ["night_match", "taken"]


class TestItStaysAsItIs:
    @pytest.mark.parametrize("change", [{"options": {}}, {"name": "other"}, {"pipeline": "other"}])
    def test_in_the_database(self, change):
        made = saved()
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            Profile.objects.filter(pk=made.pk).update(**change)

    def test_but_for_what_people_read(self):
        made = saved()
        Profile.objects.filter(pk=made.pk).update(label="Evening match", description="Floodlight")
        assert find_profile("night_match").label == "Evening match"

    def test_one_that_jobs_use_is_not_deleted(self):
        made = saved()
        job = a_job(profile_name=made.name)
        with pytest.raises(ConflictError, match="1 job uses the profile 'night_match'"):
            profile_delete(name=made.name)
        assert profile_uses()[made.name] == 1
        job.delete()
        profile_delete(name=made.name)
        assert made.name not in profile_names()

    @pytest.mark.parametrize("name", ["motorsport", "curling"])
    def test_what_nobody_saved_is_not_deleted(self, name):
        with pytest.raises(NotFoundError, match="no saved profile"):
            profile_delete(name=name)


class TestEverybodyKnowsIt:
    def test_a_job_is_made_with_it_and_a_worker_resolves_it(self):
        made, asset = saved(), an_asset()
        job = job_submit(asset=asset, video_path=asset.path, profile=made.name, overrides={}, brands=None).job
        request = job_request(DetectJob.objects.get(id=job.id), None)
        assert request.config.profile == "night_match"
        assert request.config.options["detect_edges"].max_angle_degrees == 12.0

    def test_the_command_that_lists_stages(self, capsys):
        saved()
        call_command("stages", profile="night_match", stdout=io.StringIO())
        assert "12.0" in capsys.readouterr().out

    def test_the_interface_that_lists_what_may_be_set(self, client, admin_user):
        saved()
        client.force_login(admin_user)
        body = client.get("/detect/stages?profile=night_match").json()
        assert "night_match" in [one["name"] for one in body["profiles"]]
        edges = next(stage for stage in body["stages"] if stage["name"] == "detect_edges")
        assert next(one for one in edges["options"] if one["name"] == "max_angle_degrees")["value"] == 12.0

    def test_all_of_them_take_one_query(self, django_assert_num_queries):
        for number in range(5):
            saved(f"Night {number}")
        with django_assert_num_queries(1):
            assert len(profile_names("brands")) == 7


class TestAsAFile:
    def test_it_is_one_of_the_program_s_own_form(self, tmp_path: Path):
        saved("Nuit: « été »", overrides={**EDGES, "run_ocr": {"min_letters": 3}}, description="L'été\n- yes: [1]")
        profile = find_profile("nuit_été")
        path = tmp_path / "nuit.yaml"
        path.write_text(profile_yaml(profile), encoding="utf-8")
        read = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), _ProfileFile)
        assert (read.label, read.description, read.options) == (profile.label, profile.description, profile.options)
        assert resolve(BRANDS, overrides=read.options).options == resolve(BRANDS, profile).options

    def test_options_are_in_the_order_of_the_pipeline(self):
        saved(overrides={"run_ocr": {"min_letters": 3, "detect_side": 640}, **EDGES})
        assert profile_yaml(find_profile("night_match")).partition("options:")[2] == (
            "\n  detect_edges:\n    max_angle_degrees: 12.0\n  run_ocr:\n    detect_side: 640\n    min_letters: 3\n"
        )

    def test_a_built_in_one(self):
        assert yaml.safe_load(profile_yaml(find_profile("motorsport")))["options"]["extract_frames"] == {"fps": 3.0}


def test_changed_options_are_none_for_a_profile_that_sets_none():
    assert changed_options(BRANDS, "soccer_broadcast", {}) == {}

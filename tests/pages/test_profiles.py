"""The pages of profiles: saving what was tried, the list, the file, taking one away."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from detect.config import find_profile, profile_names
from detect.models import Profile, SourceAsset
from jobs.models import DetectJob
from mediaproc.roles import Role
from tests.pages.test_tune import fields
from tests.pages.text import body, inline_parts, words
from tests.trees.made import a_job, matched_job

pytestmark = pytest.mark.usefixtures("storage")
ANGLE = "option.detect_edges.max_angle_degrees"
ROUTES = (("/jobs/{job}/profile", "post"), ("/profiles/night/delete", "post"))


@pytest.fixture
def job(db, storage) -> DetectJob:
    return matched_job(frames=True)


@pytest.fixture
def save(operator, job):
    def post(*, label: str = "Night match", part: bool = True, **changes: Any):
        sent = fields(job, **{ANGLE: "12", **changes.pop("options", {})})
        headers = {"X-Part": "profile"} if part else {}
        return operator.post(f"/jobs/{job.id}/profile", {**sent, "profile_label": label, **changes}, headers=headers)

    return post


class TestSaving:
    def test_what_differs_and_who_saved_it(self, save):
        response = save(profile_description="Floodlight", options={"option.run_ocr.min_letters": "3"})
        assert response.status_code == 200
        assert "Saved as Night match" in words(response)
        made = Profile.objects.get()
        assert made.options == {"detect_edges": {"max_angle_degrees": 12.0}, "run_ocr": {"min_letters": 3}}
        assert (made.description, made.created_by) == ("Floodlight", "user:operator")
        assert f"/submit?profile={made.name}" in body(response)
        assert f"/profiles/{made.name}.yaml" in body(response)

    def test_a_browser_without_scripts_is_led_to_the_list(self, save):
        assert save(part=False)["Location"] == "/profiles#night_match"

    def test_a_taken_name_proposes_a_free_one(self, save):
        save()
        response = save()
        assert response.status_code == 409
        assert "There is a profile 'night_match' already" in words(response)
        assert 'data-use-label="Night match 2"' in body(response)
        assert save(label="Night match 2").status_code == 200

    def test_without_scripts_nothing_that_was_typed_is_lost(self, save):
        save()
        response = save(part=False, profile_description="For <b>rain</b>")
        assert response.status_code == 409
        assert f'name="{ANGLE}" value="12"' in body(response)
        assert "For &lt;b&gt;rain&lt;/b&gt;" in response.content.decode()
        assert inline_parts(response) == []

    @pytest.mark.parametrize(
        ("label", "options", "told"),
        [
            ("", {}, "A profile needs a name with letters or digits."),
            ("!!", {}, "A profile needs a name"),
            ("x" * 101, {}, "at most 100 letters"),
            ("Night", {ANGLE: "30"}, "Nothing differs from the profile 'soccer_broadcast'"),
            ("Night", {ANGLE: "99"}, "some options have values that cannot be used"),
        ],
    )
    def test_what_cannot_be_saved_is_a_sentence(self, save, label, options, told):
        response = save(label=label, options=options)
        assert response.status_code == 400
        assert told.lower() in words(response).lower()
        assert not Profile.objects.exists()

    def test_a_job_asked_for_with_it(self, save, operator, job):
        save()
        page = operator.get("/submit?profile=night_match")
        assert 'value="night_match" checked' in body(page)
        assert f'name="{ANGLE}" value="12"' in body(page)
        asset = SourceAsset.objects.get()
        sent = {"source": "asset", "asset": asset.id, "profile": "night_match", "brands_from": "known", "tags": ""}
        assert operator.post("/submit", sent).status_code == 302
        made = DetectJob.objects.get(profile_name="night_match")
        assert made.config_overrides == {}


class TestList:
    def test_saved_and_built_in_ones(self, save, client):
        save(label="ملعب <script>alert(1)</script>", profile_description="ليل 🌙")
        response = client.get("/profiles")
        assert response.status_code == 200
        assert "<script>alert(1)" not in response.content.decode()
        text = words(response)
        assert text.index("saved") < text.index("Motorsport")
        assert "Detect edges: max angle degrees 12" in text
        assert "by operator" in text
        assert inline_parts(response) == []

    def test_who_may_take_one_away(self, save, client, operator, job):
        save()
        assert "/profiles/night_match/delete" not in body(client.get("/profiles"))
        assert "/profiles/night_match/delete" in body(operator.get("/profiles"))
        a_job(profile_name="night_match")
        page = operator.get("/profiles")
        assert "/profiles/night_match/delete" not in body(page)
        assert "?profile=night_match" in body(page)

    @pytest.mark.parametrize(("path", "method"), ROUTES)
    def test_only_operators_change_any(self, client_of, job, path, method):
        response = getattr(client_of(Role.CURATOR), method)(path.format(job=job.id))
        assert response.status_code == 403


class TestFile:
    def test_what_it_sets(self, save, client):
        save(profile_description="Floodlight")
        response = client.get("/profiles/night_match.yaml")
        assert response["Content-Type"] == "application/yaml; charset=utf-8"
        assert response["Content-Disposition"] == 'attachment; filename="night_match.yaml"'
        assert yaml.safe_load(response.content) == {
            "label": "Night match",
            "description": "Floodlight",
            "options": {"detect_edges": {"max_angle_degrees": 12.0}},
        }

    def test_a_name_in_other_letters(self, save, client):
        save(label="ナイト")
        response = client.get("/profiles/ナイト.yaml")
        assert response.status_code == 200
        assert "filename*=utf-8''%E3%83%8A%E3%82%A4%E3%83%88.yaml" in response["Content-Disposition"]

    @pytest.mark.parametrize("name", ["curling", "..%2Fmotorsport", "%00"])
    def test_none(self, client, db, name):
        assert client.get(f"/profiles/{name}.yaml").status_code == 404


class TestTakingAway:
    @pytest.mark.parametrize("name", ["curling", "motorsport", "%00"])
    def test_what_nobody_saved(self, operator, name):
        response = operator.post(f"/profiles/{name}/delete", follow=True)
        assert "There is no saved profile" in words(response)

    def test_one_that_nobody_uses(self, save, operator):
        save()
        operator.post("/profiles/night_match/delete")
        assert "night_match" not in profile_names()

    def test_one_that_jobs_use_stays(self, save, operator):
        save()
        a_job(profile_name="night_match")
        response = operator.post("/profiles/night_match/delete", follow=True)
        assert "1 job uses the profile 'night_match'" in words(response)
        assert find_profile("night_match").saved

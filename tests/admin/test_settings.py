"""Providers and profiles in the admin: read from files, or saved by people; a key is never shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from detect.models import Profile
from tests.admin.conftest import a_profile, an_answer
from tests.admin.test_jobs import text
from tests.trees.made import a_job

PROVIDERS = "/admin/detect/modelanswer/providers/"
PROFILES = "/admin/detect/profile/"
CLOUD = (
    "providers: {cloud: {kind: cloud, base_url: 'https://api.example/v1', model: big-vl, api_key_env: SOME_KEY,"
    " usd_per_million_input_tokens: '2.50', usd_per_million_output_tokens: '10', concurrency: 4}}"
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


class TestProviders:
    def test_without_a_file_it_says_where_one_belongs(self, curator: Client, settings: Any) -> None:
        page = text(curator, PROVIDERS)
        assert "There is no providers file yet." in page
        assert str(settings.PROVIDERS_FILE) in page
        assert "base_url: http://localhost:11434/v1" in page

    def test_a_file_that_cannot_be_used_is_said_without_quoting_it(
        self, curator: Client, use_providers: Callable[[str], None]
    ) -> None:
        use_providers("providers: {cloud: {base_url: 'https://x/v1', model: m, api_key: sk-verysecret}}")
        page = curator.get(PROVIDERS).content.decode()
        assert "unknown field &#x27;api_key&#x27;" in page
        assert "sk-verysecret" not in page

    def test_an_empty_file(self, curator: Client, use_providers: Callable[[str], None]) -> None:
        use_providers("")
        assert "The providers file names no provider." in text(curator, PROVIDERS)

    @pytest.mark.parametrize(
        ("key", "told"),
        [("sk-verysecret", "SOME_KEY: set"), ("", "SOME_KEY: not usable"), ("not a key", "SOME_KEY: not usable")],
    )
    def test_prices_limits_and_whether_the_key_is_there(
        self,
        curator: Client,
        use_providers: Callable[[str], None],
        monkeypatch: pytest.MonkeyPatch,
        key: str,
        told: str,
    ) -> None:
        monkeypatch.setenv("SOME_KEY", key)
        use_providers(CLOUD)
        page = text(curator, PROVIDERS)
        assert told in page
        assert not key or key not in page
        assert "https://api.example/v1" in page
        assert "USD 2.50 in, USD 10.00 out, for a million tokens" in page
        assert "4 questions" in page
        assert ("Provider &#x27;cloud&#x27; has no key" in page) == (not key)

    def test_how_often_they_were_asked_and_for_how_much(
        self, curator: Client, use_providers: Callable[[str], None]
    ) -> None:
        use_providers(CLOUD)
        for number in range(3):
            an_answer(number)
        an_answer(9, provider="old_box", usd=0)
        page = text(curator, PROVIDERS)
        assert "Answers 3 Spent USD 1.50" in page
        assert "Asked earlier, and not in the file now" in page and "old_box 1 USD 0.00" in page

    def test_those_never_asked(self, curator: Client, use_providers: Callable[[str], None]) -> None:
        use_providers("providers: {local: {base_url: 'http://x/v1', model: m}}")
        page = text(curator, PROVIDERS)
        assert "Answers 0 Spent USD 0.00 Last answer never" in page
        assert "Key none needed" in page and "Price free" in page


class TestProfiles:
    def place(self, profile: Profile, what: str = "change") -> str:
        return f"{PROFILES}{profile.pk}/{what}/"

    def test_the_built_in_ones_are_beside_the_saved(self, curator: Client) -> None:
        a_profile()
        a_job(profile_name="motorsport")
        page = text(curator, PROFILES)
        assert "Night_Games night_games" in page
        assert "Motorsport" in page and "Soccer broadcast" in page and "1 job" in page

    def test_what_it_is_called_may_be_changed_and_what_it_stands_for_not(self, operator: Client) -> None:
        profile = a_profile()
        sent = {"label": "Night games", "description": "Floodlight", "name": "other", "options": "{}"}
        assert operator.post(self.place(profile), sent).status_code == 302
        profile.refresh_from_db()
        assert (profile.label, profile.description, profile.name) == ("Night games", "Floodlight", "night_games")
        assert profile.options == {"run_ocr": {"detect_side": 960}}
        assert "Read text detect side 960" in text(operator, self.place(profile))

    def test_curators_only_look(self, curator: Client) -> None:
        profile = a_profile()
        assert curator.post(self.place(profile), {"label": "x"}).status_code == 403
        assert curator.post(self.place(profile, "delete"), {"post": "yes"}).status_code == 403

    def test_one_that_jobs_go_by_is_not_deleted(self, operator: Client) -> None:
        profile = a_profile()
        job = a_job(profile_name="night_games")
        page = text(operator, self.place(profile, "delete"))
        assert "Night_Games: 1 job" in page
        operator.post(self.place(profile, "delete"), {"post": "yes"})
        assert Profile.objects.exists()
        job.delete()
        operator.post(self.place(profile, "delete"), {"post": "yes"})
        assert not Profile.objects.exists()

    def test_a_job_made_with_it_meanwhile_keeps_it(self, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """After the confirmation has found none."""
        profile = a_profile()
        a_job(profile_name="night_games")
        monkeypatch.setattr("jobs.admin.profiles.profile_uses", dict)
        page = operator.post(self.place(profile, "delete"), {"post": "yes"}, follow=True).content.decode()
        assert "it is deleted once they are" in page
        assert "was deleted successfully" not in page
        assert Profile.objects.exists()

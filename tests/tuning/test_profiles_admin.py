"""Saved profiles in the admin."""

from __future__ import annotations

import pytest

from detect.models import Profile
from mediaproc.roles import Role, give_role
from tests.trees.made import a_job

pytestmark = pytest.mark.django_db
PAGE = "/admin/detect/profile/"


@pytest.fixture
def profile(db) -> Profile:
    return Profile.objects.create(
        name="night_match", label="Night match", pipeline="brands", options={"run_ocr": {"min_letters": 3}}
    )


def test_what_it_is_called_changes_and_what_it_stands_for_stays(admin_client, profile: Profile):
    sent = {"label": "Evening", "description": "Floodlight", "name": "other", "options": "{}", "pipeline": "other"}
    assert admin_client.post(f"{PAGE}{profile.pk}/change/", sent).status_code == 302
    profile.refresh_from_db()
    assert (profile.label, profile.description) == ("Evening", "Floodlight")
    assert (profile.name, profile.pipeline, profile.options) == (
        "night_match",
        "brands",
        {"run_ocr": {"min_letters": 3}},
    )


def test_none_is_made_there(admin_client):
    assert admin_client.get(f"{PAGE}add/").status_code == 403


def test_it_is_deleted_unless_jobs_use_it(admin_client, profile: Profile):
    job = a_job(profile_name=profile.name)
    admin_client.post(f"{PAGE}{profile.pk}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [profile.pk], "post": "yes"}
    admin_client.post(PAGE, chosen)
    assert Profile.objects.filter(pk=profile.pk).exists()
    job.delete()
    admin_client.post(f"{PAGE}{profile.pk}/delete/", {"post": "yes"})
    assert not Profile.objects.filter(pk=profile.pk).exists()


def test_curators_look_and_change_nothing(client, django_user_model, profile: Profile):
    user = django_user_model.objects.create_user("curator", password="long enough")
    give_role(user, Role.CURATOR)
    client.force_login(user)
    assert client.get(PAGE).status_code == 200
    assert client.post(f"{PAGE}{profile.pk}/change/", {"label": "Mine"}).status_code == 403

"""Users, groups and keys in the admin: a role in one field, keys shown once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from jobs.api_keys import ApiKey
from mediaproc.roles import Role, give_role, role_of
from tests.admin.test_jobs import text
from tests.trees.made import a_job

pytestmark = pytest.mark.django_db

KEYS = "/admin/jobs/apikey/"


def person(name: str = "ana", role: Role = Role.REVIEWER) -> User:
    user = User.objects.create_user(name)
    give_role(user, role)
    return user


class TestUsers:
    def place(self, user: User) -> str:
        return f"/admin/auth/user/{user.pk}/change/"

    def test_a_role_is_chosen_in_one_field_and_other_groups_stay_beside_it(self, administrator: Client) -> None:
        user, extra = person(), Group.objects.create(name="newsletter")
        page = administrator.get(self.place(user)).content.decode()
        assert "newsletter</option>" in page and ">reviewer</option>" not in page
        sent = {"username": "ana", "role": "operator", "is_active": "on", "groups": [extra.pk]}
        assert administrator.post(self.place(user), sent).status_code == 302
        user = User.objects.get(pk=user.pk)
        assert set(user.groups.values_list("name", flat=True)) == {"newsletter", "operator"}
        assert (role_of(user), user.is_staff) == (Role.OPERATOR, True)

    @pytest.mark.parametrize("change", [{"role": "viewer"}, {"is_active": ""}])
    def test_nobody_locks_themselves_out(self, administrator: Client, change: dict[str, str]) -> None:
        own = User.objects.get(username="administrator")
        sent = {"username": own.username, "role": "administrator", "is_active": "on", **change}
        answer = administrator.post(self.place(own), {name: value for name, value in sent.items() if value})
        assert answer.status_code == 200 and b"This is your own account" in answer.content
        own = User.objects.get(pk=own.pk)
        assert (role_of(own), own.is_active) == (Role.ADMINISTRATOR, True)
        sent |= {"role": "administrator", "is_active": "on", "first_name": "Ada"}
        assert administrator.post(self.place(own), sent).status_code == 302

    def test_list_shows_role_and_name(self, administrator: Client) -> None:
        User.objects.filter(pk=person().pk).update(first_name="Ana", last_name="Ruiz")
        assert "ana reviewer Ana Ruiz" in text(administrator, "/admin/auth/user/")


def test_groups_of_roles_are_the_programs(administrator: Client) -> None:
    person()
    role, other = Group.objects.get(name="reviewer"), Group.objects.create(name="newsletter")
    page = text(administrator, "/admin/auth/group/")
    assert "reviewer role 1" in page and "newsletter permissions 0" in page
    place = "/admin/auth/group/{}/change/"
    assert administrator.post(place.format(role.pk), {"name": "x"}).status_code == 403
    assert administrator.post(f"/admin/auth/group/{role.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"}
    administrator.post("/admin/auth/group/", chosen)
    assert Group.objects.filter(name="reviewer").exists()
    assert administrator.post(place.format(other.pk), {"name": "letters"}).status_code == 302


class TestKeys:
    def test_one_is_made_with_its_role_and_end_and_shown_once(self, administrator: Client) -> None:
        form = {"name": "reports", "role": "curator", "expiry_date_0": "2030-01-02", "expiry_date_1": "03:04"}
        made = administrator.post(f"{KEYS}add/", form, follow=True)
        key = ApiKey.objects.get()
        assert (key.role, key.user, str(key.expiry_date)) == ("curator", None, "2030-01-02 03:04:00+00:00")
        secret = re.compile(rf"{key.prefix}\.\w{{32}}\b")
        [shown] = secret.findall(made.content.decode())
        assert ApiKey.objects.find_usable(shown) == key
        for address in (KEYS, f"{KEYS}{quote(key.pk)}/change/"):
            again = administrator.get(address)
            assert again.status_code == 200 and not secret.search(again.content.decode())

    def test_list_tells_the_state_and_the_last_job(self, administrator: Client) -> None:
        ApiKey.objects.create_key(name="reports", role=Role.OPERATOR, user=person())
        ApiKey.objects.create_key(name="late", expiry_date=timezone.now() - timedelta(days=1))
        ApiKey.objects.create_key(name="old", revoked=True)
        a_job(requested_by="key:reports")
        a_job(requested_by="user:late")
        page = text(administrator, KEYS)
        prefixes = dict(ApiKey.objects.values_list("name", "prefix"))
        today = f"{timezone.now():%d %b}"
        assert f"reports usable operator ana {prefixes['reports']} {today}" in page
        assert f"late expired viewer - {prefixes['late']} none" in page
        assert f"old revoked viewer - {prefixes['old']} none" in page

    def test_one_is_revoked_for_good(self, administrator: Client) -> None:
        key, secret = ApiKey.objects.create_key(name="reports")
        page = f"{KEYS}{key.pk}/change/"
        administrator.post(page, {"name": "reports", "role": "viewer", "revoked": "on"})
        assert ApiKey.objects.find_usable(secret) is None
        administrator.post(page, {"name": "reports", "role": "viewer"})
        assert ApiKey.objects.get().revoked

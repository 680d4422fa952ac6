"""Roles of people: groups of that name, given in the admin; what they open there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from jobs.api_keys import ApiKey
from mediaproc.roles import Role, give_role, role_names, role_of

pytestmark = pytest.mark.django_db

PASSWORDS = {"usable_password": "true", "password1": "a long enough phrase", "password2": "a long enough phrase"}


def test_the_highest_group_counts_and_others_do_not() -> None:
    user = User.objects.create_user("ana")
    for name in ("reviewer", "operator", "newsletter", "Administrator"):
        user.groups.add(Group.objects.create(name=name))
    assert role_of(User.objects.get()) is Role.OPERATOR
    assert role_of(User.objects.annotate(role_names=role_names()).get()) is Role.OPERATOR


def test_a_role_replaces_the_one_before_and_leaves_other_groups() -> None:
    user = User.objects.create_user("ana")
    user.groups.add(Group.objects.create(name="newsletter"))
    give_role(user, Role.OPERATOR)
    give_role(user, Role.CURATOR)
    assert set(user.groups.values_list("name", flat=True)) == {"newsletter", "curator"}
    assert role_of(user) is role_of(User.objects.get()) is Role.CURATOR


@pytest.mark.parametrize("role", Role)
def test_staff_follows_from_the_role(client: Client, person_of: Callable[[Role], User], role: Role) -> None:
    client.force_login(person_of(role))
    expected = 200 if role.includes(Role.CURATOR) else 403
    assert client.get("/admin/", headers={"Accept": "text/html"}).status_code == expected


@pytest.mark.parametrize(
    ("role", "address", "status"),
    [
        (Role.CURATOR, "brands/knownbrand/", 200),
        (Role.CURATOR, "brands/knownbrand/add/", 200),
        (Role.CURATOR, "jobs/detectjob/", 200),
        (Role.CURATOR, "detect/checkpoint/", 200),
        (Role.CURATOR, "jobs/apikey/", 403),
        (Role.OPERATOR, "jobs/apikey/", 403),
        (Role.OPERATOR, "auth/user/", 403),
        (Role.OPERATOR, "brands/knownbrand/", 200),
        (Role.ADMINISTRATOR, "auth/user/", 200),
        (Role.ADMINISTRATOR, "jobs/apikey/add/", 200),
    ],
)
def test_the_admin_shows_each_role_its_own(
    client: Client, person_of: Callable[[Role], User], role: Role, address: str, status: int
) -> None:
    client.force_login(person_of(role))
    assert client.get(f"/admin/{address}").status_code == status


def test_permissions_given_one_by_one_count_as_well() -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("ana")
    assert not user.has_perm("brands.view_knownbrand")
    user.user_permissions.add(Permission.objects.get(codename="view_knownbrand"))
    again = User.objects.get()
    assert again.has_perm("brands.view_knownbrand")
    assert again.has_module_perms("brands")
    assert not again.has_module_perms("auth")


def test_somebody_locked_out_has_no_permissions() -> None:
    user = User.objects.create_user("ana", is_active=False)
    give_role(user, Role.ADMINISTRATOR)
    assert not user.has_perm("auth.change_user")
    assert not user.has_module_perms("auth")


def test_an_administrator_makes_a_user_and_changes_the_role(client: Client, person_of: Callable[[Role], User]) -> None:
    client.force_login(person_of(Role.ADMINISTRATOR))
    made = client.post("/admin/auth/user/add/", {"username": "ana", "role": "curator", **PASSWORDS})
    user = User.objects.get(username="ana")
    assert (made.status_code, role_of(user), user.is_staff) == (302, Role.CURATOR, True)
    page = f"/admin/auth/user/{user.pk}/change/"
    assert b'<option value="curator" selected' in client.get(page).content
    changed = client.post(page, {"username": "ana", "role": "reviewer", "is_active": "on"})
    user = User.objects.get(username="ana")
    assert (changed.status_code, role_of(user), user.is_staff) == (302, Role.REVIEWER, False)
    assert b"reviewer" in client.get("/admin/auth/user/").content


def test_keys_are_revoked_from_their_list(client: Client, person_of: Callable[[Role], User]) -> None:
    client.force_login(person_of(Role.ADMINISTRATOR))
    keys = [ApiKey.objects.create_key(name=name) for name in ("one", "two", "three")]
    chosen = [keys[0][0].pk, keys[1][0].pk]
    page = client.post("/admin/jobs/apikey/", {"action": "revoke", "_selected_action": chosen}, follow=True)
    assert b"2 keys revoked." in page.content
    assert [ApiKey.objects.find_usable(key) is None for _, key in keys] == [True, True, False]

"""A key and a person of each role."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from jobs.api_keys import ApiKey
from mediaproc.roles import Role, give_role


@pytest.fixture
def key_of(db) -> Callable[[Role], dict[str, str]]:
    """The header with a key of that role, made once."""
    kept: dict[Role, dict[str, str]] = {}

    def make(role: Role) -> dict[str, str]:
        if role not in kept:
            kept[role] = {"X-API-Key": ApiKey.objects.create_key(name=f"a {role.value}", role=role)[1]}
        return kept[role]

    return make


@pytest.fixture
def person_of(db) -> Callable[[Role], User]:
    def make(role: Role) -> User:
        user = User.objects.create_user(role.value, password="a long enough phrase")
        give_role(user, role)
        return user

    return make

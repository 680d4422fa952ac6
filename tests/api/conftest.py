"""The match's finished job, and clients with keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from jobs.api_keys import ApiKey
from mediaproc.roles import Role
from tests.matches import asset, job, storage

__all__ = ["asset", "job", "storage"]


@pytest.fixture
def client_of(db: None) -> Callable[[Role], APIClient]:
    """A client with a key of that role."""

    def make(role: Role) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_X_API_KEY=ApiKey.objects.create_key(name=role.value, role=role)[1])
        return client

    return make


@pytest.fixture
def operator(client_of: Callable[[Role], APIClient]) -> APIClient:
    return client_of(Role.OPERATOR)

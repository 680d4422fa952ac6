"""The match's finished job, and a client with an operator's key."""

from __future__ import annotations

import pytest

from jobs.api_keys import ApiKey
from mediaproc.roles import Role
from tests.matches import asset, job, storage

__all__ = ["asset", "job", "storage"]


@pytest.fixture
def operator(client, db):
    """A client with an operator's key."""
    key = ApiKey.objects.create_key(name="tuning", role=Role.OPERATOR)[1]
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client

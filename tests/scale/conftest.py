"""An installation that has been used for long, filled once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from bench.scale_data import Filled, Scale, filled
from jobs.api_keys import ApiKey
from mediaproc.roles import Role

SCALE = Scale()


@pytest.fixture(scope="module")
def used(django_db_setup: None, django_db_blocker: Any) -> Iterator[Filled]:
    """10,000 jobs, 1,000,000 sightings and a tree of 200 branches, committed and taken away again."""
    with django_db_blocker.unblock(), filled(SCALE) as made:
        yield made


@pytest.fixture
def viewer(db: None) -> APIClient:
    _, key = ApiKey.objects.create_key(name="viewer", role=Role.VIEWER)
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=key)
    return client

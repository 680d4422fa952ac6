"""Storage of a test's own, models that a test decides about, and somebody of each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs.api_keys import ApiKey
from jobs.engine import engine_resources
from mediaproc.roles import Role
from tests.providers.chat_server import ChatServer, chat_server, verdict


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Any) -> Iterator[None]:
    """Files are the test's own, and so is what providers there are."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "allow_overwrite": True},
        },
    }
    settings.PROVIDERS_FILE = tmp_path / "providers.yaml"
    engine_resources.cache_clear()
    yield
    engine_resources.cache_clear()


@pytest.fixture
def models() -> Iterator[ChatServer]:
    """A server that takes whatever was read for the brand; tests change ``behave``."""
    with chat_server(lambda ask: verdict(ask.read_text)) as server:
        yield server


@pytest.fixture
def use_providers(settings: Any) -> Callable[[str], None]:
    """Writes the providers file and has the engine read it."""

    def use(text: str) -> None:
        settings.PROVIDERS_FILE.write_text(text)
        engine_resources.cache_clear()

    return use


@pytest.fixture
def client_of(db: None) -> Callable[[Role], APIClient]:
    """A client with a key of that role."""

    def make(role: Role) -> APIClient:
        _, key = ApiKey.objects.create_key(name=f"a {role}", role=role)
        client = APIClient()
        client.credentials(HTTP_X_API_KEY=key)
        return client

    return make


@pytest.fixture
def viewer(client_of: Callable[[Role], APIClient]) -> APIClient:
    return client_of(Role.VIEWER)


@pytest.fixture
def curator(client_of: Callable[[Role], APIClient]) -> APIClient:
    return client_of(Role.CURATOR)

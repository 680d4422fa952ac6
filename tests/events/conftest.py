"""The live channel over a real Valkey, and connections of other threads closed before the database goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings

from mediaproc.services.wanted import ensure_queue
from mediaproc.settings import queue


@pytest.fixture
async def live_channel(settings: Settings, transactional_db: None) -> AsyncIterator[None]:
    """For tests that follow events in this process; they write with :func:`tests.events.made.in_thread`."""
    ensure_queue()
    layer: dict[str, Any] = queue.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {**layer["CONFIG"], "prefix": "tests"}}}
    yield
    await sync_to_async(connections.close_all)()

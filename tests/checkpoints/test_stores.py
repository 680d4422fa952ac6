"""Both stores against the one contract."""

from __future__ import annotations

from uuid import uuid4

import pytest

from detect.checkpoints.memory import MemoryCheckpointStore
from detect.models import SourceAsset, Timeline
from detect.persistence import DatabaseCheckpointStore
from tests.checkpoints.contract import CheckpointStoreContract


class TestMemoryStore(CheckpointStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryCheckpointStore()

    @pytest.fixture
    def place(self):
        return uuid4(), uuid4()


@pytest.mark.django_db
class TestDatabaseStore(CheckpointStoreContract):
    @pytest.fixture
    def store(self):
        return DatabaseCheckpointStore()

    @pytest.fixture
    def place(self):
        asset = SourceAsset.objects.create(path="match.mp4", sha256="a" * 64)
        timeline = Timeline.objects.create(source_asset=asset, source_video="match.mp4", profile_name="p", fps=2)
        return timeline.id, uuid4()

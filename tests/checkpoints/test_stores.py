"""All stores against the one contract."""

from __future__ import annotations

from uuid import uuid4

import pytest

from detect.checkpoints.folder import FolderCheckpointStore
from detect.checkpoints.memory import MemoryCheckpointStore
from detect.models import SourceAsset, Timeline
from detect.persistence import DatabaseCheckpointStore
from tests.checkpoints.contract import CheckpointStoreContract, output


class TestMemoryStore(CheckpointStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryCheckpointStore()

    @pytest.fixture
    def place(self):
        return uuid4(), uuid4()


class TestFolderStore(CheckpointStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return FolderCheckpointStore(tmp_path / "outputs")

    @pytest.fixture
    def place(self):
        return uuid4(), uuid4()

    def test_outputs_outlive_the_store(self, tmp_path):
        FolderCheckpointStore(tmp_path).put_output(output("a"), b"first\nsecond")
        again = FolderCheckpointStore(tmp_path)
        assert (again.find_output("a"), again.load_output("a")) == (output("a"), b"first\nsecond")

    def test_what_it_does_not_have_is_read_behind_it_and_never_written_there(self, tmp_path):
        behind = MemoryCheckpointStore()
        behind.put_output(output("a"), b"behind")
        store = FolderCheckpointStore(tmp_path, behind)
        store.put_output(output("b"), b"here")
        assert store.find_outputs(["a", "b", "c"]) == {"a": output("a"), "b": output("b")}
        assert (store.load_output("a"), store.load_output("b")) == (b"behind", b"here")
        assert behind.find_outputs(["a", "b"]) == {"a": output("a")}
        with pytest.raises(KeyError):
            store.load_output("c")


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

"""Files on the local disk are the old one or the new one, never a part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from mediaproc.localfiles import LocalFiles

KEY = "frames/0001.jpg"


@pytest.fixture
def storage(tmp_path: Path) -> LocalFiles:
    storage = LocalFiles(location=str(tmp_path))
    assert storage.save(KEY, ContentFile(b"old")) == KEY
    return storage


def content(storage: LocalFiles) -> bytes:
    with storage.open(KEY) as file:
        return bytes(file.read())


def test_who_reads_while_a_file_is_replaced_gets_the_old_one(storage: LocalFiles) -> None:
    with storage.open(KEY) as reader:
        assert storage.save(KEY, ContentFile(b"new and longer")) == KEY
        assert reader.read() == b"old"
    assert content(storage) == b"new and longer"


def test_write_that_fails_leaves_the_old_file_and_nothing_else(storage: LocalFiles, tmp_path: Path) -> None:
    class Breaking(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"half"
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        storage.save(KEY, Breaking(b"half of it"))
    assert content(storage) == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["0001.jpg"]

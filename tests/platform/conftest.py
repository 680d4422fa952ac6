"""Data folders of their own for tests that start and kill servers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediaproc.datafolder import DataFolder


@pytest.fixture
def new_folder() -> Iterator[Callable[..., DataFolder]]:
    """Makes data folders. Not under pytest's ``tmp_path``: that is closed to the user who runs Postgres for root."""
    base = Path(tempfile.mkdtemp(prefix="mediaproc-platform-"))
    base.chmod(0o711)

    made: list[DataFolder] = []

    def make(name: str = "data", *, create: bool = True) -> DataFolder:
        data = DataFolder(base / name)
        if create:
            data.create()
        made.append(data)
        return data

    yield make
    for data in made:
        data.wait_until_stopped()
    shutil.rmtree(base)


@pytest.fixture
def data(new_folder: Callable[..., DataFolder]) -> DataFolder:
    return new_folder()

"""A store for files that stages make, in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from detect.types import StoredFile


class FolderFiles:
    """A :class:`~detect.stages.base.FileStore` that keeps files in ``place``, which may not exist yet."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "drafts").mkdir(parents=True, exist_ok=True)
        self._drafts = 0

    @contextmanager
    def draft(self, suffix: str) -> Iterator[Path]:
        self._drafts += 1
        path = self.place / "drafts" / f"{self._drafts}{suffix}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        with TemporaryDirectory(dir=self.place / "drafts") as path:
            yield Path(path)

    def keep(self, draft: Path) -> StoredFile:
        data = draft.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        (self.place / f"{sha256}{draft.suffix}").write_bytes(data)
        return StoredFile(f"{sha256}{draft.suffix}", sha256, len(data))

    @contextmanager
    def local(self, file: StoredFile) -> Iterator[Path]:
        yield self.place / file.key

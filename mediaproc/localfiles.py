"""Files on the local disk, behaving as those in a bucket do."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class LocalFiles(FileSystemStorage):
    """The same key is the same file: saved again it is replaced, and a reader sees the old one or the new, whole.

    A killed process leaves at most a hidden file beside the place of the one it was writing.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_overwrite=True)

    def _save(self, name: str, content: File[Any]) -> str:
        place = Path(self.path(name))
        draft = place.with_name(f".{uuid4().hex}")
        try:
            super()._save(str(draft.relative_to(self.location)), content)  # type: ignore[misc]  # not in the stubs
            draft.replace(place)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return name

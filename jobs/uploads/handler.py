"""A file sent in one request, as a form does: written to disk as it arrives, never held in memory."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from detect.errors import MediaError
from jobs.assets.intake import clean_name, max_bytes
from jobs.uploads.errors import UploadRefusedError, UploadTooLargeError
from jobs.uploads.records import folder, full_disk_told
from jobs.uploads.services import too_large

#: What a form may add to its file: boundaries, names, other fields.
_FORM = 1 << 20


class ReceivedFile(UploadedFile):
    """A file that came in whole and lies at ``path``, to be moved from there."""

    def __init__(self, path: Path, name: str, size: int) -> None:
        super().__init__(path.open("rb"), name, size=size)
        self.path = path


class VideoUploadHandler(FileUploadHandler):
    """Takes one video in the field ``file``; whoever uses it calls :meth:`discard` when done with the request."""

    chunk_size = 1 << 18

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.path: Path | None = None
        self.received = 0

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803 - Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Refuse before the first byte what is announced to be too large."""
        if content_length and content_length > max_bytes() + _FORM:
            raise UploadTooLargeError(too_large())

    def new_file(self, field_name: str, file_name: str, *args: Any, **options: Any) -> None:
        super().new_file(field_name, file_name, *args, **options)
        if field_name != "file" or self.path is not None:
            raise UploadRefusedError("Send one video, in the field 'file'.")
        try:
            self.name = clean_name(file_name)
        except MediaError as error:
            raise UploadRefusedError(error.message) from error
        self.path = folder() / f".{uuid4()}{PurePosixPath(self.name).suffix.lower()}"
        with full_disk_told():
            self.file = self.path.open("xb", buffering=0)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received > max_bytes():
            raise UploadTooLargeError(too_large())
        with full_disk_told():
            rest = memoryview(raw_data)
            while rest:
                rest = rest[self.file.write(rest) :]

    def file_complete(self, file_size: int) -> ReceivedFile:
        assert self.path is not None
        with full_disk_told():
            os.fsync(self.file.fileno())
        self.file.close()
        return ReceivedFile(self.path, self.name, file_size)

    def upload_interrupted(self) -> None:
        self.discard()

    def discard(self) -> None:
        """Remove what is left of the file, if anything is."""
        if self.path is not None:
            self.file.close()
            self.path.unlink(missing_ok=True)

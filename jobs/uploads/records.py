"""An upload on disk: ``{id}.json`` says what it is to become, ``{id}.part`` holds what has come.

The size of the part *is* the offset, so nothing can disagree about it, whoever dies when. The part is locked
(``flock``) by who writes to it: a lock that ends with its process, and that several processes on one disk respect. A
file ``{id}.wanted`` is touched by who found it locked.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID, uuid4

import msgspec
from django.conf import settings

from jobs.assets.intake import sync_folder
from jobs.uploads.errors import UploadBusyError, UploadDiskFullError, UploadMissingError

State = Literal["receiving", "done", "refused"]

#: What a disk says that has no room left.
_FULL = (errno.ENOSPC, errno.EDQUOT)


class UploadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an upload. ``length`` is in bytes; ``metadata`` is the client's own, as it was sent."""

    id: UUID
    owner: str
    filename: str
    length: int
    metadata: str
    created_at: datetime
    state: State = "receiving"
    asset_id: UUID | None = None
    made: bool = False
    reason: str = ""


def folder() -> Path:
    """Where uploads wait; made when it is not there."""
    path: Path = settings.UPLOADS_FOLDER
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def part_path(upload_id: UUID) -> Path:
    return folder() / f"{upload_id}.part"


def record_path(upload_id: UUID) -> Path:
    return folder() / f"{upload_id}.json"


def _wanted_path(upload_id: UUID) -> Path:
    return folder() / f"{upload_id}.wanted"


def record_write(record: UploadRecord) -> None:
    """Have the record on disk, whole and for good, when this returns."""
    path = record_path(record.id)
    draft = path.with_name(f".{uuid4().hex}")
    with full_disk_told():
        try:
            with draft.open("wb") as file:
                file.write(msgspec.json.encode(record))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            sync_folder(path.parent)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def record_read(upload_id: UUID, owner: str) -> UploadRecord:
    """Raises UploadMissingError where there is none, or one that is somebody else's."""
    try:
        record = msgspec.json.decode(record_path(upload_id).read_bytes(), type=UploadRecord)
    except FileNotFoundError:
        record = None
    if record is None or record.owner != owner:
        raise UploadMissingError(
            f"There is no upload {upload_id}: it was removed, or was never begun. Begin a new one."
        )
    return record


def offset_of(record: UploadRecord) -> int:
    """Bytes received so far."""
    if record.state == "done":
        return record.length
    try:
        return part_path(record.id).stat().st_size
    except FileNotFoundError:
        return 0


def expires_at(record: UploadRecord) -> datetime:
    """When it is removed unless more of it comes."""
    return last_change(record.id) + timedelta(days=settings.UPLOAD_DAYS)


def last_change(upload_id: UUID) -> datetime:
    times = [0.0]
    for path in (part_path(upload_id), record_path(upload_id)):
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:
            pass
    return datetime.fromtimestamp(max(times), tz=UTC)


@contextmanager
def part_locked(upload_id: UUID) -> Iterator[BinaryIO]:
    """The part, open for appending, while nobody else has it.

    Raises UploadBusyError where somebody has, whom it lets know that it is wanted; UploadMissingError where it is gone.
    """
    path = part_path(upload_id)
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError:
        raise UploadMissingError(f"There is nothing left of upload {upload_id}: begin a new one.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wanted_path(upload_id).touch()
            raise UploadBusyError("Another request is at this upload: try again in a moment.") from None
        if not _is_still_at(path, file):  # removed, or moved into storage, before the lock was ours
            raise UploadMissingError(f"There is nothing left of upload {upload_id}: begin a new one.")
        _wanted_path(upload_id).unlink(missing_ok=True)
        file.seek(0, os.SEEK_END)
        yield file


def is_wanted(upload_id: UUID) -> bool:
    """Whether somebody came for the part since it was last written to."""
    try:
        return _wanted_path(upload_id).stat().st_mtime > part_path(upload_id).stat().st_mtime
    except FileNotFoundError:
        return False


def forget(upload_id: UUID) -> None:
    """Remove all there is of an upload."""
    for path in (part_path(upload_id), record_path(upload_id), _wanted_path(upload_id)):
        path.unlink(missing_ok=True)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Turn a disk's complaint that it is full into UploadDiskFullError."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UploadDiskFullError("The disk that takes uploads is full: make room on it, then go on.") from error


def _is_still_at(path: Path, file: BinaryIO) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False

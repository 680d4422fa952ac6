"""Beginning, continuing, finishing and removing uploads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from uuid import UUID, uuid4

import msgspec
from django.conf import settings
from django.db import connection

from detect.errors import MediaError
from jobs.assets.intake import TooLargeError, asset_keep, check_size, clean_name
from jobs.uploads.errors import (
    UploadBusyError,
    UploadCutError,
    UploadDiskFullError,
    UploadGoneError,
    UploadIncompleteError,
    UploadMissingError,
    UploadOffsetError,
    UploadRefusedError,
    UploadTooLargeError,
)
from jobs.uploads.records import (
    UploadRecord,
    folder,
    forget,
    full_disk_told,
    last_change,
    part_locked,
    part_path,
    record_read,
    record_write,
)
from mediaproc.streaming import BodyCutError


def upload_create(*, owner: str, filename: str, length: int, metadata: str = "") -> UploadRecord:
    """Begin an upload of ``length`` bytes.

    Raises UploadRefusedError for a name that is no video's and an empty file, UploadTooLargeError beyond
    MAX_FILE_SIZE_MB, UploadDiskFullError where there is no room for it.
    """
    name = check_upload(filename, length)
    if shutil.disk_usage(folder()).free < length:
        raise UploadDiskFullError(f"There is no room for {name} ({length} bytes) on the disk that takes uploads.")
    record = UploadRecord(
        id=uuid4(), owner=owner, filename=name, length=length, metadata=metadata, created_at=datetime.now(UTC)
    )
    with full_disk_told():
        part_path(record.id).touch(mode=0o600, exist_ok=False)
        record_write(record)
    return record


def check_upload(filename: str, length: int) -> str:
    """The name as it is kept. Raises UploadRefusedError and UploadTooLargeError."""
    try:
        name = clean_name(filename)
        check_size(length, name)
    except TooLargeError as error:
        raise UploadTooLargeError(error.message) from error
    except MediaError as error:
        raise UploadRefusedError(error.message) from error
    return name


def too_large() -> str:
    return f"The file is too large: at most {settings.MAX_FILE_SIZE_MB} MB are taken (MAX_FILE_SIZE_MB)."


def upload_append(
    *, upload_id: UUID, owner: str, offset: int, blocks: Iterable[bytes], announced: int | None
) -> UploadRecord:
    """Write ``blocks``, of ``announced`` bytes in all where that is known, at ``offset``; the last makes the asset.

    What came is on the disk when this returns or raises. Raises UploadMissingError, UploadGoneError, UploadBusyError,
    UploadOffsetError, UploadTooLargeError beyond the upload's length, UploadDiskFullError, UploadCutError where the
    connection broke off, UploadRefusedError for what is no video, and StorageError.
    """
    record = _open_record(upload_id, owner)
    if record.state == "done":
        if offset != record.length or announced:
            raise UploadOffsetError("This upload is complete: nothing can be added to it.")
        return record
    with part_locked(upload_id) as file:
        here = file.tell()
        if offset != here:
            raise UploadOffsetError(f"This upload goes on at byte {here}, not at {offset}: ask for its offset first.")
        if announced is not None and offset + announced > record.length:
            raise _beyond(record)
        _free_the_database()
        try:
            _write(file, blocks, record)
        finally:
            with full_disk_told():
                os.fsync(file.fileno())
        return _finish(record) if file.tell() == record.length else record


def upload_finish(*, upload_id: UUID, owner: str) -> UploadRecord:
    """Make the asset of an upload that is whole; one that was made is found again.

    Raises UploadMissingError, UploadGoneError, UploadBusyError, UploadIncompleteError, UploadRefusedError for what is
    no video, and StorageError.
    """
    record = _open_record(upload_id, owner)
    if record.state == "done":
        return record
    try:
        with part_locked(upload_id) as file:
            if file.tell() != record.length:
                raise UploadIncompleteError(
                    f"{record.length - file.tell()} of {record.length} bytes of this upload are still missing."
                )
            return _finish(record)
    except UploadMissingError:
        record = _open_record(upload_id, owner)
        if record.state == "done":  # by another request, between the two looks
            return record
        raise


def upload_delete(*, upload_id: UUID, owner: str) -> None:
    """Remove an upload; an asset that was made of it stays. Raises UploadMissingError, UploadBusyError."""
    record = record_read(upload_id, owner)
    if record.state != "receiving":
        forget(upload_id)
        return
    with part_locked(upload_id):
        forget(upload_id)


def uploads_expire(*, now: datetime | None = None) -> int:
    """Remove uploads to which nothing came for MEDIAPROC_UPLOAD_DAYS, and what killed processes left.

    Returns how many uploads were removed.
    """
    before = (now or datetime.now(UTC)) - timedelta(days=settings.UPLOAD_DAYS)
    removed = 0
    for upload_id in {identity for path in folder().iterdir() if (identity := _identity(path))}:
        if last_change(upload_id) >= before:
            continue
        with suppress(UploadBusyError, UploadMissingError):
            if part_path(upload_id).exists():
                with part_locked(upload_id):
                    forget(upload_id)
            else:
                forget(upload_id)
            removed += 1
    for path in folder().glob(".*"):  # drafts and links of processes that were killed
        with suppress(FileNotFoundError):
            if datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) < before:
                path.unlink()
    return removed


def _open_record(upload_id: UUID, owner: str) -> UploadRecord:
    record = record_read(upload_id, owner)
    if record.state == "refused":
        raise UploadGoneError(f"What was uploaded was refused and removed: {record.reason}")
    return record


def _write(file: BinaryIO, blocks: Iterable[bytes], record: UploadRecord) -> None:
    here = file.tell()
    with full_disk_told():
        try:
            for block in blocks:
                if here + len(block) > record.length:
                    raise _beyond(record)
                rest = memoryview(block)
                while rest:
                    written = file.write(rest)
                    here += written
                    rest = rest[written:]
        except BodyCutError as error:
            raise UploadCutError(f"{error}: go on at byte {here}".capitalize() + ".") from error


def _finish(record: UploadRecord) -> UploadRecord:
    """Check and store a part that is whole and held by the caller; the part goes once all is on record."""
    part = part_path(record.id)
    # a second name for the bytes, with the suffix they came with: storing may move it, and a process that is
    # killed meanwhile still finds all under the first
    named = folder() / f".{record.id}{PurePosixPath(record.filename).suffix.lower()}"
    _second_name(part, named)
    try:
        intake = asset_keep(file=named, name=record.filename)
    except MediaError as error:
        record_write(msgspec.structs.replace(record, state="refused", reason=error.message))
        part.unlink()
        raise UploadRefusedError(error.message) from error
    finally:
        named.unlink(missing_ok=True)
    record = msgspec.structs.replace(record, state="done", asset_id=intake.asset.id, made=intake.made)
    record_write(record)
    part.unlink()
    return record


def _second_name(part: Path, named: Path) -> None:
    named.unlink(missing_ok=True)
    try:
        named.hardlink_to(part)
    except OSError:  # a file system without hard links
        with full_disk_told():
            shutil.copyfile(part, named)


def _beyond(record: UploadRecord) -> UploadTooLargeError:
    return UploadTooLargeError(f"More was sent than the {record.length} bytes that were announced.")


def _free_the_database() -> None:
    """Let go of the connection: receiving may take hours, and there are fewer connections than senders."""
    if not connection.in_atomic_block:
        connection.close()


def _identity(path: Path) -> UUID | None:
    with suppress(ValueError):
        return UUID(path.stem)
    return None

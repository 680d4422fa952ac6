"""Videos of a bucket kept at hand on this machine: fetched once, used by every process, the least used removed first.

Under ``data/cache/assets``: ``{sha256}{suffix}`` is a whole video, ``{sha256}.part`` one on its way. A reader holds a
shared ``flock`` on the file it reads, so that nobody takes it away meanwhile; who fetches holds ``{sha256}.lock``. Both
end with the process that holds them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from uuid import uuid4

from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.storage import default_storage

from detect.errors import MediaError, NotFoundError, StorageError
from jobs.assets.intake import storage_told

_BLOCK = 1 << 20
_MISSING = {"404", "NoSuchKey", "NotFound"}


@contextmanager
def cached(key: str, sha256: str) -> Iterator[Path]:
    """The video at ``key`` as a local file, for as long as the block runs.

    Raises StorageError while the bucket or the disk is in trouble, NotFoundError or MediaError where the
    object is gone or has changed.
    """
    path = _folder() / f"{sha256}{_suffix(key)}"
    with _held(path, key, sha256):
        os.utime(path)
        yield path


def fetch_unknown(key: str) -> Path:
    """Fetch an object whose content is not known yet into the cache, under a name of its own; the caller removes it."""
    path = _folder() / f"new-{uuid4().hex}{_suffix(key)}"
    try:
        _download(key, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def adopt(path: Path, key: str, sha256: str) -> None:
    """Keep what ``fetch_unknown`` brought, now that its content is known."""
    path.replace(_folder() / f"{sha256}{_suffix(key)}")


def object_size(key: str) -> int:
    """Bytes of an object. Raises NotFoundError where there is none, StorageError where it cannot be asked."""
    return int(_head(key)["ContentLength"])


def forget(sha256: str) -> None:
    """Remove what is kept of a video; who reads it at the moment reads on."""
    for path in _folder().glob(f"{sha256}.*"):
        if path.suffix != ".lock":
            path.unlink(missing_ok=True)


def evict(wanted: int) -> None:
    """Remove what was not used for longest until there is room for ``wanted`` bytes; what is being read stays."""
    with _locked(_folder() / "evict.lock"):
        found = [(path, path.stat()) for path in _folder().iterdir() if path.suffix != ".lock"]
        total = sum(status.st_size for _, status in found) + wanted
        for path, status in sorted(found, key=lambda item: item[1].st_mtime):
            if total <= settings.CACHE_GB * 2**30:
                return
            if _remove_unless_used(path):
                total -= status.st_size


@contextmanager
def _held(path: Path, key: str, sha256: str) -> Iterator[None]:
    """The file there, whole, and not to be removed."""
    with _locked(path.with_name(f"{sha256}.lock")):
        if not path.exists():
            _fetch(path, key, sha256)
        file = path.open("rb")
        fcntl.flock(file, fcntl.LOCK_SH)
    with file:
        yield


def _fetch(path: Path, key: str, sha256: str) -> None:
    """Bring the video, going on where an attempt before was cut off."""
    part = path.with_name(f"{sha256}.part")
    resumed = part.exists() and part.stat().st_size > 0
    _download(key, part)
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest == sha256:
        part.replace(path)
        return
    part.unlink()
    if resumed:
        raise StorageError(f"{key} changed while it was fetched: it is fetched anew at the next attempt")
    raise MediaError(f"{key} in the bucket is no longer the video that was submitted: submit it again")


def _download(key: str, part: Path) -> None:
    head = _head(key)
    size = int(head["ContentLength"])
    with storage_told(f"{key} cannot be fetched from the bucket"), part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if file.tell() > size:
            file.truncate(0)
        evict(size - file.tell())
        if file.tell() < size:
            answer = _client().get_object(
                Bucket=_bucket(), Key=key, Range=f"bytes={file.tell()}-", IfMatch=head["ETag"]
            )
            for block in answer["Body"].iter_chunks(_BLOCK):
                file.write(block)
        file.flush()
        if file.tell() != size:
            raise StorageError(f"{key} was cut off while it was fetched: it goes on at the next attempt")


def _head(key: str) -> Any:
    try:
        with storage_told("the bucket cannot be reached"):
            return _client().head_object(Bucket=_bucket(), Key=key)
    except StorageError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _MISSING:
            raise NotFoundError(f"there is no '{key}' in the bucket") from error
        raise


def _client() -> Any:
    return default_storage.connection.meta.client  # type: ignore[attr-defined]  # only asked of a bucket


def _bucket() -> str:
    return str(default_storage.bucket_name)  # type: ignore[attr-defined]


def _folder() -> Path:
    path: Path = settings.CACHE_FOLDER / "assets"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _suffix(key: str) -> str:
    return PurePosixPath(key).suffix.lower()


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _remove_unless_used(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True

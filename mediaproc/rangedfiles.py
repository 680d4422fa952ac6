"""Files that are read piece by piece, from anywhere in them: on the local disk and in a bucket.

Nothing is held between two pieces, neither a handle nor a connection: a player that pauses for an hour costs nothing,
and each piece is checked to be of the same content as those before it.
"""

from __future__ import annotations

import os
import stat
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from django.core.files.storage import storages
from storages.backends.s3 import S3Storage

from mediaproc.bucketfiles import bucket_errors


class RangedFile(Protocol):
    """One content of a file. ``etag`` is strong: it stands for these bytes alone. ``modified`` is in UTC."""

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str: ...

    @property
    def modified(self) -> datetime: ...

    def read(self, start: int, length: int) -> bytes:
        """These bytes, all of them. Safe to call from any thread.

        Raises OSError where they cannot be had, or the file has another content by now.
        """


@dataclass(frozen=True)
class DiskFile:
    """A regular file of the local disk."""

    path: Path
    size: int
    etag: str
    modified: datetime

    @classmethod
    def open(cls, path: Path) -> DiskFile:
        """Raises FileNotFoundError where no regular file is, OSError where it cannot be looked at."""
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(f"{path} is not a file")
        modified = datetime.fromtimestamp(int(found.st_mtime), UTC)
        return cls(path, found.st_size, _etag(found), modified)

    def read(self, start: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            if _etag(os.fstat(file.fileno())) != self.etag:
                raise OSError(f"{self.path} changed while it was sent")
            file.seek(start)
            content = file.read(length)
        if len(content) != length:
            raise OSError(f"{self.path} was cut off while it was sent")
        return content


@dataclass(frozen=True)
class BucketObject:
    """An object of a bucket, fetched in the pieces that are asked for."""

    client: Any
    bucket: str
    key: str
    size: int
    etag: str
    modified: datetime

    @classmethod
    def open(cls, storage: S3Storage, key: str) -> BucketObject:
        """Raises FileNotFoundError where there is no such object, OSError where the bucket cannot be asked."""
        client, bucket = _client(storage), str(storage.bucket_name)
        with bucket_errors(key):
            head = client.head_object(Bucket=bucket, Key=key)
        return cls(client, bucket, key, int(head["ContentLength"]), str(head["ETag"]), head["LastModified"])

    def read(self, start: int, length: int) -> bytes:
        asked = f"bytes={start}-{start + length - 1}"
        with bucket_errors(self.key):
            answer = self.client.get_object(Bucket=self.bucket, Key=self.key, Range=asked, IfMatch=self.etag)
            with closing(answer["Body"]) as body:
                # a server that does not know ranges would send the whole object
                content: bytes = body.read() if int(answer["ContentLength"]) == length else b""
        if len(content) != length:
            raise OSError(f"the bucket does not give bytes {start} to {start + length} of {self.key}")
        return content


def stored_file(key: str) -> RangedFile:
    """What storage keeps under ``key``. Raises FileNotFoundError where there is nothing, OSError for other troubles."""
    storage = storages["default"]
    if isinstance(storage, S3Storage):
        return BucketObject.open(storage, key)
    return DiskFile.open(Path(storage.path(key)))


def _etag(found: os.stat_result) -> str:
    return f'"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"'


_clients: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_making = Lock()


def _client(storage: S3Storage) -> Any:
    """One client for all threads: making one takes longer than fetching a piece, and requests have a thread each."""
    with _making:
        if storage not in _clients:
            _clients[storage] = storage.connection.meta.client
        return _clients[storage]

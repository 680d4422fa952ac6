"""Files in a bucket, whose troubles are those of any other file: ``OSError``, with the reason in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3File, S3Storage


@contextmanager
def bucket_errors(name: str) -> Iterator[None]:
    """Turn what the S3 client raises into ``OSError``, ``FileNotFoundError`` where there is no such object."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code = error.response.get("Error", {}).get("Code", status)
        if status == 404 and code != "NoSuchBucket":
            raise FileNotFoundError(f"there is no {name} in the bucket") from error
        raise OSError(f"the bucket refuses {name}: {code}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(f"the bucket cannot be reached: {error}") from error


class BucketFile(S3File):
    """An object, fetched when it is first read."""

    def _get_file(self) -> Any:
        with bucket_errors(self.name):
            return super()._get_file()

    file = property(_get_file, S3File._set_file)

    def write(self, content: Any) -> Any:
        with bucket_errors(self.name):
            return super().write(content)

    def close(self) -> None:
        with bucket_errors(self.name):
            super().close()


class BucketFiles(S3Storage):
    """django-storages' bucket; every method raises ``OSError`` for what went wrong, and nothing of boto's."""

    def _open(self, name: str, mode: str = "rb") -> BucketFile:
        with bucket_errors(name):
            return BucketFile(self._normalize_name(name), mode, self)

    def _save(self, name: str, content: File[Any]) -> str:
        with bucket_errors(name):
            saved: str = super()._save(name, content)
        return saved

    def delete(self, name: str) -> None:
        with bucket_errors(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with bucket_errors(name):
            there: bool = super().exists(name)
        return there

    def listdir(self, path: str) -> Any:
        with bucket_errors(path):
            return super().listdir(path)

    def size(self, name: str) -> int:
        with bucket_errors(name):
            size: int = super().size(name)
        return size

    def get_modified_time(self, name: str) -> Any:
        with bucket_errors(name):
            return super().get_modified_time(name)

"""From a file that claims to be a video to an asset: checked, stored under its content's name, one row a content."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import boto3.exceptions
import botocore.exceptions
import cv2
import msgspec
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from detect.errors import MediaError, StorageError
from detect.media.probe import Probe, probe
from detect.media.reader import VideoReader
from detect.models import SourceAsset
from detect.stages.base import Image
from jobs.locks import request_lock

#: Videos by their names; what is in them is looked at all the same.
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".flv", ".wmv", ".asf"}
    | {".mxf", ".ogv"}
)
#: Files with sound alone.
SOUND_SUFFIXES = frozenset({".flac", ".wav", ".mp3", ".m4a", ".ogg", ".oga", ".opus", ".aac"})
#: Begins the path of an asset that lies in storage.
STORED = "storage:"
UPLOADS_PREFIX = "uploads/"

_THUMBNAIL_WIDTH = 480
_LONGEST_NAME = 200


class TooLargeError(MediaError):
    """A file is larger than MAX_FILE_SIZE_MB allows."""

    status = 413
    code = "too_large"


@dataclass(frozen=True)
class Intake:
    """An asset, and whether it is new: the same content is one asset however often it comes."""

    asset: SourceAsset
    made: bool


def clean_name(filename: str, *, sound: bool = False) -> str:
    """The last part of a file's name, as it is shown to people. Raises MediaError for a name that is no video's, nor,
    with ``sound``, that of a file of sound.
    """
    name = filename.replace("\\", "/").rsplit("/")[-1]
    name = "".join(character for character in name if character.isprintable()).strip()
    suffix = PurePosixPath(name).suffix
    taken = VIDEO_SUFFIXES | SOUND_SUFFIXES if sound else VIDEO_SUFFIXES
    if suffix.lower() not in taken:
        known = " ".join(sorted(word[1:] for word in taken))
        raise MediaError(f"'{name[:_LONGEST_NAME]}' is not named as a video is: its name must end in one of {known}")
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - len(suffix)] + suffix


def check_size(size: int, name: str) -> None:
    """Raises MediaError for an empty file and TooLargeError for one beyond MAX_FILE_SIZE_MB."""
    if size == 0:
        raise MediaError(f"{name}: is empty (0 bytes)")
    if size > max_bytes():
        raise TooLargeError(
            f"{name}: is too large ({size / 2**20:.0f} MB): at most {settings.MAX_FILE_SIZE_MB} MB are taken "
            "(MAX_FILE_SIZE_MB)"
        )


def max_bytes() -> int:
    return int(settings.MAX_FILE_SIZE_MB) * 2**20


def probe_as(file: Path, *, path: str, name: str, sound: bool = False) -> Probe:
    """Look at ``file``, which is to be known by ``path`` and may, with ``sound``, have no pictures. Raises MediaError,
    which speaks of it as ``name``.
    """
    try:
        return msgspec.structs.replace(probe(file, sound=sound), path=path)
    except MediaError as error:
        raise MediaError(error.message.replace(str(file), name)) from error


def asset_keep(*, file: Path, name: str) -> Intake:
    """Store a video that came in and find or make its asset. ``file`` is moved where storage is on the same disk.

    Raises MediaError for what is no video, StorageError where it cannot be stored.
    """
    probed = probe_as(file, path="", name=name)
    found = SourceAsset.objects.filter(sha256=probed.sha256).first()
    key = stored_key(found.path) if found else None
    if key is None or not _is_stored(key):
        key = upload_key(probed.sha256, PurePosixPath(name).suffix.lower())
        if not _is_stored(key):
            make_thumbnail(file, probed.sha256, probed.duration)
            store_file(file, key)
    return asset_record(probed=msgspec.structs.replace(probed, path=STORED + key), name=name)


def asset_record(*, probed: Probe, name: str) -> Intake:
    """The row for this content, made or found. It stays where it was known to be, unless that is gone; storage is
    preferred to a file.
    """
    key = stored_key(probed.path)
    with request_lock(probed.sha256):
        if key is not None and not _is_stored(key):
            raise StorageError(f"{name} was removed at the same moment: send it again")
        asset, made = SourceAsset.objects.get_or_create(
            sha256=probed.sha256,
            defaults={"path": probed.path, "probe": {**msgspec.to_builtins(probed), "name": name}},
        )
        moved = key is not None and stored_key(asset.path) is None
        if not made and (moved or not _is_where_it_was(asset)):
            asset.path = probed.path
            asset.probe = {**msgspec.to_builtins(probed), "name": name}
            asset.save(update_fields=["path", "probe"])
    return Intake(asset, made)


def stored_key(path: str) -> str | None:
    """The storage key in an asset's or job's path, or None where that is a file."""
    return path.removeprefix(STORED) if path.startswith(STORED) else None


def upload_key(sha256: str, suffix: str) -> str:
    """Storage key of an uploaded video, by its content; ``suffix`` with its dot."""
    return f"{UPLOADS_PREFIX}{sha256[:2]}/{sha256}{suffix}"


def thumbnail_key(sha256: str) -> str:
    return f"thumbnails/{sha256[:2]}/{sha256}.jpg"


def local_file(key: str) -> Path | None:
    """Where storage keeps ``key`` on this machine, or None where it is a bucket."""
    try:
        return Path(default_storage.path(key))
    except NotImplementedError:
        return None


def make_thumbnail(file: Path, sha256: str, duration: float) -> None:
    """Store a frame from the middle of a video, or its first where the middle cannot be read, as a small JPEG.

    Raises MediaError where no frame can be read, StorageError where the picture cannot be stored.
    """
    with VideoReader(file) as reader:
        second = Fraction(1)
        sampled = next(reader.sample_window(second, start=Fraction(int(duration / 2))), None)
        sampled = sampled or next(reader.sample_window(second), None)
    if sampled is None:
        raise MediaError(f"{file}: has no frame that can be shown")
    store_thumbnail(sampled.image, sha256)


def store_thumbnail(picture: Image, sha256: str) -> None:
    """Store a frame as the small JPEG of its video. Raises StorageError."""
    height, width = picture.shape[:2]
    scale = min(1.0, _THUMBNAIL_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    with storage_told("the thumbnail cannot be stored"):
        default_storage.save(thumbnail_key(sha256), ContentFile(jpeg.tobytes()))


def sync_folder(path: Path) -> None:
    """Have what was made, renamed or removed in a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def storage_told(what: str) -> Iterator[None]:
    """Turn what a disk or a bucket raises into ``StorageError``."""
    try:
        yield
    except (OSError, botocore.exceptions.BotoCoreError, boto3.exceptions.Boto3Error) as error:
        raise StorageError(f"{what}: {getattr(error, 'strerror', None) or error}") from error
    except botocore.exceptions.ClientError as error:
        raise StorageError(f"{what}: {error}") from error


class _Movable(File):
    """A file that a local storage moves to its place, and a bucket reads."""

    def __init__(self, file: Any, path: Path) -> None:
        super().__init__(file, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def store_file(file: Path, key: str) -> None:
    """Put a local file into storage; it is moved where storage is on the same disk. Raises ``StorageError``."""
    with storage_told(f"{key} cannot be stored"):
        with file.open("rb") as opened:
            default_storage.save(key, _Movable(opened, file))
        place = local_file(key)
        if place is not None:
            sync_folder(place.parent)  # what was received is removed next


def _is_stored(key: str) -> bool:
    with storage_told("storage cannot be reached"):
        return bool(default_storage.exists(key))


def _is_where_it_was(asset: SourceAsset) -> bool:
    key = stored_key(asset.path)
    return Path(asset.path).is_file() if key is None else _is_stored(key)

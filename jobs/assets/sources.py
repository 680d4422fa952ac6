"""Where videos come from (uploads, allowed folders, storage) and how work gets at them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage

from detect.errors import ConflictError, MediaError, NotFoundError
from detect.models import SourceAsset, Timeline
from detect.stages.base import Image
from jobs.assets import cache
from jobs.assets.intake import (
    STORED,
    UPLOADS_PREFIX,
    VIDEO_SUFFIXES,
    Intake,
    asset_record,
    check_size,
    clean_name,
    local_file,
    make_thumbnail,
    probe_as,
    storage_told,
    store_thumbnail,
    stored_key,
    thumbnail_key,
    upload_key,
)
from jobs.engine import timeline_frames
from jobs.locks import request_lock
from jobs.models import DetectJob
from jobs.uploads.services import upload_finish
from mediaproc.beneath import opened_file
from mediaproc.roots import allowed_roots

__all__ = [
    "Intake",
    "asset_delete",
    "asset_from_root",
    "asset_from_storage",
    "asset_from_upload",
    "asset_known",
    "asset_local",
    "asset_thumbnail",
]

_LONGEST_KEY = 1024


def asset_known(asset_id: UUID) -> SourceAsset:
    """The asset of that id. Raises NotFoundError."""
    asset = SourceAsset.objects.filter(id=asset_id).first()
    if asset is None:
        raise NotFoundError(f"There is no asset {asset_id}.")
    return asset


def asset_from_root(path_text: str, *, sound: bool = False) -> Intake:
    """The asset of a video file below one of MEDIAPROC_ROOTS; it stays where it is. With ``sound`` one that has no
    pictures is taken too.

    Raises RootError for a path that is not allowed, NotFoundError where no file is there, MediaError for what is no
    video or too large.
    """
    with opened_file(path_text) as opened:
        name = clean_name(opened.real.name, sound=sound)
        check_size(_size(opened.file, name), name)
        probed = probe_as(opened.file, path=str(opened.real), name=name, sound=sound)
    return asset_record(probed=probed, name=name)


def asset_from_storage(key: str) -> Intake:
    """The asset of a video in storage, below ``uploads/`` or AWS_S3_INPUT_PREFIX.

    Raises MediaError for a key that is not allowed, is not there or holds no video, StorageError where storage cannot
    be reached.
    """
    _check_key(key)
    name = clean_name(key)
    place = local_file(key)
    if place is not None:
        _check_inside_storage(place, key)
        check_size(_size(place, key), key)
        return asset_record(probed=probe_as(place, path=STORED + key, name=key), name=name)
    check_size(cache.object_size(key), key)
    fetched = cache.fetch_unknown(key)
    try:
        probed = probe_as(fetched, path=STORED + key, name=key)
        make_thumbnail(fetched, probed.sha256, probed.duration)
        cache.adopt(fetched, key, probed.sha256)
    finally:
        fetched.unlink(missing_ok=True)
    return asset_record(probed=probed, name=name)


def asset_from_upload(upload_id: UUID, *, owner: str) -> Intake:
    """The asset of an upload that is whole; asked again, the same. Raises ``jobs.uploads.errors.UploadError``."""
    record = upload_finish(upload_id=upload_id, owner=owner)
    assert record.asset_id is not None
    asset = SourceAsset.objects.filter(id=record.asset_id).first()
    if asset is None:
        raise MediaError("what was uploaded has been deleted since: upload it again")
    return Intake(asset, record.made)


@contextmanager
def asset_local(video_path: str, sha256: str) -> Iterator[Path]:
    """A local file with the video of a job (``video_path``: a file, or ``storage:KEY``), there while the block runs.

    An object of a bucket is fetched into this machine's cache first. Raises MediaError where the video is gone, and
    StorageError while the bucket or the disk is in trouble: the work is to be tried again later.
    """
    key = stored_key(video_path)
    if key is None:
        if any(Path(video_path).is_relative_to(root) for root in allowed_roots()):
            with opened_file(video_path) as opened:  # it may become a link that leads elsewhere
                yield opened.file
        else:
            yield Path(video_path)
        return
    place = local_file(key)
    if place is not None:
        if not place.is_file():
            raise MediaError(f"{key} is no longer in storage: upload the video again")
        yield place
        return
    with cache.cached(key, sha256) as path:
        yield path


def asset_thumbnail(asset: SourceAsset) -> bytes:
    """A small JPEG of a frame from the middle; made when it is asked for first, and kept.

    Of a video that cannot be read any more a frame that was sampled is taken. Raises MediaError where there is none
    either, StorageError where storage cannot be reached.
    """
    key = thumbnail_key(asset.sha256)
    with storage_told("the thumbnail cannot be read"):
        there = default_storage.exists(key)
    if not there:
        try:
            with asset_local(asset.path, asset.sha256) as file:
                make_thumbnail(file, asset.sha256, float(asset.probe.get("duration", 0.0)))
        except MediaError:
            sampled = _sampled_frame(asset)
            if sampled is None:
                raise
            store_thumbnail(sampled, asset.sha256)
    with storage_told("the thumbnail cannot be read"), default_storage.open(key, "rb") as picture:
        content: bytes = picture.read()
    return content


def _sampled_frame(asset: SourceAsset) -> Image | None:
    """The middle one of the frames that a run has sampled, None before there was one."""
    timeline = Timeline.objects.filter(source_asset=asset).exclude(frames_meta=[]).first()
    if timeline is None:
        return None
    sequence = timeline.frames_meta[len(timeline.frames_meta) // 2]["sequence"]
    return timeline_frames(timeline).load(sequence)


def asset_delete(*, asset: SourceAsset) -> None:
    """Remove an asset with what was uploaded for it; a file in an allowed folder or an input object stays.

    Raises ConflictError while jobs use it, StorageError where storage cannot be reached.
    """
    with request_lock(asset.sha256):
        jobs = DetectJob.objects.filter(source_asset=asset).count()
        if jobs:
            raise ConflictError(f"{jobs} job{'s' * (jobs > 1)} use this video: delete them first")
        asset.delete()
        with storage_told("the video cannot be removed from storage"):
            for suffix in sorted(VIDEO_SUFFIXES):
                _remove(upload_key(asset.sha256, suffix))
            _remove(thumbnail_key(asset.sha256))
        cache.forget(asset.sha256)


def _remove(key: str) -> None:
    if default_storage.exists(key):
        default_storage.delete(key)


def _check_key(key: str) -> None:
    allowed = (UPLOADS_PREFIX, settings.AWS_S3_INPUT_PREFIX)
    parts = PurePosixPath(key).parts
    plain = key.isprintable() and "\\" not in key and len(key) <= _LONGEST_KEY and "/".join(parts) == key
    if not plain or ".." in parts or not key.startswith(allowed):
        raise MediaError(f"a storage key must begin with {' or '.join(allowed)} and name one object, without '..'")


def _check_inside_storage(place: Path, key: str) -> None:
    root = Path(str(settings.MEDIA_ROOT)).resolve()
    if place.resolve() != root / key:
        raise MediaError(f"{key} is reached through a link: links are not followed")


def _size(path: Path, name: str) -> int:
    """Bytes of a regular file."""
    try:
        found = path.stat()
    except OSError as error:
        raise NotFoundError(f"{name}: there is no such file") from error
    if not stat.S_ISREG(found.st_mode):
        raise NotFoundError(f"{name} is not a file")
    return found.st_size

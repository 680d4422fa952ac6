"""Files that stages make, such as annotated videos: in storage below AWS_S3_OUTPUT_PREFIX, a folder a video.

An output names its files (``StageOutput.files``). A file that no output names, and an output that no job of its video
has, belong to nobody: they go with the job that had them, or with the next housekeeping after a crash.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from detect.checkpoints import serde
from detect.checkpoints.store import Manifest
from detect.errors import StorageError
from detect.models import Checkpoint, SourceAsset, StageOutput
from detect.types import StoredFile
from jobs.assets.intake import local_file, storage_told, store_file
from jobs.choices import JobStatus
from jobs.models import DetectJob, WorkUnit
from jobs.work.owners import has_died, this_process

_BLOCK = 1 << 20
#: What is older than this and belongs to no output was left behind by a crash; a unit of work takes minutes.
_ABANDONED_SECONDS = 6 * 3600.0


class MadeFiles:
    """A :class:`~detect.stages.base.FileStore` for the stages that work on one video, known by its SHA-256."""

    def __init__(self, source_sha256: str) -> None:
        self._folder = made_folder(source_sha256)

    @contextmanager
    def draft(self, suffix: str) -> Iterator[Path]:
        _remove_dead_drafts()
        path = _drafts() / this_process() / f"{uuid4().hex}{suffix}"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def folder(self) -> AbstractContextManager[Path]:
        return draft_folder()

    def keep(self, draft: Path) -> StoredFile:
        with draft.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        kept = StoredFile(f"{self._folder}{sha256}{draft.suffix}", sha256, draft.stat().st_size)
        store_file(draft, kept.key)
        return kept

    @contextmanager
    def local(self, file: StoredFile) -> Iterator[Path]:
        place = local_file(file.key)
        if place is not None:
            if not place.is_file():
                raise StorageError(f"{file.key} is no longer in storage")
            yield place
            return
        with self.draft(Path(file.key).suffix) as path:
            with (
                storage_told(f"{file.key} cannot be fetched"),
                default_storage.open(file.key, "rb") as stored,
                path.open("wb") as copy,
            ):
                shutil.copyfileobj(stored, copy, _BLOCK)
            yield path


def _is_made(key: str) -> bool:
    """Whether a key is of the shape that this module gives; others may keep files below the same prefix."""
    return len(Path(key).parent.name) == hashlib.sha256().digest_size * 2


@contextmanager
def draft_folder() -> Iterator[Path]:
    """An empty folder for files on their way into storage, on this machine; what is left there is removed."""
    _remove_dead_drafts()
    path = _drafts() / this_process() / uuid4().hex
    path.mkdir(mode=0o700, parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def made_folder(source_sha256: str) -> str:
    """Where files made of a video lie in storage."""
    return f"{settings.AWS_S3_OUTPUT_PREFIX}{source_sha256[:2]}/{source_sha256}/"


@transaction.atomic
def made_forget(asset: SourceAsset) -> None:
    """Remove outputs with files that no job of a video has any more, and their files once that is committed.

    Where a job runs it is left for later: what it has just made is not its own yet.
    """
    transaction.on_commit(_remove_dead_drafts)
    jobs = DetectJob.objects.filter(source_asset=asset)
    if jobs.filter(status=JobStatus.RUNNING).exists():
        return
    folder = made_folder(asset.sha256)
    made = {key: found for key, found in _all_made().items() if found[1][0].startswith(folder)}
    kept = _kept_outputs(asset, {stage for stage, _ in made.values()})
    StageOutput.objects.filter(key__in=made.keys() - kept).delete()
    wanted = {file for key in made.keys() & kept for file in made[key][1]}
    transaction.on_commit(lambda: _remove_others(folder, wanted))


def made_tidy() -> None:
    """Remove what crashes have left: drafts, outputs that no job has, and files that no output names."""
    before = time.time() - _ABANDONED_SECONDS
    _remove_dead_drafts()
    for path in _drafts().rglob("*.*"):  # those of other hosts: nothing is known of their processes
        if path.is_file() and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
    named = {key for files in _all_made().values() for key in files[1]}
    for asset in SourceAsset.objects.filter(sha256__in={Path(key).parent.name for key in named}):
        made_forget(asset)
    with storage_told("storage cannot be tidied"):
        for key in [*folder_keys(settings.AWS_S3_OUTPUT_PREFIX)]:
            if _is_made(key) and key not in named and default_storage.get_modified_time(key).timestamp() < before:
                default_storage.delete(key)


def folder_keys(folder: str) -> Iterator[str]:
    """Keys of all files below a folder of storage, which ends in a slash. Raises ``OSError``."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in files if name)
    for name in folders:
        yield from folder_keys(f"{folder}{name}/")


def folder_remove(folder: str) -> None:
    """Remove all files below a folder of storage. Raises ``StorageError``."""
    _remove_others(folder, set())


def _kept_outputs(asset: SourceAsset, stages: set[str]) -> set[str]:
    """Keys of these stages' outputs that a checkpoint or a piece of work of the video's jobs has."""
    nodes = Checkpoint.objects.filter(timeline__source_asset=asset).values_list("outputs", flat=True)
    manifests = {outputs[stage] for outputs in nodes for stage in stages & outputs.keys()}
    bodies = StageOutput.objects.filter(key__in=manifests).values_list("body", flat=True)
    units = WorkUnit.objects.filter(job__source_asset=asset).exclude(output_key="")
    return {key for body in bodies for key in serde.unpack(bytes(body), Manifest).keys} | {
        *units.values_list("output_key", flat=True)
    }


def _remove_others(folder: str, wanted: set[str]) -> None:
    """Remove the files of a folder that are not ``wanted``."""
    with storage_told(f"{folder} cannot be tidied"):
        for key in [*folder_keys(folder)]:
            if key not in wanted:
                default_storage.delete(key)
    place = local_file(folder)
    if place is not None and not wanted:
        shutil.rmtree(place, ignore_errors=True)


def _all_made() -> dict[str, tuple[str, list[str]]]:
    """Stage and files of every output that has files, by its key."""
    rows = StageOutput.objects.exclude(files=[]).values_list("key", "stage", "files")
    return {key: (stage, files) for key, stage, files in rows}


def _drafts() -> Path:
    """Drafts of this machine, a folder for each process that makes some."""
    path: Path = settings.CACHE_FOLDER / "drafts"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _remove_dead_drafts() -> None:
    """Remove what processes of this machine were writing when they were killed."""
    for folder in _drafts().glob("*:*:*"):
        if has_died(folder.name):
            shutil.rmtree(folder, ignore_errors=True)

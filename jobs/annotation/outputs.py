"""Where a batch's files lie: ``outputs/{batch}/{video}/{pipeline}/…`` in storage, and the manifest beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, get_args
from uuid import UUID

import msgspec
from django.core.files.storage import default_storage, storages
from storages.backends.s3 import S3Storage

from detect.artifacts.base import Artifact, ArtifactType
from detect.errors import ConfigError, MediaprocError, NotFoundError
from detect.registry import load_pipeline
from jobs.annotation.records import AnnotationJob, AnnotationRun, ArtifactFile
from jobs.annotation.selectors import pipelines_of
from jobs.assets.intake import local_file, storage_told, store_file, sync_folder
from jobs.made_files import draft_folder, folder_keys

MANIFEST = "manifest.json"
#: Bytes of one part of a path: drafts beside a file have longer names, and disks take 255.
LONGEST_NAME = 200
_LONGEST_PATH = 500
_LONGEST_ROLE = 100
_SCHEMA = "mediaproc.manifest/1"


def output_key(job_id: UUID, path: str) -> str:
    """Storage key of a file of a batch, by its path in the manifest."""
    return f"outputs/{job_id}/{path}"


def artifact_find(job: AnnotationJob, path: str) -> ArtifactFile:
    """The file with this path. Only what the manifest lists is there. Raises ``NotFoundError``."""
    known = ArtifactFile.objects.filter(run__video__job=job, path=path)
    found = None if "\0" in path else known.first()
    if found is None:
        raise NotFoundError(f"Job {job.id} has no file {path!r}: GET /api/v0/jobs/{job.id}/artifacts lists them.")
    return found


def artifacts_of(job: AnnotationJob) -> Iterator[ArtifactFile]:
    """All files of a batch, in the order of its videos and pipelines."""
    rows = ArtifactFile.objects.filter(run__video__job=job).select_related("run__video")
    return rows.order_by("run__video__position", "run__position", "path").iterator(chunk_size=500)


def manifest_of(job: AnnotationJob, files: Iterable[ArtifactFile] | None = None) -> dict[str, Any]:
    """What a batch has put out so far (``files``, by default all), by video, and in which order a player lays it over
    the video.
    """
    outputs: dict[str, list[dict[str, Any]]] = {
        path: [] for path in job.videos.order_by("position").values_list("path", flat=True)
    }
    for file in artifacts_of(job) if files is None else files:
        outputs[file.run.video.path].append(
            {
                "type": file.type,
                "role": file.role,
                "path": file.path,
                "meta": {
                    **file.meta,
                    "pipeline": file.run.pipeline,
                    "sha256": file.sha256,
                    "size_bytes": file.size_bytes,
                },
            }
        )
    return {
        "job_id": str(job.id),
        "dataset_id": str(job.dataset_id),
        "outputs": outputs,
        "viewer_hint": {"overlayOrder": overlay_order(pipelines_of(job))},
    }


def overlay_order(pipelines: list[str]) -> list[str]:
    """Roles as the pipelines order them, the first at the bottom; of those that are still there."""
    roles: list[str] = []
    for key in pipelines:
        with suppress(ConfigError):
            roles += load_pipeline(key).viewer
    return list(dict.fromkeys(roles))


def manifest_body(job: AnnotationJob, files: Iterable[ArtifactFile] | None = None) -> bytes:
    """``manifest.json``: what :func:`manifest_of` tells, and what the batch was run with."""
    body = {"schema": _SCHEMA, **manifest_of(job, files), "configuration": job.configuration}
    return msgspec.json.format(msgspec.json.encode(body, order="sorted"), indent=2)


def manifest_write(job: AnnotationJob) -> None:
    """Put the manifest beside the files it lists: whole, or as it was before. Raises ``StorageError``."""
    with draft_folder() as folder:
        file = folder / MANIFEST
        file.write_bytes(manifest_body(job))
        store_file(file, output_key(job.id, MANIFEST))


def outputs_tidy(run: AnnotationRun) -> None:
    """Remove what lies in a run's folder and is not listed, and what was on its way to the manifest's place.

    To be called by whoever holds the batch's row. Raises ``StorageError``.
    """
    folder = output_key(run.video.job_id, "")
    listed = {f"{folder}{path}" for path in run.artifacts.values_list("path", flat=True)}
    with storage_told(f"{folder} cannot be tidied"):
        for key in [*folder_keys(f"{folder}{run.video.folder}/{run.pipeline}/")]:
            if key not in listed:
                default_storage.delete(key)
        for name in _files_in(folder):
            if name != MANIFEST:
                default_storage.delete(f"{folder}{name}")


def _files_in(folder: str) -> list[str]:
    try:
        names: list[str] = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return []
    return [name for name in names if name]


def copy_stored(source: str, target: str) -> None:
    """Have a stored file under another key too: a link on a disk, a copy made by the bucket in a bucket.

    Raises ``StorageError``, and ``MediaprocError`` where there is no such file any more.
    """
    with storage_told(f"{target} cannot be stored"):
        if not default_storage.exists(source):
            raise MediaprocError(f"{source} is no longer in storage")
        here, there = local_file(source), local_file(target)
        if here is not None and there is not None:
            _link(here, there)
            return
        storage = storages["default"]
        assert isinstance(storage, S3Storage)
        place = {"Bucket": storage.bucket_name, "Key": source}
        storage.connection.meta.client.copy(place, storage.bucket_name, target)


def _link(here: Path, there: Path) -> None:
    """By way of another name, so that whoever opens ``there`` has a whole file at any moment."""
    there.parent.mkdir(parents=True, exist_ok=True)
    draft = there.with_name(f".{there.name}.new")
    draft.unlink(missing_ok=True)
    try:
        draft.hardlink_to(here)
    except OSError:  # a disk that has no links
        shutil.copyfile(here, draft)
    draft.replace(there)
    sync_folder(there.parent)


def artifact_path(path: str) -> str:
    """A writer's relative path, checked. Raises ``MediaprocError`` for one that leads out of its folder, and for one
    that a disk or a bucket cannot have.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable():
        raise MediaprocError(f"a writer of artifacts lists {path!r}, which is not a path in its folder")
    longest = max(len(part.encode()) for part in parts)
    if longest > LONGEST_NAME or len(path.encode()) > _LONGEST_PATH:
        raise MediaprocError(f"a writer of artifacts lists {path[:80]!r}…, which is too long a path")
    return "/".join(parts)


def check_artifacts(listed: Sequence[Artifact], before: Sequence[str], *, below: str) -> None:
    """Raises ``MediaprocError`` for what cannot be listed: besides paths, roles, kinds and two files at one place."""
    taken = set(before)
    for one in listed:
        path = f"{below}/{artifact_path(one.path)}"
        folders = {str(folder) for folder in PurePosixPath(path).parents}
        if path in taken or taken & folders or any(other.startswith(f"{path}/") for other in taken):
            raise MediaprocError(f"a writer of artifacts lists {one.path!r}, where another file lies already")
        taken.add(path)
        if one.type not in get_args(ArtifactType) or not one.role.isprintable() or len(one.role) > _LONGEST_ROLE:
            raise MediaprocError(f"a writer of artifacts lists {one.path!r} as {one.type[:80]!r} {one.role[:80]!r}")
        if b"\\u0000" in msgspec.json.encode(one.meta):
            raise MediaprocError(f"a writer of artifacts tells of {one.path!r} what cannot be stored: NUL")

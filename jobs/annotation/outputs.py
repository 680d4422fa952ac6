"""Where a batch's files lie: ``outputs/{batch}/{video}/{pipeline}/…`` in storage, and the manifest beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import msgspec
from django.core.files.storage import storages
from storages.backends.s3 import S3Storage

from detect.errors import MediaprocError, NotFoundError
from detect.registry import load_pipeline
from jobs.annotation.records import AnnotationJob, ArtifactFile
from jobs.annotation.selectors import pipelines_of
from jobs.assets.intake import local_file, storage_told, store_file, sync_folder
from jobs.made_files import draft_folder

MANIFEST = "manifest.json"
_SCHEMA = "mediaproc.manifest/1"


def output_key(job_id: UUID, path: str) -> str:
    """Storage key of a file of a batch, by its path in the manifest."""
    return f"outputs/{job_id}/{path}"


def artifact_find(job: AnnotationJob, path: str) -> ArtifactFile:
    """The file with this path. Only what the manifest lists is there. Raises ``NotFoundError``."""
    found = ArtifactFile.objects.filter(run__video__job=job, path=path).first()
    if found is None:
        raise NotFoundError(f"Job {job.id} has no file {path!r}: GET /api/v0/jobs/{job.id}/artifacts lists them.")
    return found


def artifacts_of(job: AnnotationJob) -> Iterator[ArtifactFile]:
    """All files of a batch, in the order of its videos and pipelines."""
    rows = ArtifactFile.objects.filter(run__video__job=job).select_related("run__video")
    return rows.order_by("run__video__position", "run__position", "path").iterator(chunk_size=500)


def manifest_of(job: AnnotationJob) -> dict[str, Any]:
    """What a batch has put out so far, by video, and in which order a player lays it over the video."""
    outputs: dict[str, list[dict[str, Any]]] = {
        path: [] for path in job.videos.order_by("position").values_list("path", flat=True)
    }
    for file in artifacts_of(job):
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
    """Roles as the pipelines order them, the first at the bottom."""
    return list(dict.fromkeys(role for key in pipelines for role in load_pipeline(key).viewer))


def manifest_write(job: AnnotationJob) -> None:
    """Put the manifest beside the files it lists: whole, or as it was before. Raises ``StorageError``."""
    body = {"schema": _SCHEMA, **manifest_of(job), "configuration": job.configuration}
    with draft_folder() as folder:
        file = folder / MANIFEST
        file.write_bytes(msgspec.json.format(msgspec.json.encode(body, order="sorted"), indent=2))
        store_file(file, output_key(job.id, MANIFEST))


def copy_stored(source: str, target: str) -> None:
    """Have a stored file under another key too: a link on a disk, a copy made by the bucket in a bucket.

    Raises ``StorageError``.
    """
    with storage_told(f"{target} cannot be stored"):
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


def safe_path(path: str) -> str:
    """A writer's relative path, checked. Raises ``MediaprocError`` for one that leads out of its folder."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or not path.isprintable():
        raise MediaprocError(f"a writer of artifacts lists {path!r}, which is not a path in its folder")
    return "/".join(parts)

"""Datasets: folders of videos below the allowed roots, under names, and the videos in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from detect.errors import MediaError, NotFoundError
from detect.models import SourceAsset
from jobs.annotation.records import Dataset, DatasetVideo
from jobs.annotation.scanning import KINDS, scan_file
from jobs.assets.sources import asset_from_root
from mediaproc.beneath import inner_path, opened_below, opened_folder
from mediaproc.roots import allowed_folder


def dataset_create(*, name: str, base_path: str, created_by: str = "") -> Dataset:
    """Register a folder; what is in it is found by a scan.

    Raises RootError for a folder outside of MEDIAPROC_ROOTS, NotFoundError where none is there.
    """
    with opened_folder(base_path):
        return Dataset.objects.create(name=name, base_path=base_path, created_by=created_by)


def dataset_find(dataset_id: UUID) -> Dataset:
    """Raises NotFoundError."""
    dataset = datasets_all().filter(id=dataset_id).first()
    if dataset is None:
        raise NotFoundError(f"There is no dataset {dataset_id}.")
    return dataset


def datasets_all() -> QuerySet[Dataset]:
    """The newest first, each with ``video_count``, the files that its last scan found and that can be used."""
    counted = Dataset.objects.annotate(video_count=Count("videos", filter=Q(videos__problem="")))
    return counted.order_by("-created_at", "-id")  # counting drops the order of the model


def dataset_videos(dataset: Dataset) -> QuerySet[DatasetVideo]:
    """What the last scan found, by path; what cannot be used is among it, with its problem."""
    return dataset.videos.order_by("path")


def dataset_video(dataset: Dataset, path: str) -> DatasetVideo:
    """The video at ``path`` in a dataset as it is now: looked at anew where the last scan knew another, or none.

    Raises RootError for a path that leads out of the dataset or of MEDIAPROC_ROOTS, or through a link, NotFoundError
    where no file is there, MediaError for one that cannot be read.
    """
    with opened_video(dataset, path) as file:
        video = scan_file(dataset, _written(path), file)
    if video.problem:
        raise MediaError(f"{path}: {video.problem}")
    return video


@contextmanager
def opened_video(dataset: Dataset, path: str) -> Iterator[Path]:
    """A path that leads to that video and to nothing else while the block runs; errors speak of it as ``path``.

    Raises RootError and NotFoundError as :func:`dataset_video` does, the latter for a name that is no video's, too.
    """
    suffix = inner_path(path).suffix.lower()
    with opened_folder(dataset.base_path) as folder, opened_below(folder, _written(path)) as file:
        if suffix not in KINDS:
            known = " ".join(sorted(kind[1:] for kind in KINDS))
            raise NotFoundError(f"'{path}' is not named as a video is: its name must end in one of {known}")
        yield file


def dataset_asset(dataset: Dataset, path: str) -> SourceAsset:
    """The asset of a dataset's video, made where there was none; a file of sound alone is one, too.

    Raises what :func:`dataset_video` raises.
    """
    dataset_video(dataset, path)
    place = allowed_folder(dataset.base_path) / _written(path)
    return asset_from_root(str(place), sound=True).asset


def _written(path: str) -> str:
    """A path as scans write it: ``a//./b`` is ``a/b``."""
    return inner_path(path).as_posix()

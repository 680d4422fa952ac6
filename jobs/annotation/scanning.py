"""Looking through a dataset's folder: which videos there are, how long, and which cannot be used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils import timezone

from detect.errors import ConflictError, MediaError, MediaprocError
from detect.media.probe import look_at
from jobs.annotation.records import Dataset, DatasetVideo
from jobs.assets.intake import SOUND_SUFFIXES, VIDEO_SUFFIXES
from jobs.locks import task_lock
from mediaproc import env
from mediaproc.beneath import FoundFile, files_below, opened_below, opened_folder

#: What videos and files of sound are called; what is in them is looked at all the same.
KINDS = VIDEO_SUFFIXES | SOUND_SUFFIXES

# Files that are looked at before what was found out is written.
_BATCH = 100
# The database keeps no longer ones in its index; four bytes are the most that a letter takes.
_LONGEST_PATH = 600
_FOUND = ("size_bytes", "modified_ns", "duration", "has_pictures", "has_sound", "problem")


def dataset_scan(*, dataset: Dataset) -> None:
    """Have ``dataset.videos`` tell what lies in its folder now. Files that are as they were are not looked at again.

    What is found is written as it goes. Hidden files and this installation's own folders are passed over. Raises
    RootError and NotFoundError where the folder is no longer allowed or there, and ConflictError while another scan of
    it goes on.
    """
    with task_lock(f"dataset-scan-{dataset.id}") as ours:
        if not ours:
            raise ConflictError(f"the dataset '{dataset.name}' is being scanned just now: wait until that has ended")
        seen: set[int] = set()
        with opened_folder(dataset.base_path) as folder:
            found = (one for one in files_below(folder, without=_own_folders()) if _is_wanted(one))
            while batch := [_storable(one) for one in islice(found, _BATCH)]:
                _take_in(dataset, folder, batch)
                seen.update(hash(one.path) for one in batch)  # their names would take ten times the memory
        _forget_others(dataset, seen)
        dataset.scanned_at = timezone.now()
        dataset.save(update_fields=["scanned_at"])


def scan_file(dataset: Dataset, path: str, file: Path) -> DatasetVideo:
    """What is known of one ``file``, which lies at ``path`` in the dataset; looked at where that is not known.

    Raises MediaError for a path that is too long to be kept.
    """
    status = file.stat()
    found = FoundFile(path, status.st_size, status.st_mtime_ns)
    if _storable(found).problem:
        raise MediaError(f"{path[:200]}…: {_storable(found).problem}")
    known = DatasetVideo.objects.filter(dataset=dataset, path=path).first()
    if known is not None and _is_unchanged(known, found):
        return known
    looked = _looked_at(dataset, found, file)
    told = {name: getattr(looked, name) for name in _FOUND}
    return DatasetVideo.objects.update_or_create(dataset=dataset, path=path, defaults=told)[0]


def _take_in(dataset: Dataset, folder: int, batch: list[FoundFile]) -> None:
    paths = [one.path for one in batch]
    known = {video.path: video for video in DatasetVideo.objects.filter(dataset=dataset, path__in=paths)}
    rows = [
        _look(dataset, folder, one) for one in batch if one.path not in known or not _is_unchanged(known[one.path], one)
    ]
    DatasetVideo.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["dataset", "path"], update_fields=list(_FOUND)
    )


def _look(dataset: Dataset, folder: int, found: FoundFile) -> DatasetVideo:
    if found.problem:
        return _row(dataset, found, problem=found.problem)
    try:
        with opened_below(folder, found.path) as file:
            return _looked_at(dataset, found, file)
    except MediaprocError as error:  # exchanged since it was listed
        return _row(dataset, found, problem=error.message)


def _looked_at(dataset: Dataset, found: FoundFile, file: Path) -> DatasetVideo:
    try:
        look = look_at(file)
    except MediaError as error:
        return _row(dataset, found, problem=error.message.removeprefix(f"{file}: ").replace(str(file), found.path))
    row = _row(dataset, found)
    row.duration, row.has_pictures, row.has_sound = look.duration, look.has_pictures, look.has_sound
    return row


def _row(dataset: Dataset, found: FoundFile, *, problem: str = "") -> DatasetVideo:
    return DatasetVideo(
        dataset=dataset,
        path=found.path,
        size_bytes=found.size_bytes,
        modified_ns=found.modified_ns,
        problem=problem,
    )


def _is_unchanged(known: DatasetVideo, found: FoundFile) -> bool:
    """What could not be used is looked at each time: permissions change without a file's changing."""
    same = (known.size_bytes, known.modified_ns) == (found.size_bytes, found.modified_ns)
    return same and not known.problem and not found.problem


def _is_wanted(found: FoundFile) -> bool:
    suffix = PurePosixPath(found.path).suffix.lower()
    return suffix in KINDS or (bool(found.problem) and (found.is_folder or not suffix))


def _storable(found: FoundFile) -> FoundFile:
    if len(found.path) <= _LONGEST_PATH:
        return found
    short = f"{found.path[: _LONGEST_PATH - 20]}…{hashlib.sha256(found.path.encode()).hexdigest()[:16]}"
    return FoundFile(short, problem=f"its path is longer than {_LONGEST_PATH} letters: shorten its folders' names")


def _forget_others(dataset: Dataset, seen: set[int]) -> None:
    """Remove the rows of files that are gone, a few at a time."""
    rows = DatasetVideo.objects.filter(dataset=dataset).values_list("id", "path").iterator(chunk_size=2000)
    gone = (number for number, path in rows if hash(path) not in seen)
    for some in _pieces(gone):
        DatasetVideo.objects.filter(id__in=some).delete()


def _pieces(numbers: Iterator[int]) -> Iterator[list[int]]:
    while piece := list(islice(numbers, 10 * _BATCH)):
        yield piece


def _own_folders() -> set[tuple[int, int]]:
    """Folders of this installation, by device and inode: no video of somebody's lies there."""
    storage = Path(str(settings.MEDIA_ROOT))
    found = set()
    for folder in (env.DATA.root, storage, storage / "outputs"):
        try:
            status = folder.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found

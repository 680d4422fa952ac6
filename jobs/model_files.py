"""Weights on this machine: put there by people, or fetched once from storage or an HTTP server, by content.

Under ``data/cache/models``: ``{sha256}{suffix}`` is a whole file that was held against its digest, ``{sha256}.part``
one on its way; who fetches holds ``{sha256}.lock``, which ends with its process.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

import httpx
from django.conf import settings
from django.core.files.storage import default_storage

from detect.engines.objects import WeightsError, weights_digest
from detect.errors import StorageError
from detect.resources import DistantWeights
from detect.weights_catalog import ModelEntry, find_default, load_models
from jobs.assets.intake import storage_told, sync_folder

#: The name under which a file of models has the weights for pit stops.
PITSTOP = "pitstop"

_BLOCK = 1 << 20
_MOST_BYTES = 2 << 30
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
#: Seconds for a whole file: a server may send a byte now and then for ever.
_PATIENCE = 900.0


def pitstop_weights() -> Path | DistantWeights:
    """The weights that follow objects in pit stops: those that are set, those in the file of models, or the default.

    Nothing is fetched here. Raises ``WeightsError`` where a file that is named does not exist and where there is none
    at all, ``ConfigError`` for a file of models that cannot be used.
    """
    configured: Path | None = settings.PITSTOP_YOLO_WEIGHTS_PATH
    if configured is not None:
        if not configured.is_file():
            raise WeightsError(
                f"the weights '{configured}' do not exist: correct PITSTOP_YOLO_WEIGHTS_PATH or put the file there"
            )
        return configured
    entry = load_models(settings.MODELS_FILE).get(PITSTOP)
    if entry is not None:
        return _of_entry(entry)
    found = find_default(settings.WEIGHTS_FOLDERS)
    if found is None:
        raise WeightsError(
            "there are no weights to find objects with: put them at model_weights/best.pt or model_weights/best.onnx, "
            f"set PITSTOP_YOLO_WEIGHTS_PATH, or name them as '{PITSTOP}' in {settings.MODELS_FILE}"
        )
    return found


def model_fetch(entry: ModelEntry, *, told: Callable[[int], None] | None = None, said_by: str = "") -> Path:
    """The file of an entry with ``key`` or ``url``, fetched if it is not here yet; ``told`` is told the bytes that came
    so far. ``said_by`` is where the entry stands, if not in the file of models.

    Raises ``WeightsError`` where there is no such file or its content is another, ``StorageError`` where it cannot be
    had at the moment.
    """
    suffix = PurePosixPath(entry.filename).suffix.lower()
    path = _folder() / f"{entry.sha256}{suffix}"
    if path.is_file():
        return path
    with _locked(path.with_suffix(".lock")):
        if not path.is_file():
            _bring(entry, path, told or (lambda _: None), said_by or str(settings.MODELS_FILE))
    return path


def model_fetched(entry: ModelEntry) -> Path | None:
    """The file of such an entry where it was fetched before, else None."""
    path = _folder() / f"{entry.sha256}{PurePosixPath(entry.filename).suffix.lower()}"
    return path if path.is_file() else None


def _of_entry(entry: ModelEntry) -> Path | DistantWeights:
    if not entry.path:
        return DistantWeights(entry.filename, entry.sha256, partial(model_fetch, entry))
    path = Path(entry.path)
    if not path.is_file():
        raise WeightsError(f"the weights '{path}' do not exist: correct '{PITSTOP}' in {settings.MODELS_FILE}")
    if entry.sha256:
        _check_digest(entry, weights_digest(path), str(settings.MODELS_FILE))
    return path


def _bring(entry: ModelEntry, path: Path, told: Callable[[int], None], said_by: str) -> None:
    part, digest, size = path.with_suffix(".part"), hashlib.sha256(), 0
    try:
        with part.open("wb") as file:
            for block in _from_url(entry) if entry.url else _from_storage(entry):
                size += len(block)
                _check_size(entry, size)
                digest.update(block)
                file.write(block)
                told(size)
            _check_digest(entry, digest.hexdigest(), said_by)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"the weights {entry.place} cannot be kept: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _from_url(entry: ModelEntry) -> Iterator[bytes]:
    until = time.monotonic() + _PATIENCE
    try:
        with httpx.stream("GET", entry.url, timeout=_TIMEOUT, follow_redirects=True) as answer:
            if answer.is_client_error and answer.status_code not in (408, 429):
                raise WeightsError(f"there are no weights at {entry.place}: it answers {answer.status_code}")
            if answer.status_code != httpx.codes.OK:
                raise StorageError(f"the weights {entry.place} cannot be fetched: it answers {answer.status_code}")
            for block in answer.iter_bytes(_BLOCK):
                yield block
                if time.monotonic() > until:
                    raise StorageError(f"the weights {entry.place} take too long to fetch")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StorageError(f"the weights {entry.place} cannot be fetched: {_reason(error)}") from error


def _from_storage(entry: ModelEntry) -> Iterator[bytes]:
    with storage_told(f"the weights {entry.place} cannot be fetched from storage"):
        try:
            _check_size(entry, default_storage.size(entry.key))
            with default_storage.open(entry.key, "rb") as file:
                yield from iter(partial(file.read, _BLOCK), b"")
        except FileNotFoundError as error:
            raise WeightsError(f"there are no weights at {entry.place} in storage") from error


def _check_size(entry: ModelEntry, size: int) -> None:
    if size > _MOST_BYTES:
        raise WeightsError(
            f"the weights {entry.place} are larger than {_MOST_BYTES >> 30} GB: those of no detector are"
        )


def _check_digest(entry: ModelEntry, digest: str, said_by: str) -> None:
    if digest != entry.sha256:
        raise WeightsError(
            f"the weights {entry.place} are not those that were meant: their SHA-256 is {digest}, and "
            f"{said_by} says {entry.sha256}"
        )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _folder() -> Path:
    path: Path = settings.CACHE_FOLDER / "models"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
